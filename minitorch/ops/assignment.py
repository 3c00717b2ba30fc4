"""``x[index] = value`` and ``index_put``: replace chosen elements, or add to them.

The parts of a change that is recorded:
``x[basic] = v``       a view is chosen (``BasicIndex``) and overwritten (``Copy``); its base learns of it.
``x[tensors] = v``     the chosen elements are replaced (``IndexPut``): they get v's gradient path, x keeps the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.grad_mode import state
from minitorch.autograd.inplace import apply_inplace, check_no_overlap
from minitorch.autograd.variable import Variable, raw
from minitorch.backend import Array, array_module, device_of, is_array, is_on_cpu
from minitorch.dtypes import dtype as DType  # noqa: N812
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.autocast import autocasts
from minitorch.ops.filling import Copy
from minitorch.ops.indexing import BasicIndex, Index, add_picked, parse_index, pick, picked_shape
from minitorch.ops.promotion import to_dtype
from minitorch.ops.shape import expand, reshape
from minitorch.ops.transfer import move

Indices = tuple[Any, ...]


class IndexPut(Function):
    """The input with ``values`` at (``accumulate``: added at) the places that tensors of indices pick."""

    def forward(self, input: Array, values: Any, *, index: Indices, accumulate: bool = False) -> Array:
        self.index, self.accumulate = index, accumulate
        result = input.copy()
        write_picked(result, index, values, accumulate)
        return result

    def backward(self, grad_output: Any) -> Any:
        needs_input, needs_values = self.needs_input_grad[:2]
        grad_input = grad_values = None
        if needs_input:
            keeps_all = self.accumulate
            grad_input = grad_output if keeps_all else IndexPut.apply(grad_output, 0, index=self.index)
        if needs_values:
            grad_values = Index.apply(grad_output, index=self.index)
        return grad_input, grad_values


def write_picked(target: Array, index: Indices, values: Any, accumulate: bool) -> None:
    """``target[index] = values`` or, for a contiguous target, ``target[index] += values``."""
    if accumulate:
        add_picked(target, index, values)
        return
    try:
        target[index] = values
    except IndexError:
        pick(target, index)  # raises it in torch's words
        raise


def scalar_in(value: Any, dtype: DType) -> Any:
    """A Python number as a value of ``dtype``.

    Raises: RuntimeError if an integer dtype cannot hold it.
    """
    if dtype.category == 1:
        limit = 1 << (8 * dtype.itemsize - dtype.is_signed)
        if value != value or not (-limit <= value < limit if dtype.is_signed else -limit < value < limit):
            raise RuntimeError(f"value cannot be converted to type {_C_NAMES[dtype.name]} without overflow")
        value = int(value) % (1 << 8 * dtype.itemsize) if not dtype.is_signed else int(value)
    return dtype.numpy.type(value)


_C_NAMES = {"int8": "int8_t", "int16": "short", "int32": "int", "int64": "int64_t", "uint8": "uint8_t"}


def setitem(input: Variable, index: Any, value: Any) -> None:
    """``input[index] = value`` for every kind of index that torch takes.

    ``value`` is a number or a tensor that broadcasts to the chosen part; it is cast to the input's dtype, except
    where tensors of indices choose: there the dtypes must be equal.
    Gradient: the chosen part gets none through the old values; ``value`` gets that of the part.
    Raises: IndexError as ``input[index]``; RuntimeError if the value's shape does not fit, or if the input is a
    leaf that requires grad; TypeError for a value that is neither number nor tensor.
    """
    if index is False:  # torch's rule for a lone bool: nothing, or everything
        return
    index = None if index is True else index
    value = _as_value(input, value)
    is_recorded = state.enabled and (_requires_grad(input) or (isinstance(value, Variable) and value.needs_grad))
    if not is_recorded and _fills_mask_on_device(input.array, index, value):
        _fill_mask(input.array, raw(index), value)
        input.bump_version()
        return
    parsed = parse_index(input.array, index)
    if parsed.advanced is None:
        if is_recorded:
            part = input if parsed.basic is None else BasicIndex.apply(input, index=parsed.basic)
            value = _fit(value, part.array.shape)
            apply_inplace(part, lambda old: Copy.apply(old, value), may_overlap=True)
            return
        target = input.array[Ellipsis if parsed.basic is None else parsed.basic]
        target[...] = _fit(raw(value), target.shape)
        input.bump_version()
        return
    value = _match_dtype(value, input, is_mask=_is_mask(index))
    if is_recorded:
        part = input if parsed.basic is None else BasicIndex.apply(input, index=parsed.basic)
        put_in_place(part, parsed.advanced, value)
        return
    target = input.array if parsed.basic is None else input.array[parsed.basic]
    check_no_overlap(target)
    write_picked(target, parsed.advanced, _fit_picked(raw(value), target.shape, parsed.advanced), False)
    input.bump_version()


def _requires_grad(value: Variable) -> bool:
    return value.needs_grad or (value.base is not None and value.base.needs_grad)


def _fills_mask_on_device(target: Array, index: Any, value: Any) -> bool:
    """Whether it is ``x[mask] = number`` on a GPU: the places of the true elements would have to be waited for."""
    mask = raw(index)
    if not _is_mask(index) or isinstance(value, Variable) or is_on_cpu(target):
        return False
    return mask.ndim > 0 and mask.shape == target.shape[: mask.ndim] and device_of(mask) == device_of(target)


def _fill_mask(target: Array, mask: Array, number: Any) -> None:
    check_no_overlap(target)
    mask = mask.reshape(mask.shape + (1,) * (target.ndim - mask.ndim))
    target[...] = array_module(target).where(mask, number, target)


def _is_mask(index: Any) -> bool:
    index = raw(index)
    return is_array(index) and index.dtype.kind == "b"


def _as_value(input: Variable, value: Any) -> Any:
    """What is to be assigned, as a tensor on the input's device or a number of its dtype."""
    dtype = from_numpy_dtype(input.array.dtype)
    if isinstance(value, Variable):
        if value.base is not None:
            value.refresh_view()
        return move(value, device_of(input.array))
    if is_array(value) and not value.ndim:
        value = value.item()
    if not isinstance(value, (bool, int, float)):
        name = type(value).__name__ if type(value).__module__ == "builtins" else f"numpy.{type(value).__name__}"
        raise TypeError(f"can't assign a {name} to a torch.{dtype.legacy_name}Tensor")
    return scalar_in(value, dtype)


