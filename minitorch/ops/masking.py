"""Elements chosen by a mask or by their number in the flattened tensor: masked_*, take, put, nonzero."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function, check_broadcastable
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import Variable, raw, wrap
from minitorch.backend import Array, array_module, device_of, is_on_cpu, row_major, to_device
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.assignment import IndexPut
from minitorch.ops.index_along import as_fill_value, index_outside
from minitorch.ops.indexing import AddPicked, Index
from minitorch.ops.shape import broadcast_shapes, expand, reshape
from minitorch.ops.transfer import move


class MaskedFill(Function):
    """``value`` where ``mask``, else the input;  the gradient is shared out likewise."""

    def forward(self, input: Array, value: Any, *, mask: Array) -> Array:
        self.mask = mask
        xp = array_module(input)
        value = value.astype(input.dtype) if hasattr(value, "dtype") else input.dtype.type(value)
        return row_major(xp.where(mask, value, input))

    def backward(self, grad_output: Any) -> Any:
        needs_input, needs_value = self.needs_input_grad[:2]
        grad_input = MaskedFill.apply(grad_output, 0, mask=self.mask) if needs_input else None
        return grad_input, (MaskedFill.apply(grad_output, 0, mask=~self.mask) if needs_value else None)


class MaskedSelect(Index):
    """``masked_select``: as ``Index``, under torch's name for it."""


class MaskedScatter(Function):
    """The next element of the flat ``source`` where ``mask``, else the input.

    A running sum of the mask numbers its true elements, so that nobody has to wait for how many there are.
    """

    def forward(self, input: Array, source: Array, *, mask: Array) -> Array:
        self.mask, self.source_size = mask, source.size
        xp = array_module(input)
        self.number = xp.clip(mask.reshape(-1).cumsum() - 1, 0, max(source.size - 1, 0)).reshape(mask.shape)
        return row_major(xp.where(mask, source[self.number], input)) if source.size else input.copy()

    def backward(self, grad_output: Any) -> Any:
        needs_input, needs_source = self.needs_input_grad[:2]
        grad_input = MaskedFill.apply(grad_output, 0, mask=self.mask) if needs_input else None
        if not needs_source:
            return grad_input, None
        chosen = MaskedFill.apply(grad_output, 0, mask=~self.mask)
        return grad_input, AddPicked.apply(chosen, index=(self.number,), shape=(self.source_size,))


class Take(Index):
    """``take``: as ``Index``, under torch's name for it."""


class Put(IndexPut):
    """``put``: as ``IndexPut``, under torch's name for it."""


def _mask_for(input: Any, mask: Any) -> Array:
    """The mask as an array on the input's device, after checking that the two broadcast."""
    check_broadcastable(raw(mask).shape, raw(input).shape)
    return to_device(raw(mask), device_of(raw(input)))


def masked_fill(input: Any, mask: Any, value: Any) -> Any:
    """A copy of ``input`` with ``value``, a number or a 0-d tensor, where ``mask`` is true; the two broadcast.

    Gradient: zero under the mask; ``value`` gets the sum of the gradients there.
    Raises: RuntimeError if the mask is not boolean or does not broadcast, or if ``value`` has dimensions.

    >>> import minitorch as torch
    >>> torch.masked_fill(torch.tensor([1.0, 2.0]), torch.tensor([True, False]), 9)
    tensor([9., 2.])
    """
    if raw(mask).dtype != "bool":
        names = {"int64": "long int", "int32": "int", "int16": "short int", "int8": "signed char"}
        found = raw(mask).dtype.name
        names |= {"uint8": "unsigned char", "float64": "double", "float32": "float", "float16": "c10::Half"}
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {names[found]}")
    value = as_fill_value(input, value, "masked_fill_")
    mask = _mask_for(input, mask)
    if isinstance(value, Variable):
        value = move(value, device_of(raw(input)))
    return MaskedFill.apply(input, value, mask=mask)


class FillDiagonal(MaskedFill):
    """``fill_diagonal``: as ``MaskedFill``, under torch's name for it."""


