"""Running results along a dimension: cumsum, cummax, cummin, logcumsumexp, and their opposite, diff.

NumPy and CuPy have a running sum, but no running maximum. ``scan`` makes one for any associative operation by
doubling: first every element meets its neighbour, then results of two meet the results of the two before, and
so on: ⌈log₂ n⌉ vector steps instead of n.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import minitorch.dtypes as dtypes
from minitorch import return_types
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.primitive import Clone
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, row_major
from minitorch.ops.arithmetic import sub
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.dims import normalize_dim, numpy_names
from minitorch.ops.elementwise import abs, exp, log
from minitorch.ops.joining import cat
from minitorch.ops.operand import require
from minitorch.ops.promotion import to_dtype
from minitorch.ops.rearranging import flip
from minitorch.ops.selection import Choice, along


def part(dim: int, start: int | None, stop: int | None) -> tuple[Any, ...]:
    """The index of start:stop along ``dim``."""
    return (*(slice(None),) * dim, slice(start, stop))


def scan(combine: Callable[[Array, Array], Array], input: Array, dim: int) -> Array:
    """result_i = combine(… combine(input_0, input_1) …, input_i) along ``dim``, for an associative ``combine``.

    (1, 2, 3, 4) → pairs (1, 1+2, 2+3, 3+4) → fours (1, 1+2, 1+(2+3), (1+2)+(3+4)).
    """
    result = input.copy()
    step = 1
    while step < input.shape[dim]:
        result[part(dim, step, None)] = combine(result[part(dim, step, None)], result[part(dim, None, -step)])
        step *= 2
    return result


# ---- sums ------------------------------------------------------------------------------------


class Cumsum(Function):
    """result_i = Σ_{j ≤ i} input_j, or with ``reverse`` Σ_{j ≥ i}: each is the other's gradient."""

    def forward(self, input: Array, *, dim: int, reverse: bool = False) -> Array:
        self.dim, self.reverse = dim, reverse
        if input.ndim == 0:
            return input.copy()
        xp = array_module(input)
        wide = xp.float64 if input.dtype.kind == "f" else xp.int64
        if reverse:
            return row_major(xp.flip(xp.cumsum(xp.flip(input, dim), axis=dim, dtype=wide), dim).astype(input.dtype))
        return row_major(xp.cumsum(input, axis=dim, dtype=wide).astype(input.dtype))

    def backward(self, grad_output: Any) -> Any:
        return Cumsum.apply(grad_output, dim=self.dim, reverse=not self.reverse)


@numpy_names
@autocasts
def cumsum(input: Any, dim: int, *, dtype: dtypes.dtype | None = None, out: Any = None) -> Any:
    """The running sum along ``dim``.

    Formula: result_i = Σ_{j ≤ i} input_j.
    Gradient: the running sum of g from the other end.
    Args: dtype: convert ``input`` to it first; integers and booleans become int64 without it.
    Raises: IndexError for a dimension that does not exist.
    Numerics: summed in float64 and rounded at the end, as torch does on a CPU.

    >>> import minitorch as torch
    >>> torch.cumsum(torch.tensor([1.0, 2.0, 3.0]), 0)
    tensor([1., 3., 6.])
    """
    dim = normalize_dim(dim, raw(input).ndim)
    return write_out(Cumsum.apply(widened(input, dtype), dim=dim), out)


def widened(input: Any, dtype: dtypes.dtype | None) -> Any:
    """``input`` in ``dtype``; without one, integers and booleans in int64, so that running results fit."""
    if dtype is None:
        return input if raw(input).dtype.kind == "f" else to_dtype(input, dtypes.int64)
    return to_dtype(input, dtype)


class Logcumsumexp(Function):
    """y_i = log Σ_{j ≤ i} e^{x_j};  ∂y_i/∂x_j = e^{x_j − y_i} for j ≤ i."""

    def forward(self, input: Array, *, dim: int) -> Array:
        self.dim = dim
        xp = array_module(input)
        if input.ndim == 0 or input.size == 0:
            result = input.copy()
        else:
            wide = input.astype(xp.float64)
            result = scan(xp.logaddexp, wide, dim).astype(input.dtype)
        self.save(input, result)
        return result

    def backward(self, grad_output: Any) -> Any:
        """Σ_i g_i e^{x_j − y_i} = e^{x_j + log Σ_i e^{log g_i − y_i}}, so that nothing overflows on the way.

        A logarithm wants positive numbers: positive and negative g_i are summed apart. The lowest number stands
        for log 0, as −inf − (−inf) would be nan.
        """
        if raw(grad_output).ndim == 0:
            return grad_output
        input, result = self.saved
        size, grad = log(abs(grad_output)), raw(grad_output)
        lowest = float(array_module(grad).finfo(grad.dtype).min)
        from_positive = self._sum_from_end(where(grad > 0, size, lowest) - result)
        from_negative = self._sum_from_end(where(grad < 0, size, lowest) - result)
        return exp(from_positive + input) - exp(from_negative + input)

    def _sum_from_end(self, logarithms: Any) -> Any:
        return flip(Logcumsumexp.apply(flip(logarithms, self.dim), dim=self.dim), self.dim)


