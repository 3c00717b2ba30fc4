"""Instance normalisation: each channel of each sample with mean 0 and variance 1."""

from __future__ import annotations

import warnings
from typing import Any

from minitorch.nn import functional as F  # noqa: N812
from minitorch.nn.batch_norm import ChannelNorm
from minitorch.tensor.tensor import Tensor


class _InstanceNorm(ChannelNorm):
    """The options of the instance normalisation layers, and their forward pass."""

    dimensions: int

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias)

    def forward(self, input: Tensor) -> Any:
        self._check_input_dim(input)
        self._check_channels(input)
        if input.dim() == self.dimensions + 1:  # one sample without a batch dimension
            return self._normalise(input.unsqueeze(0)).squeeze(0)
        return self._normalise(input)

    def _normalise(self, input: Tensor) -> Any:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in (self.dimensions + 1, self.dimensions + 2):
            raise ValueError(
                f"expected {self.dimensions + 1}D or {self.dimensions + 2}D input (got {input.dim()}D input)"
            )

    def _check_channels(self, input: Tensor) -> None:
        dim = input.dim() - self.dimensions - 1
        if input.size(dim) == self.num_features:
            return
        if self.affine:
            raise ValueError(
                f"expected input's size at dim={dim} to match num_features ({self.num_features}), "
                f"but got: {input.size(dim)}."
            )
        warnings.warn(
            f"input's size at dim={dim} does not match num_features. You can silence this warning by not passing "
            "in num_features, which is not used because affine=False",
            stacklevel=3,
        )


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of (N, C, L) or (C, L); args as ``InstanceNorm2d``; see ``F.instance_norm``."""

    dimensions = 1


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of images (N, C, H, W) or (C, H, W); see ``F.instance_norm``.

    Args: num_features: C; eps: added to the variance; momentum: the share of a new batch in the running
    statistics; affine: whether there are weights and biases; track_running_stats: whether there are running
    statistics, which ``eval`` mode uses; device, dtype: of the parameters and buffers.
    Raises: ValueError for an input of another number of dimensions or, if affine, of channels.

    >>> import minitorch as torch
    >>> torch.nn.InstanceNorm2d(3)
    InstanceNorm2d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)
    """

    dimensions = 2


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of volumes (N, C, D, H, W) or (C, D, H, W); args as ``InstanceNorm2d``."""

    dimensions = 3
