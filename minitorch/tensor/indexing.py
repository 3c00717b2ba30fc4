"""Tensor's ``x[…]`` and the methods that pick or replace elements; the mathematics is in ``ops/indexing.py`` …"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from minitorch.autograd.inplace import apply_inplace
from minitorch.autograd.variable import Variable
from minitorch.ops import assignment, index_along, indexing, masking
from minitorch.ops import scatter as scatters

T = TypeVar("T", bound="IndexingMethods")


class IndexingMethods(Variable):
    """``x[0]``, ``x[mask] = 1``, ``x.gather(…)`` and their relatives."""

    def __getitem__(self: T, index: Any) -> T:
        return indexing.getitem(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        assignment.setitem(self, index, value)

    def index_put(self: T, indices: Sequence[Any], values: Any, accumulate: bool = False) -> T:
        """See ``minitorch.index_put``."""
        return assignment.index_put(self, indices, values, accumulate)

    def index_put_(self: T, indices: Sequence[Any], values: Any, accumulate: bool = False) -> T:
        """``index_put`` in place."""
        return apply_inplace(self, lambda old: assignment.index_put(old, indices, values, accumulate))

    # ------------------------------------------------------------------------------- slices along a dimension

    def index_select(self: T, dim: int, index: Any) -> T:
        """See ``minitorch.index_select``."""
        return index_along.index_select(self, dim, index)

    def index_add(self: T, dim: int, index: Any, source: Any, *, alpha: float = 1) -> T:
        """See ``minitorch.index_add``."""
        return index_along.index_add(self, dim, index, source, alpha=alpha)

    def index_add_(self: T, dim: int, index: Any, source: Any, *, alpha: float = 1) -> T:
        """``index_add`` in place."""
        return apply_inplace(self, lambda old: index_along.index_add(old, dim, index, source, alpha=alpha))

    def index_copy(self: T, dim: int, index: Any, source: Any) -> T:
        """See ``minitorch.index_copy``."""
        return index_along.index_copy(self, dim, index, source)

    def index_copy_(self: T, dim: int, index: Any, source: Any) -> T:
        """``index_copy`` in place."""
        return apply_inplace(self, lambda old: index_along.index_copy(old, dim, index, source))

    def index_fill(self: T, dim: int, index: Any, value: Any) -> T:
        """See ``minitorch.index_fill``."""
        return index_along.index_fill(self, dim, index, value)

    def index_fill_(self: T, dim: int, index: Any, value: Any) -> T:
        """``index_fill`` in place."""
        return apply_inplace(self, lambda old: index_along.index_fill(old, dim, index, value))

    def __delitem__(self, index: Any) -> None:
        raise TypeError("Tensor does not support deleting items")

    # ---------------------------------------------------------------------------------- an index an element

    def gather(self: T, dim: int, index: Any, *, sparse_grad: bool = False) -> T:
        """See ``minitorch.gather``."""
        return scatters.gather(self, dim, index, sparse_grad=sparse_grad)

    def scatter(self: T, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> T:
        """See ``minitorch.scatter``."""
        return scatters.scatter(self, dim, index, src, value=value, reduce=reduce)

    def scatter_(self: T, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> T:
        """``scatter`` in place."""
        return apply_inplace(self, lambda old: scatters.scatter(old, dim, index, src, value=value, reduce=reduce))

    def scatter_add(self: T, dim: int, index: Any, src: Any) -> T:
        """See ``minitorch.scatter_add``."""
        return scatters.scatter_add(self, dim, index, src)

    def scatter_add_(self: T, dim: int, index: Any, src: Any) -> T:
        """``scatter_add`` in place."""
        return apply_inplace(self, lambda old: scatters.scatter_add(old, dim, index, src))

    def scatter_reduce(self: T, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> T:
        """See ``minitorch.scatter_reduce``."""
        return scatters.scatter_reduce(self, dim, index, src, reduce, include_self=include_self)

    def scatter_reduce_(self: T, dim: int, index: Any, src: Any, reduce: str, *, include_self: bool = True) -> T:
        """``scatter_reduce`` in place."""
        return apply_inplace(
            self, lambda old: scatters.scatter_reduce(old, dim, index, src, reduce, include_self=include_self)
        )

    def take_along_dim(self: T, indices: Any, dim: int | None = None) -> T:
        """See ``minitorch.take_along_dim``."""
        return scatters.take_along_dim(self, indices, dim)

    # ------------------------------------------------------------------------------- masks and flat numbers

    def masked_fill(self: T, mask: Any, value: Any) -> T:
        """See ``minitorch.masked_fill``."""
        return masking.masked_fill(self, mask, value)

    def masked_fill_(self: T, mask: Any, value: Any) -> T:
        """``masked_fill`` in place."""
        return apply_inplace(self, lambda old: masking.masked_fill(old, mask, value), may_overlap=True)

    def fill_diagonal_(self: T, fill_value: float, wrap: bool = False) -> T:
        """Set the elements whose indices are all equal to ``fill_value``; see ``ops.masking.fill_diagonal``."""
        return apply_inplace(self, lambda old: masking.fill_diagonal(old, fill_value, wrap))

    def masked_select(self: T, mask: Any) -> T:
        """See ``minitorch.masked_select``."""
        return masking.masked_select(self, mask)

    def masked_scatter(self: T, mask: Any, source: Any) -> T:
        """See ``minitorch.masked_scatter``."""
        return masking.masked_scatter(self, mask, source)

    def masked_scatter_(self: T, mask: Any, source: Any) -> T:
        """``masked_scatter`` in place."""
        return apply_inplace(self, lambda old: masking.masked_scatter(old, mask, source))

    def take(self: T, index: Any) -> T:
        """See ``minitorch.take``."""
        return masking.take(self, index)

    def put(self: T, index: Any, source: Any, accumulate: bool = False) -> T:
        """See ``minitorch.put``."""
        return masking.put(self, index, source, accumulate)

    def put_(self: T, index: Any, source: Any, accumulate: bool = False) -> T:
        """``put`` in place."""
        return apply_inplace(self, lambda old: masking.put(old, index, source, accumulate))

    def nonzero(self: T, *, as_tuple: bool = False) -> Any:
        """See ``minitorch.nonzero``."""
        return masking.nonzero(self, as_tuple=as_tuple)

    def argwhere(self: T) -> T:
        """See ``minitorch.argwhere``."""
        return masking.argwhere(self)
