"""Counting by value: bincount for integers, histc for numbers in equal intervals. Neither has a gradient."""

from __future__ import annotations

import math
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, add_at, array_module
from minitorch.ops.operand import require


class Bincount(Function):
    """How often (or with what total weight) each number from 0 to the largest occurs."""

    def forward(self, input: Array, *, weights: Array | None, minlength: int) -> Array:
        xp = array_module(input)
        dtype = xp.int64 if weights is None else xp.float32 if weights.dtype == "float32" else xp.float64
        if input.size == 0:
            return xp.zeros(minlength, xp.int64)
        wide = None if weights is None else weights.astype(xp.float64)
        return xp.bincount(input.astype(xp.int64), wide, minlength).astype(dtype)


def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of 0, 1, …, max(input) occurs in a 1-d tensor of integers.

    Args: weights: add these up instead of counting; minlength: the least length of the result.
    Raises: RuntimeError for negative numbers, other than one dimension, a negative ``minlength``, or weights of
    another shape; NotImplementedError for floating point and bool.

    >>> import minitorch as torch
    >>> torch.bincount(torch.tensor([1, 3, 1]))
    tensor([0, 2, 0, 1])
    """
    require(input, "iu", "bincount", "bincount_cpu")
    array = raw(input)
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if array.ndim != 1 or (array.size and bool(array.min() < 0)):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and raw(weights).shape != array.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    return Bincount.apply(input, weights=raw(weights), minlength=minlength)


class Histc(Function):
    """How many elements lie in each of ``bins`` intervals of equal length in [low, high]."""

    def forward(self, input: Array, *, bins: int, low: float, high: float) -> Array:
        xp, number = array_module(input), input.dtype.type  # everything is rounded to the input's dtype, as in torch
        low, high = number(low), number(high)
        if low == high:
            low, high = low - number(1), high + number(1)
        is_inside = (input >= low) & (input <= high)
        position = (xp.where(is_inside, input - low, number(0)) * number(bins) / (high - low)).astype("int64")
        position = xp.minimum(position, bins - 1)  # the last interval has its upper end, too
        counts = xp.zeros(bins + 1, "int64")
        add_at(counts, xp.where(is_inside, position, bins), 1)  # what is outside is counted at the end, and left out
        return counts[:bins].astype(input.dtype)


def histc(input: Any, bins: int = 100, min: float = 0, max: float = 0, *, out: Any = None) -> Any:
    """How many elements lie in each of ``bins`` intervals of equal length in [min, max].

    Args: min, max: if equal, the smallest and largest element; if those are equal, one less and one more.
    Raises: RuntimeError for bins < 1, max < min, or a range that is not finite; NotImplementedError for
    integers.
    Numerics: elements outside the range, and nan, are not counted.

    >>> import minitorch as torch
    >>> torch.histc(torch.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    require(input, "f", "histc", "histogram_cpu")
    array = raw(input)
    if bins < 1:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    low, high = float(min), float(max)
    if low == high and array.size:
        low, high = float(array.min()), float(array.max())
    if high < low:
        raise RuntimeError("torch.histc: max must be larger than min")
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histc: range of [{low:g}, {high:g}] is not finite")
    return write_out(Histc.apply(input, bins=bins, low=low, high=high), out)
