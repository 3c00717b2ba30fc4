"""Rounding to whole numbers: floor, ceil, round, trunc, and the fraction that is left.

All are steps: the gradient is 0 between them, and is taken to be 0 at them. ``frac`` is x minus a step, so
its gradient is that of x. Integers are rounded already and come back as a copy.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.primitive import Clone
from minitorch.backend import Array, array_module
from minitorch.ops.operand import in_place, kind_of, narrow, require, widen, zeros_like_gradient


class Floor(Function):
    """⌊x⌋;  d/dx = 0."""

    def forward(self, x: Array) -> Array:
        return array_module(x).floor(x)

    def backward(self, grad_output: Any) -> Any:
        return zeros_like_gradient(grad_output)


def floor(input: Any, *, out: Any = None) -> Any:
    """The largest whole number ≤ input, element by element.

    Gradient: 0.
    Raises: NotImplementedError for bool.

    >>> import minitorch as torch
    >>> torch.floor(torch.tensor([-1.5, 2.7]))
    tensor([-2.,  2.])
    """
    return _round_with(Floor, input, "floor", "floor_vml_cpu", out)


class Ceil(Function):
    """⌈x⌉;  d/dx = 0."""

    def forward(self, x: Array) -> Array:
        return array_module(x).ceil(x)

    def backward(self, grad_output: Any) -> Any:
        return zeros_like_gradient(grad_output)


def ceil(input: Any, *, out: Any = None) -> Any:
    """The smallest whole number ≥ input, element by element.

    Gradient: 0.
    Raises: NotImplementedError for bool.

    >>> import minitorch as torch
    >>> torch.ceil(torch.tensor([-1.5, 2.2]))
    tensor([-1.,  3.])
    """
    return _round_with(Ceil, input, "ceil", "ceil_vml_cpu", out)


class Trunc(Function):
    """x without its fraction;  d/dx = 0."""

    def forward(self, x: Array) -> Array:
        return array_module(x).trunc(x)

    def backward(self, grad_output: Any) -> Any:
        return zeros_like_gradient(grad_output)


def trunc(input: Any, *, out: Any = None) -> Any:
    """``input`` rounded towards zero, element by element.

    Gradient: 0.
    Raises: NotImplementedError for bool.

    >>> import minitorch as torch
    >>> torch.trunc(torch.tensor([-1.5, 2.7]))
    tensor([-1.,  2.])
    """
    return _round_with(Trunc, input, "trunc", "trunc_vml_cpu", out)


def _round_with(function: type[Function], input: Any, name: str, kernel: str, out: Any) -> Any:
    require(input, "iuf", name, kernel)
    return write_out((function if kind_of(input, name) == "f" else Clone).apply(input), out)


class Round(Function):
    """x rounded to a multiple of 10^-decimals, halves to the even one;  d/dx = 0."""

    def forward(self, x: Array, *, decimals: int) -> Array:
        rint = array_module(x).rint
        if decimals == 0:
            return rint(x)
        scale = 10.0 ** (decimals if decimals > 0 else -decimals)
        wide = widen(x)
        return narrow(rint(wide * scale) / scale if decimals > 0 else rint(wide / scale) * scale, x)

    def backward(self, grad_output: Any) -> Any:
        return zeros_like_gradient(grad_output)


def round(input: Any, *, decimals: int = 0, out: Any = None) -> Any:
    """``input`` rounded to the nearest multiple of 10^-decimals; of two equally near ones, the even one.

    Gradient: 0.
    Args: decimals: digits kept after the point; a negative number drops digits before it.
    Raises: NotImplementedError for bool, and for integers with ``decimals`` ≠ 0.

    >>> import minitorch as torch
    >>> torch.round(torch.tensor([0.5, 1.5, -2.5]))
    tensor([ 0.,  2., -2.])
    >>> torch.round(torch.tensor([3.14159]), decimals=2)
    tensor([3.1400])
    """
    if decimals:
        require(input, "f", "round", "round_cpu")
    else:
        require(input, "iuf", "round", "round_vml_cpu")
    is_whole = kind_of(input, "round") != "f"
    return write_out(Clone.apply(input) if is_whole else Round.apply(input, decimals=decimals), out)


class Frac(Function):
    """x - trunc x;  d/dx = 1."""

    def forward(self, x: Array) -> Array:
        return x - array_module(x).trunc(x)

    def backward(self, grad_output: Any) -> Any:
        return grad_output


def frac(input: Any, *, out: Any = None) -> Any:
    """The fraction of ``input``, with its sign: input - trunc(input).

    Gradient: g.
    Raises: NotImplementedError for integers and bool.

    >>> import minitorch as torch
    >>> torch.frac(torch.tensor([1.25, -2.5]))
    tensor([ 0.2500, -0.5000])
    """
    require(input, "f", "frac", "frac_cpu")
    return write_out(Frac.apply(input), out)


fix = trunc
floor_ = in_place(floor)
ceil_ = in_place(ceil)
trunc_ = in_place(trunc)
fix_ = in_place(trunc)
round_ = in_place(round)
frac_ = in_place(frac)
