"""How many elements are true, or not zero: all, any, count_nonzero. None of them has a gradient."""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, row_major
from minitorch.ops.dims import array_axis, normalize_dims, numpy_names, reduced_dims
from minitorch.ops.reduction import sum_array


class All(Function):
    """Whether every element over ``dims`` is not zero."""

    def forward(self, input: Array, *, dims: tuple[int, ...], keepdim: bool) -> Array:
        result = self.combine(input != 0, array_axis(dims, input.ndim), keepdim) if dims else input != 0
        result = row_major(result)
        return result.astype(input.dtype) if input.dtype == "uint8" else result

    def combine(self, is_true: Array, axis: Any, keepdim: bool) -> Array:
        return is_true.all(axis=axis, keepdims=keepdim)


class Any_(All):  # noqa: N801 (the name Any is taken)
    """Whether some element over ``dims`` is not zero."""

    def combine(self, is_true: Array, axis: Any, keepdim: bool) -> Array:
        return is_true.any(axis=axis, keepdims=keepdim)


class CountNonzero(Function):
    """How many elements over ``dims`` are not zero."""

    def forward(self, input: Array, *, dims: tuple[int, ...]) -> Array:
        return sum_array(input != 0, dims)


@numpy_names
def all(input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """Whether all elements are true (not zero), or all over ``dim``; true for no elements.

    Shapes: as a reduction; an empty tuple reduces nothing. dtype: bool, but uint8 for uint8.
    Raises: IndexError for a dimension that does not exist; RuntimeError for one named twice, or an ``out`` of
    another dtype than bool or uint8.

    >>> import minitorch as torch
    >>> torch.all(torch.tensor([[1, 0], [2, 3]]), dim=1)
    tensor([False,  True])
    """
    return _truth("all", All, input, dim, keepdim, out)


@numpy_names
def any(input: Any, dim: Any = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """Whether some element is true (not zero), or some over ``dim``; false for no elements.

    Shapes, dtype and errors: as ``all``. nan is not zero, and so true.

    >>> import minitorch as torch
    >>> torch.any(torch.tensor([[1, 0], [0, 0]]), dim=1)
    tensor([ True, False])
    """
    return _truth("any", Any_, input, dim, keepdim, out)


def _truth(name: str, function: type[Function], input: Any, dim: Any, keepdim: bool, out: Any) -> Any:
    if out is not None and raw(out).dtype not in ("bool", "uint8"):
        found = dtypes.dtype_of(raw(out)).legacy_name
        raise RuntimeError(f"{name} only supports bool tensor for result, got: {found}")
    dims = normalize_dims(dim, raw(input).ndim)
    return write_out(function.apply(input, dims=dims, keepdim=keepdim), out)


@numpy_names
def count_nonzero(input: Any, dim: Any = None) -> Any:
    """How many elements are not zero, in all or over ``dim`` (one dimension or several).

    >>> import minitorch as torch
    >>> torch.count_nonzero(torch.tensor([[1.0, 0.0], [2.0, 3.0]]), dim=0)
    tensor([2, 1])
    """
    return CountNonzero.apply(input, dims=reduced_dims(dim, raw(input).ndim))
