"""Distinct elements: unique, and unique_consecutive, which merges only neighbours.

Once the elements are sorted, equal ones are neighbours too. So both are one step: mark where a new value
starts; the marks give the values, their running count numbers the elements, their distances are the counts.
How many there are is known to the device only: the host has to wait for it.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.ops.dims import normalize_dim, numpy_names


class UniqueConsecutive(Function):
    """(values, number of the value for each element, counts) of runs of equal slices along ``dim``.

    Without ``dim``, of equal elements. No gradient, as in torch.
    """

    def forward(self, input: Array, *, dim: int | None, is_sorted: bool) -> Any:
        xp = array_module(input)
        slices = input.reshape(-1, 1) if dim is None else xp.moveaxis(input, dim, 0)
        count = slices.shape[0]
        rows = slices.reshape(count, slices.size // count if count else 0)
        order = _row_order(xp, rows) if is_sorted else xp.arange(count)
        in_order = rows[order]
        starts = xp.ones(count, bool)
        starts[1:] = (in_order[1:] != in_order[:-1]).any(axis=1)
        (first,) = starts.nonzero()
        numbers = xp.empty(count, xp.int64)
        numbers[order] = xp.cumsum(starts, dtype=xp.int64) - 1
        ends = xp.concatenate([first[1:], xp.full(min(count, 1), count, dtype=first.dtype)])
        values = slices[order[first]]
        if dim is None:
            return values.reshape(-1), numbers.reshape(input.shape), ends - first
        return xp.moveaxis(values, 0, dim).copy(), numbers, ends - first

    def backward(self, *grad_outputs: Any) -> Any:
        raise NotImplementedError("the derivative for 'unique' is not implemented.")


class Unique(UniqueConsecutive):
    """As ``UniqueConsecutive``, in sorted order."""


def _row_order(xp: Any, rows: Array) -> Array:
    """The permutation that sorts rows lexicographically, equal rows in their old order."""
    if rows.shape[1] == 1:
        return xp.argsort(rows[:, 0], kind="stable")
    if rows.size == 0:
        return xp.arange(rows.shape[0])
    keys = rows.astype(xp.int8) if rows.dtype.kind == "b" else rows
    return xp.lexsort(xp.ascontiguousarray(keys.T[::-1]))  # the last key counts most


@numpy_names
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The distinct elements in ascending order, or the distinct slices along ``dim``.

    Shapes: 1-d, or as ``input`` with fewer slices along ``dim``; the inverse has ``input``'s shape, or one
    number a slice.
    Args: sorted: accepted as in torch; the result is always sorted; return_inverse: also the number of the value
    that each element has; return_counts: also how often each value occurs.
    Raises: IndexError for a dimension that does not exist; RuntimeError for slices without elements.
    Numerics: no two nans are equal.

    >>> import minitorch as torch
    >>> torch.unique(torch.tensor([3, 1, 3]), return_inverse=True, return_counts=True)
    (tensor([1, 3]), tensor([1, 0, 1]), tensor([1, 2]))
    """
    return _unique("unique", Unique, input, dim, return_inverse, return_counts, is_sorted=True)


@numpy_names
def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements, or slices along ``dim``, without those that equal the one before; otherwise as ``unique``.

    >>> import minitorch as torch
    >>> torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 1]))
    tensor([1, 2, 1])
    """
    return _unique("unique_consecutive", UniqueConsecutive, input, dim, return_inverse, return_counts, is_sorted=False)


def _unique(
    name: str, function: type[Function], input: Any, dim: Any, with_inverse: bool, with_counts: bool, is_sorted: bool
) -> Any:
    shape = raw(input).shape
    if dim is not None:
        dim = _slice_dim(name, shape, dim)
    values, inverse, counts = function.apply(input, dim=dim, is_sorted=is_sorted)
    if not (with_inverse or with_counts):
        return values
    return (values, *((inverse,) if with_inverse else ()), *((counts,) if with_counts else ()))


def _slice_dim(name: str, shape: tuple[int, ...], dim: int) -> int:
    if not shape:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    dim = normalize_dim(dim, len(shape))
    if 0 in (*shape[:dim], *shape[dim + 1 :]):
        raise RuntimeError(f"There are 0 sized dimensions, and they aren't selected, so {name} cannot be applied")
    return dim