def fill_diagonal(input: Any, fill_value: float, wrap: bool = False) -> Any:
    """A copy of ``input`` with ``fill_value`` where all indices are equal.

    Args: wrap: in a matrix with more rows than columns, start again one row below the end of the diagonal.
    Raises: RuntimeError for less than two dimensions, or more than two of unlike sizes.
    """
    array = raw(input)
    if array.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if array.ndim > 2 and len(set(array.shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    width = array.shape[-1]
    mask = array_module(array).zeros(array.size, bool)
    end = array.size if wrap or array.ndim > 2 else width * width
    mask[: end : sum(width**dim for dim in range(array.ndim))] = True
    return FillDiagonal.apply(input, fill_value, mask=mask.reshape(array.shape))


def masked_select(input: Any, mask: Any, *, out: Any = None) -> Any:
    """The elements where ``mask`` is true, in row-major order, in one dimension; input and mask broadcast.

    Gradient: goes back to those elements.
    Raises: RuntimeError if the mask is not boolean or does not broadcast.

    >>> import minitorch as torch
    >>> torch.masked_select(torch.tensor([1, 2, 3]), torch.tensor([True, False, True]))
    tensor([1, 3])
    """
    if raw(mask).dtype != "bool":
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    mask = _mask_for(input, mask)
    shape = broadcast_shapes(mask.shape, raw(input).shape) or (1,)
    index = array_module(mask).nonzero(expand(mask, shape))
    return write_out(MaskedSelect.apply(expand(input, shape), index=tuple(index)), out)


def masked_scatter(input: Any, mask: Any, source: Any) -> Any:
    """A copy of ``input`` with the first elements of ``source``, one after another, where ``mask`` is true.

    Gradient: zero under the mask for ``input``; ``source`` gets those, in order.
    Raises: RuntimeError if ``source`` has another dtype or too few elements. On a GPU, which would have to be waited
    for, its last element is repeated instead.

    >>> import minitorch as torch
    >>> torch.masked_scatter(torch.zeros(3), torch.tensor([True, False, True]), torch.tensor([7.0, 8.0, 9.0]))
    tensor([7., 0., 8.])
    """
    if raw(mask).dtype != "bool":
        found = from_numpy_dtype(raw(mask).dtype).legacy_name
        raise RuntimeError(f"masked_scatter_ only supports boolean masks, but got mask with dtype {found}")
    names = [from_numpy_dtype(raw(value).dtype).legacy_name for value in (input, source)]
    if names[0] != names[1]:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{names[0]} and {names[1]}"
        )
    mask = _mask_for(input, mask)
    shape = broadcast_shapes(mask.shape, raw(input).shape)
    target, whole = (shape, expand(mask, shape)) if shape else ((1,), mask.reshape(1))
    if is_on_cpu(whole) and raw(source).size < whole.sum():
        raise RuntimeError("Number of elements of source < number of ones in mask")
    return reshape(MaskedScatter.apply(expand(input, target), reshape(source, (-1,)), mask=whole), shape)


def _flat_index(input: Any, index: Any, name: str) -> Array:
    """``index`` into the flattened input, checked."""
    index, size = raw(index), raw(input).size
    if index.dtype != "int64":
        found = from_numpy_dtype(index.dtype).legacy_name
        raise RuntimeError(f"{name}(): Expected a long tensor for index, but got {found}")
    if size == 0 and index.size:
        raise IndexError(f"{name}(): tried to {name} from an empty tensor")
    wrong = index_outside(index, size, -size)
    if wrong is not None:
        raise IndexError(f"out of range: tried to access index {wrong} on a tensor of {size} elements.")
    return to_device(index, device_of(raw(input)))


def take(input: Any, index: Any, *, out: Any = None) -> Any:
    """The elements with these numbers in the flattened input, in the shape of ``index``.

    Gradient: goes back to the elements, added up where one was taken twice.
    Raises: IndexError for a number out of range; RuntimeError if ``index`` is not int64.

    >>> import minitorch as torch
    >>> torch.take(torch.tensor([[1, 2], [3, 4]]), torch.tensor([0, -1]))
    tensor([1, 4])
    """
    return write_out(Take.apply(reshape(input, (-1,)), index=(_flat_index(input, index, "take"),)), out)


def put(input: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    """A copy of ``input`` with the elements of these numbers replaced by (or, added to) those of ``source``.

    Gradient: ``source`` gets that of the elements; ``input`` the rest (with ``accumulate``, all).
    Raises: IndexError for a number out of range or if source and index differ in size; RuntimeError if dtypes do.

    >>> import minitorch as torch
    >>> torch.put(torch.zeros(2, 2), torch.tensor([1, 2]), torch.tensor([5.0, 6.0]))
    tensor([[0., 5.],
            [6., 0.]])
    """
    names = [from_numpy_dtype(raw(value).dtype).legacy_name for value in (input, source)]
    if names[0] != names[1]:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self.dtype = {names[0]} and "
            f"source.dtype = {names[1]}"
        )
    if raw(source).size != raw(index).size:
        raise IndexError(
            "put_(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{raw(source).size}, index.numel() = {raw(index).size}"
        )
    index = _flat_index(input, index, "put_").reshape(-1)
    flat = Put.apply(reshape(input, (-1,)), reshape(source, (-1,)), index=(index,), accumulate=accumulate)
    return reshape(flat, raw(input).shape)


def nonzero(input: Any, *, out: Any = None, as_tuple: bool = False) -> Any:
    """The places of the elements that are not zero: one row each, or (``as_tuple``) one tensor a dimension.

    >>> import minitorch as torch
    >>> torch.nonzero(torch.tensor([[1, 0], [0, 2]]))
    tensor([[0, 0],
            [1, 1]])
    """
    array = raw(input)
    xp = array_module(array)
    if array.ndim == 0 and not as_tuple:
        count = int(bool(array != 0))
        return write_out(_like(input, xp.zeros((count, 0), "int64")), out)
    places = xp.nonzero(array.reshape(1) if array.ndim == 0 else array)
    if as_tuple:
        return tuple([_like(input, place) for place in places])
    return write_out(_like(input, xp.stack(places, axis=1)), out)


def argwhere(input: Any) -> Any:
    """``nonzero(input)``: the places of the elements that are not zero, one row each."""
    return nonzero(input)


def _like(input: Any, array: Array) -> Any:
    return wrap(array, input.result_class) if isinstance(input, Variable) else array
