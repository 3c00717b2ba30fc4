"""Batch normalisation: each channel with mean 0 and variance 1 over the batch, then scaled and shifted."""

from __future__ import annotations

from typing import Any

from minitorch.nn import functional as F  # noqa: N812
from minitorch.nn import init
from minitorch.nn.module import Module
from minitorch.nn.parameter import Parameter
from minitorch.ops.batch_norm import counted_batch_norm
from minitorch.tensor.creation import empty, ones, tensor, zeros
from minitorch.tensor.tensor import Tensor


class ChannelNorm(Module):
    """Parameters and running statistics, one number a channel: what batch and instance normalisation share.

    ``weight`` and ``bias`` exist if ``affine``; ``running_mean``, ``running_var`` and ``num_batches_tracked``
    if ``track_running_stats``. What does not exist is None.
    """

    _version = 2  # since version 2 the state has num_batches_tracked

    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        device: Any,
        dtype: Any,
        bias: bool,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats

        def parameter(exists: bool) -> Parameter | None:
            return Parameter(empty(num_features, device=device, dtype=dtype)) if exists else None

        self.register_parameter("weight", parameter(affine))
        self.register_parameter("bias", parameter(affine and bias))
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", ones(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", tensor(0, device=device) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the statistics: mean 0, variance 1, no batches."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the statistics, and set weights to 1 and biases to 0."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Tensor) -> None:
        """Raise ValueError for an input of a number of dimensions that the layer is not for."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        key = prefix + "num_batches_tracked"
        if local_metadata.get("version", 0) < 2 and self.num_batches_tracked is not None and key not in state_dict:
            state_dict[key] = self.num_batches_tracked.clone()
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )


class _BatchNorm(ChannelNorm):
    """The options of the batch normalisation layers, and their forward pass."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Any:
        self._check_input_dim(input)
        batches = self.num_batches_tracked
        if self.training and self.track_running_stats and self.momentum is not None and batches is not None:
            batches.bump_version()
            averages = self.running_mean, self.running_var
            return counted_batch_norm(input, batches.array, *averages, self.weight, self.bias, self.momentum, self.eps)
        uses_batch = self.training or (self.running_mean is None and self.running_var is None)
        updates = self.training and self.track_running_stats
        shows_running = not self.training or self.track_running_stats
        return F.batch_norm(
            input,
            self.running_mean if shows_running else None,
            self.running_var if shows_running else None,
            self.weight,
            self.bias,
            uses_batch,
            self._count_batch() if updates else self.momentum or 0.0,
            self.eps,
        )

    def _count_batch(self) -> float:
        """Count this batch, and return its share in the running statistics: 1/n for a plain mean of n batches."""
        if self.num_batches_tracked is None:
            return self.momentum or 0.0
        self.num_batches_tracked.array += 1
        self.num_batches_tracked.bump_version()
        return 1.0 / float(self.num_batches_tracked)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (N, C) or (N, C, L); args as ``BatchNorm2d``; see ``F.batch_norm``."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of images (N, C, H, W); see ``F.batch_norm``.

    Args: num_features: C; eps: added to the variance; momentum: the share of a new batch in the running
    statistics, None for the plain mean of all batches; affine: whether there are weights and biases;
    track_running_stats: whether there are running statistics, which ``eval`` mode uses; device, dtype: of the
    parameters and buffers; bias: whether an affine layer has biases.
    Raises: ValueError for an input that is not 4D.

    >>> import minitorch as torch
    >>> torch.nn.BatchNorm2d(6)
    BatchNorm2d(6, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)
    """

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of volumes (N, C, D, H, W); args as ``BatchNorm2d``; see ``F.batch_norm``."""

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() != 5:
            raise ValueError(f"expected 5D input (got {input.dim()}D input)")