@numpy_names
def logcumsumexp(input: Any, dim: int, *, out: Any = None) -> Any:
    """The logarithm of the running sum of exponentials along ``dim``, without overflow.

    Formula: result_i = log Σ_{j ≤ i} e^{input_j}.
    Gradient: Σ_{i ≥ j} g_i · e^{input_j − result_i} for input_j.
    Raises: NotImplementedError for integers; IndexError for a dimension that does not exist.

    >>> import minitorch as torch
    >>> torch.logcumsumexp(torch.tensor([1000.0, 1000.0]), 0)
    tensor([1000.0000, 1000.6932])
    """
    require(input, "f", "logcumsumexp", "logcumsumexp_out_cpu")
    return write_out(Logcumsumexp.apply(input, dim=normalize_dim(dim, raw(input).ndim)), out)


# ---- extremes --------------------------------------------------------------------------------


class Cummax(Choice):
    """(values, indices) of the largest element so far; of equals the last, and a nan stays for good."""

    repeats = True

    def extreme(self, xp: Any) -> Callable[[Array, Array], Array]:
        return xp.maximum

    def choose(self, input: Array, dim: int, **options: Any) -> Array:
        xp = array_module(input)
        best = scan(self.extreme(xp), input, dim)
        is_record = (input == best) | (input != input)
        positions = along(xp.arange(input.shape[dim]), dim, input.ndim)
        return scan(xp.maximum, xp.where(is_record, positions, 0), dim)


class Cummin(Cummax):
    """(values, indices) of the smallest element so far; of equals the last, and a nan stays for good."""

    def extreme(self, xp: Any) -> Callable[[Array, Array], Array]:
        return xp.minimum


@numpy_names
def cummax(input: Any, dim: int, *, out: Any = None) -> Any:
    """(values, indices) of the largest element up to each place along ``dim``.

    Gradient: added up at the elements the indices name.
    Raises: IndexError for a dimension that does not exist.
    Numerics: of equals the last; once there is a nan, everything after it is nan.

    >>> import minitorch as torch
    >>> torch.cummax(torch.tensor([1.0, 3.0, 2.0, 3.0]), 0)
    torch.return_types.cummax(
    values=tensor([1., 3., 3., 3.]),
    indices=tensor([0, 1, 1, 3]))
    """
    pair = Cummax.apply(input, dim=normalize_dim(dim, raw(input).ndim))
    return return_types.cummax(*write_out(pair, out))


@numpy_names
def cummin(input: Any, dim: int, *, out: Any = None) -> Any:
    """(values, indices) of the smallest element up to each place along ``dim``; otherwise as ``cummax``.

    >>> import minitorch as torch
    >>> torch.cummin(torch.tensor([2.0, 3.0, 1.0]), 0).values
    tensor([2., 2., 1.])
    """
    pair = Cummin.apply(input, dim=normalize_dim(dim, raw(input).ndim))
    return return_types.cummin(*write_out(pair, out))


# ---- differences -----------------------------------------------------------------------------


@numpy_names
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None, *, out: Any = None) -> Any:
    """Differences of neighbours along ``dim``, taken ``n`` times; for booleans, whether they differ.

    Formula: result_i = input_{i+1} − input_i.
    Shapes: ``dim`` loses n elements, down to none.
    Args: prepend, append: tensors to put before and after ``input`` first.
    Raises: RuntimeError for n < 0, a 0-d input, or tensors that do not fit.

    >>> import minitorch as torch
    >>> torch.diff(torch.tensor([1, 4, 9, 16]), n=2)
    tensor([2, 2])
    """
    shape = raw(input).shape
    if not shape:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    dim = normalize_dim(dim, len(shape))
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    for extra in (prepend, append):
        if extra is not None:
            _check_extension(shape, raw(extra).shape, dim)
    if n == 0:
        return write_out(Clone.apply(input), out)  # as in torch, without what should be put before and after
    pieces = [piece for piece in (prepend, input, append) if piece is not None]
    result = cat(pieces, dim) if len(pieces) > 1 else input
    for _ in range(min(n, raw(result).shape[dim])):
        after, before = result[part(dim, 1, None)], result[part(dim, None, -1)]
        result = after != before if raw(result).dtype.kind == "b" else sub(after, before)
    return write_out(result, out)


def _check_extension(shape: tuple[int, ...], found: tuple[int, ...], dim: int) -> None:
    if len(found) != len(shape):
        raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    for axis, (size, other) in enumerate(zip(shape, found)):
        if axis != dim and size != other:
            raise RuntimeError(
                "diff expects the shape of tensor to prepend or append to match that of input except along the "
                f"differencing dimension; input.size({axis}) = {size}, but got tensor.size({axis}) = {other}"
            )
