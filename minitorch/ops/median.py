"""The middle and its relatives: median, nanmedian, quantile, nanquantile. All sort first."""

from __future__ import annotations

from typing import Any

from minitorch import return_types
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, is_on_cpu
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import where
from minitorch.ops.dims import normalize_dim, numpy_names
from minitorch.ops.extremes import MaxOfAll
from minitorch.ops.operand import require
from minitorch.ops.permutation import movedim
from minitorch.ops.selection import Choice, Take, size_along, stable_order
from minitorch.ops.shape import reshape
from minitorch.ops.sorting import sort

# ---- median ----------------------------------------------------------------------------------


class Median(Choice):
    """(values, indices) of the lower middle element along ``dim``; of the first nan if there is one."""

    backward_name = "MedianBackward1"
    ignores_nan = False

    def choose(self, input: Array, dim: int, **options: Any) -> Array:
        xp = array_module(input)
        order = stable_order(input, dim)  # nans are last in it, the first nan before the others
        count = (input == input).sum(axis=dim, keepdims=True, dtype=xp.int64)
        size = input.shape[dim]
        if self.ignores_nan:
            middle = xp.maximum(count - 1, 0) // 2
        else:
            middle = xp.where(count < size, count, (size - 1) // 2)
        return xp.take_along_axis(order, middle, axis=dim)


class Nanmedian(Median):
    """(values, indices) of the lower middle of what is not nan along ``dim``."""

    backward_name = "NanmedianBackward1"
    ignores_nan = True


class MedianOfAll(MaxOfAll):
    """The lower middle of all elements;  all elements equal to it share its gradient evenly."""

    backward_name = "MedianBackward0"
    along = Median

    def extreme(self, input: Array, axis: Any, keepdim: bool) -> Array:
        if input.size == 0:
            return array_module(input).full((), float("nan")).astype(input.dtype)
        flat = input.reshape(-1)
        return flat[self.along().choose(flat, 0)].reshape(())


class NanmedianOfAll(MedianOfAll):
    """The lower middle of all elements that are not nan."""

    backward_name = "NanmedianBackward0"
    along = Nanmedian


@numpy_names
def median(input: Any, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The middle element: ``median(input)``; (values, indices): ``median(input, dim)``.

    Of an even number of elements the lower of the two in the middle.
    Gradient: of ``median(input)``, shared evenly among equals; along ``dim``, all to the element at the index.
    Raises: IndexError if ``dim`` has no elements or does not exist; NotImplementedError for bool.
    Numerics: nan if there is a nan; of equals the index is the one in the order of ``sort`` (torch leaves it
    open).

    >>> import minitorch as torch
    >>> torch.median(torch.tensor([3.0, 1.0, 2.0, 4.0]))
    tensor(2.)
    """
    return _median("median", (MedianOfAll, Median, return_types.median), input, dim, keepdim, out)


@numpy_names
def nanmedian(input: Any, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The middle of the elements that are not nan; otherwise as ``median``.

    >>> import minitorch as torch
    >>> torch.nanmedian(torch.tensor([float("nan"), 1.0, 2.0, 3.0]))
    tensor(2.)
    """
    return _median("nanmedian", (NanmedianOfAll, Nanmedian, return_types.nanmedian), input, dim, keepdim, out)


def _median(name: str, kinds: Any, input: Any, dim: int | None, keepdim: bool, out: Any) -> Any:
    of_all, along, result_type = kinds
    require(input, "iuf", name, "median_cpu")
    ndim = raw(input).ndim
    if dim is None:
        return write_out(of_all.apply(input, dims=tuple(range(ndim))), out)
    dim = normalize_dim(dim, ndim)
    if size_along(input, dim) == 0:
        raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")
    return result_type(*write_out(along.apply(input, dim=dim, keepdim=keepdim), out))


# ---- quantiles -------------------------------------------------------------------------------

_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


@numpy_names
@autocasts
def quantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> Any:
    """The value below which a share ``q`` of the elements lies: of all elements, or along ``dim``.

    Formula: with the elements sorted, the one at position q · (n − 1); between two positions, interpolated.
    Shapes: that of ``q`` (a number or 1-d) comes first, then that of the reduction.
    Gradient: goes to the two neighbours by their weights in the interpolation.
    Args: q: in [0, 1]; interpolation: linear, lower, higher, midpoint or nearest.
    Raises: RuntimeError for a dtype other than float32 and float64, no elements, an unsuitable q, or another
    interpolation; IndexError for a dimension that does not exist.
    Numerics: nan where an element is nan.

    >>> import minitorch as torch
    >>> torch.quantile(torch.tensor([0.0, 1.0, 2.0, 4.0]), torch.tensor([0.5, 0.75]))
    tensor([1.5000, 2.5000])
    """
    return write_out(_quantile("quantile", input, q, dim, keepdim, interpolation, False), out)


@numpy_names
@autocasts
def nanquantile(
    input: Any,
    q: Any,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
    out: Any = None,
) -> Any:
    """The quantile of the elements that are not nan; otherwise as ``quantile``.

    >>> import minitorch as torch
    >>> torch.nanquantile(torch.tensor([float("nan"), 1.0, 3.0]), 0.5)
    tensor(2.)
    """
    return write_out(_quantile("nanquantile", input, q, dim, keepdim, interpolation, True), out)


def _quantile(
    name: str, input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Any:
    array = raw(input)
    shares = _check_quantile(name, array, raw(q), interpolation)
    axis = None if dim is None else normalize_dim(dim, array.ndim)
    lines = reshape(input, (-1,)) if axis is None or not array.ndim else movedim(input, axis, -1)
    ordered = sort(lines, -1).values
    positions = _quantile_positions(raw(ordered), shares.reshape(-1), ignore_nan)
    found = movedim(_interpolate(ordered, positions, interpolation), -1, 0)  # the quantiles come first
    kept = _kept_shape(array.shape, axis) if keepdim else tuple(raw(found).shape[1:])
    return reshape(found, (*shares.shape, *kept))


def _kept_shape(shape: tuple[int, ...], axis: int | None) -> tuple[int, ...]:
    return tuple([1 if axis in (None, dim) else size for dim, size in enumerate(shape)])


def _check_quantile(name: str, array: Array, q: Any, interpolation: str) -> Array:
    """``q`` as an array of the input's dtype, on its device; torch's error for anything unsuitable."""
    if array.size == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if array.dtype not in ("float32", "float64"):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if not hasattr(q, "dtype"):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q:g}")
        return array_module(array).full((), q, dtype=array.dtype)
    if q.ndim > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if q.dtype != array.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if array.__class__ is not q.__class__:
        raise RuntimeError(f"{name}() q tensor must be on the same device as the input tensor")
    if is_on_cpu(q) and not ((q >= 0) & (q <= 1)).all():  # a GPU would have to be waited for
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    return q


def _quantile_positions(ordered: Array, shares: Array, ignore_nan: bool) -> Array:
    """The position of each quantile in each sorted line, as a fraction; shape (…, number of quantiles)."""
    xp, size = array_module(ordered), ordered.shape[-1]
    count = (ordered == ordered).sum(axis=-1, keepdims=True, dtype=ordered.dtype)
    if ignore_nan:
        return shares * xp.maximum(count - 1, 0)
    return xp.where(count == size, shares * (size - 1), ordered.dtype.type(size - 1))  # a nan is the last one


def _interpolate(ordered: Any, positions: Array, interpolation: str) -> Any:
    """The elements of each sorted line at these positions, which may lie between two elements."""
    xp, last = array_module(positions), raw(ordered).ndim - 1
    if interpolation == "nearest":
        positions = xp.rint(positions)
    below, above = xp.floor(positions), xp.ceil(positions)
    chosen = above if interpolation == "higher" else below
    low = Take.apply(ordered, indices=chosen.astype(xp.int64), dim=last)
    if interpolation in ("lower", "higher", "nearest"):
        return low
    weight = xp.full_like(positions, 0.5) if interpolation == "midpoint" else positions - below
    high = Take.apply(ordered, indices=above.astype(xp.int64), dim=last)
    # from the nearer end, so that equal neighbours and whole positions come out exact
    from_low = low + (high - low) * weight
    from_high = high - (high - low) * (1 - weight)
    return where(weight < 0.5, from_low, from_high)
