"""In which order the elements of an array lie in memory: torch's rules for the layout of results.

The *order* of an array is its dimensions from the slowest to the fastest in memory, that of an image batch (N, C, H, W)
in row-major memory 0 1 2 3, in channels-last memory 0 2 3 1. An elementwise result gets the order of its first operand
(``order_of``) and no gaps, so that x.T + 1 lies in memory as x.T does.

A dimension of size 1 may stand anywhere in that order: nothing is ever read through its stride. NumPy and torch
choose differently there, and only there.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from minitorch.backend.arrays import Array, HostArray, array_module

Shape = tuple[int, ...]

_ROW_MAJOR = tuple(range(32))
CHANNELS_LAST = {4: (0, 2, 3, 1), 5: (0, 2, 3, 4, 1)}  # the order of (N, C, H, W) and (N, C, D, H, W), by rank


@lru_cache(4096)
def order_of(shape: Shape, *operands: Shape) -> Shape:
    """The order of a result of ``shape``, given each operand's strides (0 where it is broadcast).

    Dimensions are sorted by the strides of the first operand that tells two of them apart. A stride of 0 does not; of
    equal strides the smaller dimension is the faster one. This is the sorting of torch's TensorIterator.

    >>> order_of((2, 3), (1, 2)), order_of((2, 3), (0, 1), (1, 2))
    ((1, 0), (1, 0))
    """
    order = list(range(len(shape)))[::-1]  # from the fastest to the slowest
    for index in range(1, len(order)):
        place = index
        for below in range(index - 1, -1, -1):
            comparison = _compare(order[below], order[place], shape, operands)
            if comparison < 0:
                break
            if comparison > 0:
                order[below], order[place] = order[place], order[below]
                place = below
    return tuple(reversed(order))


def _compare(first: int, second: int, shape: Shape, operands: tuple[Shape, ...]) -> int:
    """Above 0 if ``first`` is the slower dimension, below 0 if it is the faster one, 0 if nothing tells."""
    for strides in operands:
        if strides[first] and strides[second]:
            if strides[first] != strides[second]:
                return strides[first] - strides[second]
            if shape[first] > shape[second]:
                return 1
    return 0


def is_dense(array: Array) -> bool:
    """Whether the elements fill a stretch of memory without gaps, each in a place of its own, in whatever order."""
    return bool(array.flags.c_contiguous) or _fills(array.shape, array.strides, array.dtype.itemsize)


@lru_cache(4096)
def _fills(shape: Shape, strides: Shape, itemsize: int) -> bool:
    expected = itemsize
    for stride, size in sorted([(stride, size) for stride, size in zip(strides, shape) if size != 1]):
        if stride != expected:
            return False
        expected *= size
    return True


def is_channels_last(array: Array) -> bool:
    """Whether strides say that a batch of images, or of volumes, has its channels last in memory.

    Gaps are no matter. Where both orders describe the memory (one channel, or one pixel), the strides of the
    dimensions of size 1 decide, and row-major wins if they are equal: torch's ``suggest_memory_format``.
    """
    return array.ndim in CHANNELS_LAST and _has_channels_last(array.shape, array.strides)


@lru_cache(4096)
def _has_channels_last(shape: Shape, strides: Shape) -> bool:
    if 0 in shape or strides[1] == 0:
        return False
    least = 0
    for dim in reversed(CHANNELS_LAST[len(shape)]):
        if strides[dim] < least or (dim == 0 and least == strides[1]):
            return False
        least = strides[dim] * shape[dim]
    return True


def image_order(array: Array) -> Shape:
    """The order of what a layer makes of ``array``: channels last if it has them last, else row-major."""
    return CHANNELS_LAST[array.ndim] if is_channels_last(array) else tuple(range(array.ndim))


def empty_in_order(xp: Any, shape: Shape, dtype: Any, order: Shape) -> Array:
    """Uninitialised memory for an array of ``shape`` that lies in ``order``."""
    if order == _ROW_MAJOR[: len(order)]:
        return xp.empty(shape, dtype)
    made = xp.empty(tuple([shape[dim] for dim in order]), dtype)
    return made.transpose([order.index(dim) for dim in range(len(order))])


def in_order(array: Array, order: Shape) -> Array:
    """``array`` in this order of memory and without gaps: itself if it is, else a copy."""
    if order == _ROW_MAJOR[: len(order)]:
        return array if array.flags.c_contiguous else copy_in_order(array, order)
    if array.transpose(order).flags.c_contiguous:
        return array
    return copy_in_order(array, order)


def copy_in_order(array: Array, order: Shape, dtype: Any = None) -> Array:
    """A copy of ``array`` (in ``dtype``, if that is given) in this order of memory."""
    made = empty_in_order(array_module(array), array.shape, array.dtype if dtype is None else dtype, order)
    made[...] = array
    return made


def as_first(result: Array, first: Any, second: Any = None, third: Any = None) -> Array:
    """``result``, computed element by element from these operands, in the order of the first one.

    NumPy's results are row-major wherever the operands disagree. Only where ``first`` is not row-major is there
    anything to do.
    """
    if first.__class__ is HostArray and first.flags.c_contiguous:  # the usual case, in 60 ns
        return result
    if not hasattr(first, "flags") or first.flags.c_contiguous or result.strides == first.strides:
        return result
    operands = [_strides_in(result.shape, each) for each in (first, second, third) if hasattr(each, "strides")]
    return in_order(result, order_of(result.shape, *operands))


def _strides_in(shape: Shape, operand: Array) -> Shape:
    """The strides of an operand that is broadcast to ``shape``."""
    missing = len(shape) - operand.ndim
    own = [
        0 if size == 1 != wanted else stride
        for size, wanted, stride in zip(operand.shape, shape[missing:], operand.strides)
    ]
    return (0,) * missing + tuple(own)
