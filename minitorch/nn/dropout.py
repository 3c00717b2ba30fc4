"""Layers that set elements to zero at random while training."""

from __future__ import annotations

from typing import Any

from minitorch.nn import functional as F  # noqa: N812
from minitorch.nn.module import Module
from minitorch.tensor.tensor import Tensor


class _Dropout(Module):
    """What all dropout layers share. Raises: ValueError for a probability outside [0, 1]."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """While training: zero each element with probability p, divide the others by 1 − p; see ``F.dropout``.

    >>> import minitorch as torch
    >>> torch.nn.Dropout(0.2).eval()(torch.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Any:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Dropout of whole channels of signals (N, C, L); see ``F.dropout1d``."""

    def forward(self, input: Tensor) -> Any:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Dropout of whole channels of images (N, C, H, W); see ``F.dropout2d``."""

    def forward(self, input: Tensor) -> Any:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Dropout of whole channels of volumes (N, C, D, H, W); see ``F.dropout3d``."""

    def forward(self, input: Tensor) -> Any:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance of inputs that went through SELU; see ``F.alpha_dropout``."""

    def forward(self, input: Tensor) -> Any:
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_Dropout):
    """``AlphaDropout`` of whole channels; see ``F.feature_alpha_dropout``."""

    def forward(self, input: Tensor) -> Any:
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
