"""Tensor's reductions and sorting; the mathematics is in ``ops``, in the files that this one imports."""

from __future__ import annotations

from typing import Any, TypeVar

import minitorch.dtypes as dtypes
from minitorch.autograd.inplace import apply_inplace
from minitorch.autograd.variable import Variable
from minitorch.ops import (
    cumulative,
    extremes,
    histogram,
    logsumexp,
    median,
    norm,
    product,
    reduction,
    sorting,
    statistics,
    truth,
    unique,
)
from minitorch.ops.dims import numpy_names
from minitorch.ops.statistics import UNSET

T = TypeVar("T", bound="ReductionMethods")
DType = dtypes.dtype | None


class ReductionMethods(Variable):
    """``x.sum()`` and its relatives."""

    @numpy_names
    def sum(self: T, dim: Any = None, keepdim: bool = False, *, dtype: DType = None) -> T:
        """See ``minitorch.sum``."""
        return reduction.sum(self, dim, keepdim, dtype=dtype)

    @numpy_names
    def nansum(self: T, dim: Any = None, keepdim: bool = False, *, dtype: DType = None) -> T:
        """See ``minitorch.nansum``."""
        return reduction.nansum(self, dim, keepdim, dtype=dtype)

    @numpy_names
    def mean(self: T, dim: Any = None, keepdim: bool = False, *, dtype: DType = None) -> T:
        """See ``minitorch.mean``."""
        return reduction.mean(self, dim, keepdim, dtype=dtype)

    @numpy_names
    def nanmean(self: T, dim: Any = None, keepdim: bool = False, *, dtype: DType = None) -> T:
        """See ``minitorch.nanmean``."""
        return reduction.nanmean(self, dim, keepdim, dtype=dtype)

    def trace(self: T) -> T:
        """See ``minitorch.trace``."""
        return reduction.trace(self)

    @numpy_names
    def prod(self: T, dim: int | None = None, keepdim: bool = False, *, dtype: DType = None) -> T:
        """See ``minitorch.prod``."""
        return product.prod(self, dim, keepdim, dtype=dtype)

    @numpy_names
    def logsumexp(self: T, dim: Any, keepdim: bool = False) -> T:
        """See ``minitorch.logsumexp``."""
        return logsumexp.logsumexp(self, dim, keepdim)

    @numpy_names
    def all(self: T, dim: Any = None, keepdim: bool = False) -> T:
        """See ``minitorch.all``."""
        return truth.all(self, dim, keepdim)

    @numpy_names
    def any(self: T, dim: Any = None, keepdim: bool = False) -> T:
        """See ``minitorch.any``."""
        return truth.any(self, dim, keepdim)

    @numpy_names
    def count_nonzero(self: T, dim: Any = None) -> T:
        """See ``minitorch.count_nonzero``."""
        return truth.count_nonzero(self, dim)

    # ---- extremes ---------------------------------------------------------------------------

    @numpy_names
    def max(self: T, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """See ``minitorch.max``."""
        return extremes.max(self, dim, keepdim, other=other)

    @numpy_names
    def min(self: T, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """See ``minitorch.min``."""
        return extremes.min(self, dim, keepdim, other=other)

    @numpy_names
    def amax(self: T, dim: Any = (), keepdim: bool = False) -> T:
        """See ``minitorch.amax``."""
        return extremes.amax(self, dim, keepdim)

    @numpy_names
    def amin(self: T, dim: Any = (), keepdim: bool = False) -> T:
        """See ``minitorch.amin``."""
        return extremes.amin(self, dim, keepdim)

    @numpy_names
    def aminmax(self: T, *, dim: int | None = None, keepdim: bool = False) -> Any:
        """See ``minitorch.aminmax``."""
        return extremes.aminmax(self, dim=dim, keepdim=keepdim)

    @numpy_names
    def argmax(self: T, dim: int | None = None, keepdim: bool = False) -> T:
        """See ``minitorch.argmax``."""
        return extremes.argmax(self, dim, keepdim)

    @numpy_names
    def argmin(self: T, dim: int | None = None, keepdim: bool = False) -> T:
        """See ``minitorch.argmin``."""
        return extremes.argmin(self, dim, keepdim)

    # ---- statistics -------------------------------------------------------------------------

    @numpy_names
    def var(
        self: T, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = UNSET
    ) -> T:
        """See ``minitorch.var``."""
        return statistics.var(self, dim, unbiased, keepdim, correction=correction)

    @numpy_names
    def std(
        self: T, dim: Any = None, unbiased: bool | None = None, keepdim: bool = False, *, correction: Any = UNSET
    ) -> T:
        """See ``minitorch.std``."""
        return statistics.std(self, dim, unbiased, keepdim, correction=correction)

    def cov(self: T, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> T:
        """See ``minitorch.cov``."""
        return statistics.cov(self, correction=correction, fweights=fweights, aweights=aweights)

    def corrcoef(self: T) -> T:
        """See ``minitorch.corrcoef``."""
        return statistics.corrcoef(self)

    def bincount(self: T, weights: Any = None, minlength: int = 0) -> T:
        """See ``minitorch.bincount``."""
        return histogram.bincount(self, weights, minlength)

    def histc(self: T, bins: int = 100, min: float = 0, max: float = 0) -> T:
        """See ``minitorch.histc``."""
        return histogram.histc(self, bins, min, max)

    # ---- running results --------------------------------------------------------------------

    @numpy_names
    def cumsum(self: T, dim: int, *, dtype: DType = None) -> T:
        """See ``minitorch.cumsum``."""
        return cumulative.cumsum(self, dim, dtype=dtype)

    @numpy_names
    def cumsum_(self: T, dim: int, *, dtype: DType = None) -> T:
        """``cumsum`` in place."""
        return apply_inplace(self, lambda old: cumulative.cumsum(old, dim, dtype=dtype))

    @numpy_names
    def cumprod(self: T, dim: int, *, dtype: DType = None) -> T:
        """See ``minitorch.cumprod``."""
        return product.cumprod(self, dim, dtype=dtype)

    @numpy_names
    def cumprod_(self: T, dim: int, *, dtype: DType = None) -> T:
        """``cumprod`` in place."""
        return apply_inplace(self, lambda old: product.cumprod(old, dim, dtype=dtype))

    @numpy_names
    def logcumsumexp(self: T, dim: int) -> T:
        """See ``minitorch.logcumsumexp``."""
        return cumulative.logcumsumexp(self, dim)

    @numpy_names
    def cummax(self: T, dim: int) -> Any:
        """See ``minitorch.cummax``."""
        return cumulative.cummax(self, dim)

    @numpy_names
    def cummin(self: T, dim: int) -> Any:
        """See ``minitorch.cummin``."""
        return cumulative.cummin(self, dim)

    @numpy_names
    def diff(self: T, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> T:
        """See ``minitorch.diff``."""
        return cumulative.diff(self, n, dim, prepend, append)

    # ---- order ------------------------------------------------------------------------------

    @numpy_names
    def sort(self: T, dim: int = -1, descending: bool = False, *, stable: bool | None = None) -> Any:
        """See ``minitorch.sort``."""
        return sorting.sort(self, dim, descending, stable=stable)

    @numpy_names
    def argsort(self: T, dim: int = -1, descending: bool = False, *, stable: bool = False) -> T:
        """See ``minitorch.argsort``."""
        return sorting.argsort(self, dim, descending, stable=stable)

    def msort(self: T) -> T:
        """See ``minitorch.msort``."""
        return sorting.msort(self)

    @numpy_names
    def topk(self: T, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
        """See ``minitorch.topk``."""
        return sorting.topk(self, k, dim, largest, sorted)

    @numpy_names
    def kthvalue(self: T, k: int, dim: int = -1, keepdim: bool = False) -> Any:
        """See ``minitorch.kthvalue``."""
        return sorting.kthvalue(self, k, dim, keepdim)

    @numpy_names
    def mode(self: T, dim: int = -1, keepdim: bool = False) -> Any:
        """See ``minitorch.mode``."""
        return sorting.mode(self, dim, keepdim)

    @numpy_names
    def median(self: T, dim: int | None = None, keepdim: bool = False) -> Any:
        """See ``minitorch.median``."""
        return median.median(self, dim, keepdim)

    @numpy_names
    def nanmedian(self: T, dim: int | None = None, keepdim: bool = False) -> Any:
        """See ``minitorch.nanmedian``."""
        return median.nanmedian(self, dim, keepdim)

    @numpy_names
    def quantile(self: T, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear") -> T:
        """See ``minitorch.quantile``."""
        return median.quantile(self, q, dim, keepdim, interpolation=interpolation)

    @numpy_names
    def nanquantile(
        self: T, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
    ) -> T:
        """See ``minitorch.nanquantile``."""
        return median.nanquantile(self, q, dim, keepdim, interpolation=interpolation)

    @numpy_names
    def unique(
        self: T, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """See ``minitorch.unique``."""
        return unique.unique(self, sorted, return_inverse, return_counts, dim)

    @numpy_names
    def unique_consecutive(
        self: T, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
    ) -> Any:
        """See ``minitorch.unique_consecutive``."""
        return unique.unique_consecutive(self, return_inverse, return_counts, dim)

    # ---- norms ------------------------------------------------------------------------------

    @numpy_names
    def norm(self: T, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: DType = None) -> T:
        """See ``minitorch.norm``."""
        return norm.norm(self, p, dim, keepdim, dtype=dtype)

    def dist(self: T, other: Any, p: float = 2) -> T:
        """See ``minitorch.dist``."""
        return norm.dist(self, other, p)

    @numpy_names
    def renorm(self: T, p: float, dim: int, maxnorm: float) -> T:
        """See ``minitorch.renorm``."""
        return norm.renorm(self, p, dim, maxnorm)

    @numpy_names
    def renorm_(self: T, p: float, dim: int, maxnorm: float) -> T:
        """``renorm`` in place."""
        return apply_inplace(self, lambda old: norm.renorm(old, p, dim, maxnorm))
