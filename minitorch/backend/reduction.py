"""Launching ``reduction.cu``: for which dimensions there is a view that it can sum, and the two stages of a sum."""

from __future__ import annotations

import math
from pathlib import Path

from minitorch.backend.arrays import Array, array_module, row_major
from minitorch.backend.channels import View
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import TYPES, name_of, runs_kernels, type_of, wide_dtype
from minitorch.backend.layout import image_order

_MOST_OUTER = 65535  # blocks that a grid may have in its third direction
_LEAST_SUMMED = 32  # elements of a sum, below which most threads of a block would have nothing to do
_kernels = KernelFile(Path(__file__).with_suffix(".cu"))


def view_of_sum(shape: tuple[int, ...], dims: tuple[int, ...]) -> View | None:
    """(O, N, C, S) such that summing over N and S is summing over ``dims``; None if there is none, or no need.

    Neighbouring dimensions that are all summed over, or all kept, are one. What remains must be (kept,) summed, kept
    (, summed): O, N, C, S. Sums of few elements, and those over the last dimensions alone, are CuPy's: it has CUB for
    what lies together in memory.

    >>> view_of_sum((8, 3, 5, 5), (0, 2, 3))
    View(N=8, C=3, S=25, O=1)
    >>> view_of_sum((2, 80, 3), (1,)), view_of_sum((2, 80, 3), (2,))
    (View(N=80, C=3, S=1, O=2), None)
    """
    runs: list[tuple[bool, int]] = []  # (is summed, size)
    for dim, size in enumerate(shape):
        if size == 1:
            continue
        is_summed = dim in dims
        if runs and runs[-1][0] == is_summed:
            size *= runs.pop()[1]
        runs.append((is_summed, size))
    if runs and runs[0][0]:
        runs.insert(0, (False, 1))
    pattern = [is_summed for is_summed, _ in runs]
    if pattern not in ([False, True, False], [False, True, False, True]):
        return None
    O, N, C, *S = [size for _, size in runs]  # noqa: E741
    view = View(N, C, math.prod(S), O)
    return None if O > _MOST_OUTER or view.N * view.S < _LEAST_SUMMED else view


def sum_axes(array: Array, axes: tuple[int, ...], keepdims: bool = False, factor: float = 1.0) -> Array | None:
    """factor · the sum over these axes, or None where it is for CuPy to compute."""
    if not runs_kernels(array):
        return None
    kept = [(axis, size) for axis, size in enumerate(array.shape) if keepdims or axis not in axes]
    shape = tuple([1 if axis in axes else size for axis, size in kept])
    if len(axes) >= array.ndim - 1:  # then what is kept has one order in any layout
        order = image_order(array)
        array, axes = array.transpose(order), tuple([order.index(axis) for axis in axes])
    view = view_of_sum(array.shape, axes)
    if view is None:
        return None
    return sum_over(row_major(array), view, name_of(array), factor).reshape(shape)


def sum_over(input: Array, view: View, dtype: str, factor: float = 1.0, squares: bool = False) -> Array:
    """factor · Σ input (or input²) as an array (O, C) of ``dtype``; ``input`` lies row after row."""
    shares = view.shares()
    stage_dtype = dtype if shares == 1 else wide_dtype(input)
    stage_factor = factor if shares == 1 else 1.0
    result = array_module(input).empty((shares, view.O, view.C), stage_dtype)
    defines = {"OUTPUT": TYPES[stage_dtype], "SQUARES": int(squares)}
    view.launch(_kernels, "reduce", input, [input, result, stage_factor, *view[:3]], defines, shares)
    return result[0] if shares == 1 else sum_of_shares(result, dtype, factor)


def sum_of_shares(shares: Array, dtype: str | None = None, factor: float = 1.0) -> Array:
    """The second stage: factor · the sum over the first dimension, which is the number of the share."""
    view = View(shares.shape[0], math.prod(shares.shape[1:]), 1)
    result = array_module(shares).empty(shares.shape[1:], dtype or shares.dtype)
    defines = {"OUTPUT": type_of(result), "SQUARES": 0}
    view.launch(_kernels, "reduce", shares, [shares, result, factor, *view[:3]], defines, shares=1)
    return result
