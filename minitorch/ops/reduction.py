"""Sums and their relatives over some dimensions or all: sum, mean, nansum, nanmean, trace.

A reduction gathers many elements into one, so its gradient *spreads* one value back over the many:
``Spread`` and ``Sum`` are each other's gradient.
"""

from __future__ import annotations

import math
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, is_on_cpu, row_major
from minitorch.backend.reduction import sum_axes
from minitorch.ops.autocast import autocasts
from minitorch.ops.diagonal import EmbedDiagonal
from minitorch.ops.dims import array_axis, kept_shape, numpy_names, reduced_dims
from minitorch.ops.operand import require
from minitorch.ops.promotion import to_dtype

_ROWS = 128  # in a block; so many rounding errors add up before blocks are summed


def sum_array(input: Array, dims: tuple[int, ...], keepdim: bool = False) -> Array:
    """The raw sum: integers and booleans in int64, float16 with a float32 accumulator."""
    if not is_on_cpu(input) and (total := sum_axes(input, dims, keepdim)) is not None:
        return total
    return row_major(_sum(input, array_axis(dims, input.ndim), keepdim))


def _sum(input: Array, axis: Any, keepdim: bool) -> Array:
    xp = array_module(input)
    if input.dtype.kind != "f":
        return input.sum(axis=axis, dtype=xp.int64, keepdims=keepdim)
    if input.dtype == xp.float16:
        return input.sum(axis=axis, dtype=xp.float32, keepdims=keepdim).astype(xp.float16)
    if axis == (0,) and input.shape[0] > 2 * _ROWS and is_on_cpu(input):
        total = _sum_rows_in_blocks(input)
        return total[None] if keepdim else total
    return input.sum(axis=axis, keepdims=keepdim)


def _sum_rows_in_blocks(input: Array) -> Array:
    """The sum over the first dimension, block by block.

    Along the last dimension NumPy adds in pairs, so that the rounding error grows with log n. Along the first it
    adds one row after another, and the error grows with n: blocks keep it small.
    """
    whole = input.shape[0] // _ROWS * _ROWS
    blocks = input[:whole].reshape(-1, _ROWS, *input.shape[1:])
    return sum_array(blocks.sum(axis=1), (0,)) + input[whole:].sum(axis=0)


class Sum(Function):
    """Σ input over ``dims``;  each element's gradient is that of its sum."""

    def forward(self, input: Array, *, dims: tuple[int, ...], keepdim: bool = False) -> Array:
        self.input_shape, self.dims = input.shape, dims
        if keepdim or len(dims) < input.ndim:
            self.backward_name = "SumBackward1"  # torch's name for a sum over chosen dimensions
        return sum_array(input, dims, keepdim)

    def backward(self, grad_output: Any) -> Any:
        return Spread.apply(grad_output, shape=self.input_shape, dims=self.dims)


class Spread(Function):
    """Repeat a reduction's result (with or without its sizes of 1) to ``shape``: the gradient of ``Sum``."""

    backward_name = "ExpandBackward0"

    def forward(self, value: Array, *, shape: tuple[int, ...], dims: tuple[int, ...]) -> Array:
        self.dims, self.keepdim = dims, value.ndim == len(shape)
        return array_module(value).broadcast_to(value.reshape(kept_shape(shape, dims)), shape)

    def backward(self, grad_output: Any) -> Any:
        return Sum.apply(grad_output, dims=self.dims, keepdim=self.keepdim)


def count_reduced(shape: tuple[int, ...], dims: tuple[int, ...]) -> int:
    """How many elements meet in each element of the result."""
    return math.prod([shape[dim] for dim in dims])


@numpy_names
@autocasts
def sum(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None, out: Any = None
) -> Any:
    """The sum of all elements, or over ``dim``.

    Formula: output = Σ input over ``dim``; 0 for no elements.
    Shapes: ``dim`` is dropped, or kept as size 1 with ``keepdim``.
    Gradient: every element gets the gradient of its sum.
    Args: dim: None or () for all, an integer, or several; dtype: convert ``input`` to it first.
    Raises: IndexError for a dimension that does not exist; RuntimeError for one that is named twice.
    Numerics: integers and booleans are summed in int64; float16 in float32, rounded once at the end.

    >>> import minitorch as torch
    >>> torch.sum(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    dims = reduced_dims(dim, raw(input).ndim)
    if dtype is None:
        return write_out(Sum.apply(input, dims=dims, keepdim=keepdim), out)
    result = Sum.apply(to_dtype(input, dtype), dims=dims, keepdim=keepdim)
    return write_out(to_dtype(result, dtype), out)


class Mean(Function):
    """Σ input / n over ``dims``;  each element's gradient is that of its mean, divided by n."""

    def forward(self, input: Array, *, dims: tuple[int, ...], keepdim: bool = False) -> Array:
        self.input_shape, self.dims = input.shape, dims
        self.count = count_reduced(input.shape, dims)
        if keepdim or len(dims) < input.ndim:
            self.backward_name = "MeanBackward1"
        xp = array_module(input)
        if not is_on_cpu(input) and (mean := sum_axes(input, dims, keepdim, 1 / max(self.count, 1))) is not None:
            return mean
        if input.dtype == xp.float16:
            axis = array_axis(dims, input.ndim)
            total = row_major(input.sum(axis=axis, dtype=xp.float32, keepdims=keepdim))
            return (total / self.count).astype(xp.float16)
        return sum_array(input, dims, keepdim) / self.count

    def backward(self, grad_output: Any) -> Any:
        count = self.count or 1  # of no elements, none gets a gradient
        return Spread.apply(grad_output / count, shape=self.input_shape, dims=self.dims)


