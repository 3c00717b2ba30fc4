"""Layers that put a margin around their input: ``F.pad`` with a fixed mode and width.

A width is one number for all sides, or (left, right), (left, right, top, bottom), … from the last dimension on.
"""

from __future__ import annotations

from typing import Any, ClassVar

from minitorch.nn import functional as F  # noqa: N812 (as everyone calls it)
from minitorch.nn.module import Module
from minitorch.tensor.tensor import Tensor


class _Pad(Module):
    """Base: subclasses say how many dimensions are padded and how."""

    dimensions: ClassVar[int]
    mode: ClassVar[str]
    padding: tuple[int, ...]

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = (padding,) * (2 * self.dimensions) if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Any:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """A mirrored margin on the last dimension."""

    dimensions, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """A mirrored margin on the last two dimensions."""

    dimensions, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """A mirrored margin on the last three dimensions."""

    dimensions, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """A margin that repeats the edge of the last dimension."""

    dimensions, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """A margin that repeats the edges of the last two dimensions."""

    dimensions, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """A margin that repeats the edges of the last three dimensions."""

    dimensions, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """A margin that wraps around the last dimension."""

    dimensions, mode = 1, "circular"


class CircularPad2d(_Pad):
    """A margin that wraps around the last two dimensions."""

    dimensions, mode = 2, "circular"


class CircularPad3d(_Pad):
    """A margin that wraps around the last three dimensions."""

    dimensions, mode = 3, "circular"


class _ConstantPad(_Pad):
    """A margin of one value."""

    mode = "constant"

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Any:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A margin of ``value`` on the last dimension."""

    dimensions = 1


class ConstantPad2d(_ConstantPad):
    """A margin of ``value`` on the last two dimensions.

    >>> import minitorch as torch
    >>> torch.nn.ConstantPad2d((1, 0, 0, 0), 7.0)(torch.zeros(1, 1, 2))
    tensor([[[7., 0., 0.]]])
    """

    dimensions = 2


class ConstantPad3d(_ConstantPad):
    """A margin of ``value`` on the last three dimensions."""

    dimensions = 3


class _ZeroPad(_ConstantPad):
    """A margin of zeros."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad):
    """A margin of zeros on the last dimension."""

    dimensions = 1


class ZeroPad2d(_ZeroPad):
    """A margin of zeros on the last two dimensions."""

    dimensions = 2


class ZeroPad3d(_ZeroPad):
    """A margin of zeros on the last three dimensions."""

    dimensions = 3
