"""The same elements in another order or repeated: flip, roll, rot90, repeat, tile, repeat_interleave; copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, copy_in_order, image_order, in_order, order_of, row_major
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.dims import normalize_dim, normalize_dims
from minitorch.ops.indexing import Index
from minitorch.ops.reduction import sum as sum_over
from minitorch.ops.shape import expand, reshape, unpack_sizes, unsqueeze


class Flip(Function):
    """Reversed along ``dims``;  so is the gradient."""

    def forward(self, value: Array, *, dims: tuple[int, ...]) -> Array:
        self.dims = dims
        return copy_in_order(array_module(value).flip(value, dims), order_of(value.shape, value.strides))

    def backward(self, grad_output: Any) -> Any:
        return Flip.apply(grad_output, dims=self.dims)


def flip(input: Any, *dims: Any) -> Any:
    """Reversed along each of ``dims``; a copy (torch's strides are never negative).

    >>> import minitorch as torch
    >>> torch.flip(torch.tensor([[1, 2], [3, 4]]), [1])
    tensor([[2, 1],
            [4, 3]])
    """
    return Flip.apply(input, dims=normalize_dims(unpack_sizes(dims), raw(input).ndim))


def fliplr(input: Any) -> Any:
    """Reversed along the second dimension."""
    if raw(input).ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Any) -> Any:
    """Reversed along the first dimension."""
    if raw(input).ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


class Roll(Function):
    """Shifted around;  the gradient is shifted back."""

    def forward(self, value: Array, *, shifts: tuple[int, ...], dims: tuple[int, ...] | None) -> Array:
        self.shifts, self.dims = shifts, dims
        xp = array_module(value)
        if dims is None:
            return row_major(xp.roll(value, shifts[0]))
        return in_order(xp.roll(value, shifts, dims), image_order(value))

    def backward(self, grad_output: Any) -> Any:
        return Roll.apply(grad_output, shifts=tuple([-shift for shift in self.shifts]), dims=self.dims)


def roll(input: Any, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Any:
    """Shifted along ``dims``, what falls off one end coming back at the other; without dims: as a flat tensor.

    Raises: RuntimeError if ``shifts`` and ``dims`` differ in length.

    >>> import minitorch as torch
    >>> torch.roll(torch.tensor([1, 2, 3, 4]), 1)
    tensor([4, 1, 2, 3])
    """
    shifts = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if not shifts:
        raise RuntimeError("`shifts` required")
    given = () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
    if len(given) != len(shifts) and (given or len(shifts) != 1):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(given)}")
    ndim = raw(input).ndim
    wanted = tuple([normalize_dim(dim, ndim) for dim in given]) if given else None
    if ndim == 0 and given:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return Roll.apply(input, shifts=shifts, dims=wanted)


class Rot90(Function):
    """Turned by k quarters;  the gradient is turned back."""

    def forward(self, value: Array, *, k: int, dims: tuple[int, int]) -> Array:
        self.k, self.dims = k, dims
        return array_module(value).rot90(value, k, dims).copy()

    def backward(self, grad_output: Any) -> Any:
        return Rot90.apply(grad_output, k=-self.k, dims=self.dims)


def rot90(input: Any, k: int = 1, dims: Sequence[int] = (0, 1)) -> Any:
    """Turned by ``k`` quarters in the plane of two dimensions, from the first towards the second.

    Raises: RuntimeError unless there are two different dimensions.

    >>> import minitorch as torch
    >>> torch.rot90(torch.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    ndim = raw(input).ndim
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    if dims[0] == dims[1] or abs(dims[0] - dims[1]) == ndim:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    first, second = normalize_dims(tuple(dims), ndim)
    return Rot90.apply(input, k=k % 4, dims=(first, second))


class Repeat(Function):
    """The input tiled;  the gradients of the copies add up."""

    def forward(self, value: Array, *, repeats: tuple[int, ...]) -> Array:
        self.repeats = repeats
        self.padded = (*(1,) * (len(repeats) - value.ndim), *value.shape)
        self.input_shape = value.shape
        return array_module(value).tile(value, repeats)

    def backward(self, grad_output: Any) -> Any:
        interleaved = [size for pair in zip(self.repeats, self.padded) for size in pair]
        copies = reshape(grad_output, interleaved)
        summed = sum_over(copies, tuple(range(0, len(interleaved), 2))) if interleaved else copies
        return reshape(summed, self.input_shape)


def repeat(input: Any, *repeats: Any) -> Any:
    """Tiled ``repeats[i]`` times along dimension i of the result; new dimensions come in front; a copy.

    Gradient: summed over the copies.
    Raises: RuntimeError for fewer repeats than dimensions, and for a negative one.

    >>> import minitorch as torch
    >>> torch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    counts = unpack_sizes(repeats)
    shape = raw(input).shape
    if len(counts) < len(shape):
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    if min(counts, default=0) < 0:
        padded = (*(1,) * (len(counts) - len(shape)), *shape)
        sizes = [size * count for size, count in zip(padded, counts)]
        wrong = min(sizes)
        raise RuntimeError(f"Trying to create tensor with negative dimension {wrong}: {sizes}")
    return Repeat.apply(input, repeats=counts)


def tile(input: Any, *dims: Any) -> Any:
    """``repeat`` that takes fewer counts than dimensions: they belong to the last ones.

    >>> import minitorch as torch
    >>> torch.tile(torch.tensor([[1], [2]]), (2,))
    tensor([[1, 1],
            [2, 2]])
    """
    counts = unpack_sizes(dims)
    return repeat(input, (*(1,) * (raw(input).ndim - len(counts)), *counts))


def repeat_interleave(
    input: Any, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Any:
    """Every slice along ``dim`` (None: every element) repeated ``repeats`` times in place.

    ``repeats`` is one number or a tensor with one for each slice. Called with one tensor of counts alone, it gives
    the indices that repeat so. ``output_size`` saves a GPU from having to count.
    Gradient: summed over the copies.
    Raises: RuntimeError if counts are negative, not integers, or not as many as slices.

    >>> import minitorch as torch
    >>> torch.repeat_interleave(torch.tensor([7, 8]), torch.tensor([1, 3]))
    tensor([7, 8, 8, 8])
    """
    if repeats is None:
        return _wrap_like(input, _spread(raw(input), output_size))
    if dim is None:
        input, dim = reshape(input, (-1,)), 0
    dim = normalize_dim(dim, raw(input).ndim)
    array, counts = raw(input), raw(repeats)
    if getattr(counts, "ndim", 0) > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if getattr(counts, "size", 1) == 1:
        return _repeat_each(input, int(counts) if isinstance(counts, int) else int(counts.reshape(())), dim)
    if counts.size != array.shape[dim]:
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.size} and "
            f"input.size({dim}) = {array.shape[dim]}"
        )
    return Index.apply(input, index=(*(slice(None),) * dim, _spread(counts, output_size)))


def _repeat_each(input: Any, count: int, dim: int) -> Any:
    """Every slice ``count`` times: repeated along a new dimension, which is then merged."""
    if count < 0:
        raise RuntimeError("Repeats must be non-negative")
    shape = raw(input).shape
    before, after = shape[: dim + 1], shape[dim + 1 :]
    repeated = expand(unsqueeze(input, dim + 1), (*before, count, *after))
    return reshape(repeated, (*before[:-1], shape[dim] * count, *after))


def _spread(counts: Array, output_size: int | None) -> Array:
    """0 as often as counts[0] says, 1 as often as counts[1], and so on."""
    if counts.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if counts.dtype not in ("int32", "int64"):
        name = from_numpy_dtype(counts.dtype).legacy_name
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{name}'")
    xp = array_module(counts)
    if output_size is None and bool((counts < 0).any()):
        raise RuntimeError("repeats can not be negative")
    ends = xp.cumsum(counts)
    total = output_size if output_size is not None else int(ends[-1]) if counts.size else 0
    return xp.searchsorted(ends, xp.arange(total), side="right").astype(counts.dtype)


def _wrap_like(input: Any, array: Array) -> Any:
    if not hasattr(input, "alias"):
        return array
    result = input.alias()
    result.array, result.needs_grad, result.node = array, False, None
    return result