@numpy_names
def mean(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None, out: Any = None
) -> Any:
    """The average of all elements, or over ``dim``.

    Formula: output = Σ input / n over ``dim``; nan for no elements.
    Shapes: ``dim`` is dropped, or kept as size 1 with ``keepdim``.
    Gradient: g / n for every element.
    Args: dim: None or () for all, an integer, or several; dtype: convert ``input`` to it first.
    Raises: RuntimeError if ``input`` (or ``dtype``) is not floating point; IndexError and RuntimeError as ``sum``.

    >>> import minitorch as torch
    >>> torch.mean(torch.tensor([[1.0, 2.0], [3.0, 5.0]]), dim=1)
    tensor([1.5000, 4.0000])
    """
    input = _floating_input("mean", input, dtype)
    return write_out(Mean.apply(input, dims=reduced_dims(dim, raw(input).ndim), keepdim=keepdim), out)


def _floating_input(name: str, input: Any, dtype: dtypes.dtype | None) -> Any:
    """``input`` in ``dtype``, which must be a floating-point one (``input``'s own if it is None)."""
    if dtype is None and raw(input).dtype.kind == "f":
        return input
    if dtype is not None and dtype.is_floating_point:
        return to_dtype(input, dtype)
    which, found = ("Input", dtypes.dtype_of(raw(input))) if dtype is None else ("Optional", dtype)
    raise RuntimeError(
        f"{name}(): could not infer output dtype. {which} dtype must be either a floating point or complex dtype. "
        f"Got: {found.legacy_name}"
    )


class Nansum(Function):
    """Σ of what is not nan over ``dims``;  a nan has gradient g · 0, every other element g."""

    def forward(self, input: Array, *, dims: tuple[int, ...], keepdim: bool = False) -> Array:
        self.dims = dims
        self.save(input)
        return sum_array(array_module(input).where(input == input, input, input.dtype.type(0)), dims, keepdim)

    def backward(self, grad_output: Any) -> Any:
        input = raw(self.saved[0])
        return Spread.apply(grad_output, shape=input.shape, dims=self.dims) * (input == input)


@numpy_names
def nansum(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None, out: Any = None
) -> Any:
    """The sum of what is not nan: of all elements, or over ``dim``.

    Gradient: g for every element that is not nan, 0 for the others.
    Args and errors: as ``sum``.

    >>> import minitorch as torch
    >>> torch.nansum(torch.tensor([1.0, float("nan"), 2.0]))
    tensor(3.)
    """
    if raw(input).dtype.kind != "f":
        return sum(input, dim, keepdim, dtype=dtype, out=out)
    input = input if dtype is None else to_dtype(input, dtype)
    return write_out(Nansum.apply(input, dims=reduced_dims(dim, raw(input).ndim), keepdim=keepdim), out)


@numpy_names
def nanmean(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: dtypes.dtype | None = None, out: Any = None
) -> Any:
    """The average of what is not nan: of all elements, or over ``dim``; nan where nothing is left.

    Gradient: g / (number of elements that are not nan) for each of these, 0 for the others.
    Raises: RuntimeError if ``input`` is not floating point.

    >>> import minitorch as torch
    >>> torch.nanmean(torch.tensor([1.0, float("nan"), 2.0]))
    tensor(1.5000)
    """
    array = raw(input)
    if array.dtype.kind != "f":
        found = dtypes.from_numpy_dtype(array.dtype).legacy_name
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got {found}")
    total = nansum(input, dim, keepdim, dtype=dtype)
    count = sum_array(array == array, reduced_dims(dim, array.ndim), keepdim)
    return write_out(total / count.astype(raw(total).dtype), out)


class Trace(Function):
    """Σ_i x_ii;  the gradient lies on the diagonal."""

    def forward(self, input: Array) -> Array:
        self.input_shape = input.shape
        diagonal = input.diagonal()
        self.size = diagonal.size
        return sum_array(diagonal, (0,))

    def backward(self, grad_output: Any) -> Any:
        spread = Spread.apply(grad_output, shape=(self.size,), dims=(0,))
        return EmbedDiagonal.apply(spread, shape=self.input_shape, offset=0, dim1=0, dim2=1)


@autocasts
def trace(input: Any) -> Any:
    """The sum of a matrix's diagonal.

    Raises: RuntimeError unless ``input`` has two dimensions; NotImplementedError for bool.

    >>> import minitorch as torch
    >>> torch.trace(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if raw(input).ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {raw(input).ndim}")
    require(input, "iuf", "trace", "trace")
    return Trace.apply(input)
