"""Order along a dimension: sort, argsort, msort, topk, kthvalue, mode.

All are stable: of equal elements the one that comes first in the input comes first. nan counts as the largest.
"""

from __future__ import annotations

from typing import Any

from minitorch import return_types
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.ops.cumulative import part, scan
from minitorch.ops.dims import normalize_dim, numpy_names
from minitorch.ops.selection import Choice, along, size_along, stable_order


class Sort(Choice):
    """(values, indices) in order along ``dim``."""

    def choose(self, input: Array, dim: int, **options: Any) -> Array:
        if options["name"] is not None:
            self.backward_name = options["name"]
        return stable_order(input, dim, options["descending"])


class Topk(Choice):
    """(values, indices) of the first ``k`` in order along ``dim``."""

    def choose(self, input: Array, dim: int, **options: Any) -> Array:
        order = stable_order(input, dim, options["largest"])
        return order[part(dim, None, options["k"])]


class Kthvalue(Choice):
    """(values, indices) of the ``k``-th smallest along ``dim``, counted from 1."""

    def choose(self, input: Array, dim: int, **options: Any) -> Array:
        k = options["k"]
        return stable_order(input, dim)[part(dim, k - 1, k)]


class Mode(Choice):
    """(values, indices) of the most frequent element along ``dim``; of equally frequent ones the smallest."""

    def choose(self, input: Array, dim: int, **options: Any) -> Array:
        """Sorted, equals are neighbours: find the first longest run, and the last element in it."""
        xp = array_module(input)
        order = stable_order(input, dim)
        values = xp.take_along_axis(input, order, axis=dim)
        starts_run = xp.ones(input.shape, bool)
        starts_run[part(dim, 1, None)] = values[part(dim, 1, None)] != values[part(dim, None, -1)]
        positions = along(xp.arange(input.shape[dim]), dim, input.ndim)
        run_start = scan(xp.maximum, xp.where(starts_run, positions, 0), dim)
        longest = (positions - run_start).argmax(axis=dim)
        return xp.take_along_axis(order, xp.expand_dims(longest, dim), axis=dim)


@numpy_names
def sort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool | None = None, out: Any = None) -> Any:
    """(values, indices) in ascending order along ``dim``, or in descending order.

    Gradient: g goes back to the places the values came from.
    Args: stable: accepted as in torch; the order of equals is always kept.
    Raises: IndexError for a dimension that does not exist.
    Numerics: nan comes last, and first in descending order.

    >>> import minitorch as torch
    >>> torch.sort(torch.tensor([3.0, 1.0, 2.0]))
    torch.return_types.sort(
    values=tensor([1., 2., 3.]),
    indices=tensor([1, 2, 0]))
    """
    dim = normalize_dim(dim, raw(input).ndim)
    name = None if stable is None else "SortBackward1"
    return return_types.sort(*write_out(Sort.apply(input, dim=dim, descending=descending, name=name), out))


@numpy_names
def argsort(input: Any, dim: int = -1, descending: bool = False, *, stable: bool = False, out: Any = None) -> Any:
    """The indices that ``sort`` returns.

    >>> import minitorch as torch
    >>> torch.argsort(torch.tensor([3.0, 1.0, 2.0]), descending=True)
    tensor([0, 2, 1])
    """
    return write_out(sort(input, dim, descending).indices, out)


def msort(input: Any, *, out: Any = None) -> Any:
    """The values in ascending order along the first dimension.

    >>> import minitorch as torch
    >>> torch.msort(torch.tensor([[3, 1], [2, 4]]))
    tensor([[2, 1],
            [3, 4]])
    """
    return write_out(sort(input, 0).values, out)


@numpy_names
def topk(input: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True, *, out: Any = None) -> Any:
    """(values, indices) of the ``k`` largest elements along ``dim``, or the smallest.

    Gradient: g goes back to the places the values came from.
    Args: sorted: accepted as in torch; the result is always sorted, best first.
    Raises: RuntimeError for a ``k`` out of range or a bool input; IndexError for a dimension that does not exist.
    Numerics: of equals the first (torch leaves it open); nan counts as the largest.

    >>> import minitorch as torch
    >>> torch.topk(torch.tensor([1.0, 4.0, 2.0, 3.0]), 2)
    torch.return_types.topk(
    values=tensor([4., 3.]),
    indices=tensor([1, 3]))
    """
    dim = normalize_dim(dim, raw(input).ndim)
    if not 0 <= k <= size_along(input, dim):
        raise RuntimeError("selected index k out of range")
    if raw(input).dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes")
    k = k if raw(input).ndim else 1  # of a 0-d tensor torch gives the element, also for k = 0
    return return_types.topk(*write_out(Topk.apply(input, dim=dim, k=k, largest=largest), out))


@numpy_names
def kthvalue(input: Any, k: int, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> Any:
    """(values, indices) of the ``k``-th smallest element along ``dim``; ``k`` counts from 1.

    Gradient: g goes to the chosen element.
    Raises: RuntimeError for a ``k`` out of range; IndexError for a dimension that does not exist.
    Numerics: of equals the order of ``sort`` decides (torch leaves it open); nan counts as the largest.

    >>> import minitorch as torch
    >>> torch.kthvalue(torch.tensor([4.0, 1.0, 3.0]), 2)
    torch.return_types.kthvalue(
    values=tensor(3.),
    indices=tensor(2))
    """
    dim = normalize_dim(dim, raw(input).ndim)
    if not 1 <= k <= size_along(input, dim):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {dim}")
    return return_types.kthvalue(*write_out(Kthvalue.apply(input, dim=dim, keepdim=keepdim, k=k), out))


@numpy_names
def mode(input: Any, dim: int = -1, keepdim: bool = False, *, out: Any = None) -> Any:
    """(values, indices) of the most frequent element along ``dim``.

    Gradient: g goes to the element at the index.
    Raises: IndexError if ``dim`` has no elements or does not exist.
    Numerics: of equally frequent values the smallest; its index is that of the last occurrence.

    >>> import minitorch as torch
    >>> torch.mode(torch.tensor([3, 1, 3, 1, 2]))
    torch.return_types.mode(
    values=tensor(1),
    indices=tensor(3))
    """
    dim = normalize_dim(dim, raw(input).ndim)
    if size_along(input, dim) == 0:
        raise IndexError(f"mode(): Expected reduction dim {dim} to have non-zero size.")
    return return_types.mode(*write_out(Mode.apply(input, dim=dim, keepdim=keepdim), out))