def _fit(value: Any, shape: tuple[int, ...]) -> Any:
    """``value``, without leading 1s, expanded to ``shape``."""
    found = getattr(raw(value), "shape", ())
    if found in ((), shape):
        return value
    first = next((place for place, size in enumerate(found) if size != 1), len(found))
    return expand(reshape(value, found[first:]), shape)


def _fit_picked(value: Any, shape: tuple[int, ...], index: Indices) -> Any:
    wanted = picked_shape(shape, index)
    try:
        return _fit(value, wanted)
    except RuntimeError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(raw(value).shape)} cannot be broadcast to indexing result "
            f"of shape {list(wanted)}"
        ) from None


def _match_dtype(value: Any, input: Any, is_mask: bool = False) -> Any:
    """``value`` in the input's dtype; only a number under a mask is cast, as in torch."""
    found, wanted = from_numpy_dtype(raw(value).dtype), from_numpy_dtype(raw(input).dtype)
    if found is wanted:
        return value
    if is_mask and raw(value).ndim == 0:
        return to_dtype(value, wanted)
    raise RuntimeError(
        "Index put requires the source and destination dtypes match, got "
        f"{wanted.legacy_name} for the destination and {found.legacy_name} for the source."
    )


def put_in_place(target: Variable, index: Indices, value: Any, accumulate: bool = False) -> Any:
    """``target[index] = value`` as a recorded change."""
    value = _fit_picked(value, target.array.shape, index)
    return apply_inplace(target, lambda old: IndexPut.apply(old, value, index=index, accumulate=accumulate))


def _parse_tensors(input: Any, indices: Sequence[Any]) -> Indices:
    if not isinstance(indices, (tuple, list)):
        raise TypeError(
            f"index_put(): argument 'indices' (position 1) must be tuple of Tensors, not {type(indices).__name__}"
        )
    return parse_index(raw(input), tuple(indices)).advanced or ()


@autocasts
def index_put(input: Any, indices: Sequence[Any], values: Any, accumulate: bool = False) -> Any:
    """A copy of ``input`` with ``input[indices] = values``, or ``+= values`` with ``accumulate``.

    With ``accumulate`` an element that is picked twice gets both values.
    Gradient: ``values`` gets that of the picked places; ``input`` gets the rest (with ``accumulate``, all).
    Raises: as ``input[indices] = values``.

    >>> import minitorch as torch
    >>> torch.index_put(torch.zeros(3), (torch.tensor([1, 1]),), torch.ones(2), accumulate=True)
    tensor([0., 2., 0.])
    """
    index = _parse_tensors(input, indices)
    values = _fit_picked(_match_dtype(values, input), raw(input).shape, index)
    return IndexPut.apply(input, values, index=index, accumulate=accumulate)
