"""Arithmetic on a GPU at the speed of its memory: ``elementwise.cu`` where operands lie alike, else the array module.

Most arithmetic is on floating-point arrays of one shape and layout, or on one and a number. For these there are kernels
of our own. Everything else (broadcasting, other dtypes, arrays with gaps) is computed by Python's operators.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy

from minitorch.backend import accelerator
from minitorch.backend.arrays import Array, memory_object
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import BLOCK, TYPES, blocks_for, runs_kernels
from minitorch.backend.layout import as_first, empty_in_order, in_order, is_dense, order_of

_BYTES_OF_THREAD = 32  # of each operand: two reads of 16 bytes, as in elementwise.cuh
_NUMBERS = (float, int)

# The kernels for two arrays, for an array and a number, and for a number and an array
_NAMES: dict[Callable[[Any, Any], Any], tuple[str, str, str]] = {
    operator.add: ("add", "add_number", "add_number"),
    operator.sub: ("subtract", "subtract_number", "number_subtract"),
    operator.mul: ("multiply", "multiply_number", "multiply_number"),
    operator.truediv: ("divide", "divide_number", "number_divide"),
}
_kernels = KernelFile(Path(__file__).with_suffix(".cu"))


def combined(operation: Callable[[Any, Any], Any], a: Any, b: Any, in_place: bool = False) -> Array:
    """``operation`` (of Python's module ``operator``) on two operands, in the order of the first one.

    ``in_place`` allows the result to take the memory of ``a``; then it is a view of that.
    """
    names = _NAMES[operation]
    if a.__class__ is b.__class__:
        if lie_alike(a, b):
            return launch(_kernels, names[0], (a, b), (), view_for(a, b) if in_place else None)
    elif b.__class__ in _NUMBERS:
        if lie_alike(a):
            return launch(_kernels, names[1], (a,), (float(b),), a[...] if in_place else None)
    elif a.__class__ in _NUMBERS and lie_alike(b):
        return launch(_kernels, names[2], (b,), (float(a),))
    return as_first(operation(a, b), a, b)


def extreme(name: str, a: Array, b: Array) -> Array | None:
    """The ``maximum`` or ``minimum`` of two arrays; None where it is for the array module to compute."""
    return launch(_kernels, name, (a, b)) if a.__class__ is b.__class__ and lie_alike(a, b) else None


def function_of(name: str, x: Array) -> Array:
    """A function of ``elementwise.cu`` of floating-point elements on a GPU, in the order of ``x``."""
    return launch(_kernels, name, (x if is_dense(x) else in_order(x, order_of(x.shape, x.strides)),))


def view_for(first: Array, *others: Array) -> Array | None:
    """Where a result may go that shall take the place of ``first``: a view of it, or None for fresh memory.

    Another operand that is another part of the same memory would be overwritten before it is read.
    """
    for each in others:
        if each is not first and memory_object(each) is memory_object(first):
            return None
    return first[...]


def lie_alike(first: Any, *others: Any) -> bool:
    """Whether kernels can walk through these arrays side by side: floating, on one GPU, in one order without gaps."""
    return runs_kernels(first) and have_one_order(first, *others)


def have_one_order(first: Array, *others: Any) -> bool:
    """``lie_alike`` for an array on which kernels run."""
    is_row_major = bool(first.flags.c_contiguous)
    if not (is_row_major or is_dense(first)):
        return False
    for other in others:
        if other.dtype != first.dtype or other.shape != first.shape:
            return False
        if not (is_row_major and other.flags.c_contiguous) and other.strides != first.strides:
            return False
        if accelerator.device_count() > 1 and other.device != first.device:
            return False
    return True


def launch(
    kernels: KernelFile,
    name: str,
    operands: tuple[Array, ...],
    numbers: tuple[float, ...] = (),
    output: Array | None = None,
) -> Array:
    """Run a kernel of ``elementwise.cuh`` on arrays that ``lie_alike``; returns ``output``.

    Without one, that is a new array in the order of the first.
    """
    first = operands[0]
    if output is None:
        xp = accelerator.require()
        if first.flags.c_contiguous:
            output = xp.empty(first.shape, first.dtype)
        else:
            output = empty_in_order(xp, first.shape, first.dtype, order_of(first.shape, first.strides))
    size = first.size
    grid, settings = _plan(first.dtype.char, size)
    kernels.launch(name, grid, (BLOCK,), (*operands, output, *numbers, size), settings)
    return output


@lru_cache(4096)
def _plan(character: str, size: int) -> tuple[tuple[int], tuple[Any, ...]]:
    """(grid, settings) for so many elements of a dtype."""
    dtype, piece = numpy.dtype(character), BLOCK * _BYTES_OF_THREAD // numpy.dtype(character).itemsize
    index = "int" if size < 2**31 - piece else "long long"  # the last block counts a little further
    return (blocks_for(size, piece),), (("ELEMENT", TYPES[dtype.name]), ("INDEX", index), ("BLOCK", BLOCK))
