"""``x[index]``: views for integers, slices and None; copies for tensors of indices and masks.

An index is taken apart in two steps, as torch does:

1. integers, slices, None and Ellipsis choose a *view* (``BasicIndex``); every tensor index leaves its
   dimension whole there. A mask becomes one tensor of indices for each of its dimensions, True and False
   become a new dimension that is taken once or not at all;
2. if tensors are left, they are broadcast together and pick elements of the view (``Index``, a copy).

So ``x[0, :, idx]`` is ``x[0][:, idx]``. NumPy counts the 0 as a tensor and moves ``idx``'s dimension to the front.
"""

from __future__ import annotations

import operator
import re
import warnings
from typing import Any, NamedTuple

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, add_at, array_module, device_of, is_array, row_major, to_device
from minitorch.ops.shape import Alias, broadcast_shapes

_WHOLE = slice(None)


class BasicIndex(Function):
    """A view of part of the input;  the gradient is zero elsewhere."""

    is_view = True

    def forward(self, value: Array, *, index: tuple[Any, ...]) -> Array:
        self.index, self.input_shape = index, value.shape
        return value[index]

    def backward(self, grad_output: Any) -> Any:
        return FillPart.apply(grad_output, index=self.index, shape=self.input_shape)

    def name(self) -> str:
        """torch applies the items one after another; the last one gives the name."""
        last = [item for item in self.index if item is not Ellipsis][-1:]
        kind = last[0] if last else Ellipsis
        if isinstance(kind, int):
            return "SelectBackward0"
        return "SliceBackward0" if isinstance(kind, slice) else "UnsqueezeBackward0"


class FillPart(Function):
    """Zeros of ``shape``, except for ``value`` at ``index``: the adjoint of ``BasicIndex``."""

    def forward(self, value: Array, *, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
        self.index = index
        result = array_module(value).zeros(shape, value.dtype)
        result[index] = value
        return result

    def backward(self, grad_output: Any) -> Any:
        return BasicIndex.apply(grad_output, index=self.index)


class Index(Function):
    """The elements that tensors of indices pick;  their gradients add up where an element is picked twice."""

    def forward(self, value: Array, *, index: tuple[Any, ...]) -> Array:
        self.index, self.input_shape = index, value.shape
        return row_major(pick(value, index))

    def backward(self, grad_output: Any) -> Any:
        return AddPicked.apply(grad_output, index=self.index, shape=self.input_shape)


class AddPicked(Function):
    """Zeros of ``shape`` with every element of ``value`` added where ``index`` says: the adjoint of ``Index``."""

    def forward(self, value: Array, *, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
        self.index = index
        result = array_module(value).zeros(shape, value.dtype)
        add_picked(result, index, value)
        return result

    def backward(self, grad_output: Any) -> Any:
        return Index.apply(grad_output, index=self.index)


def pick(value: Array, index: tuple[Any, ...]) -> Array:
    """``value[index]``, with torch's words where an index is out of range."""
    try:
        return value[index]
    except IndexError as error:
        raise IndexError(re.sub(r"\baxis\b", "dimension", str(error))) from None


def add_picked(target: Array, index: tuple[Any, ...], values: Array) -> None:
    """``target[index] += values`` for a contiguous target, where an element that occurs twice gets both.

    By way of positions in the flattened target: scattering along one dimension is the fast case everywhere.
    """
    xp = array_module(target)
    positions = pick(xp.arange(target.size).reshape(target.shape), index)
    values = xp.broadcast_to(values, positions.shape)
    add_at(target.reshape(-1), positions.reshape(-1), values.reshape(-1))


def picked_shape(shape: tuple[int, ...], index: tuple[Any, ...]) -> tuple[int, ...]:
    """The shape of ``array[index]`` for an array of ``shape`` and an index of tensors and whole dimensions.

    The tensors' common shape stands where they stood if they are side by side, else in front.

    >>> from minitorch.backend import host
    >>> picked_shape((2, 3, 4), (_WHOLE, host.zeros(5, int)))
    (2, 5, 4)
    """
    places = [place for place, item in enumerate(index) if not isinstance(item, slice)]
    if not places:
        return shape
    common = broadcast_shapes(*[index[place].shape for place in places])
    rest = [size for dim, size in enumerate(shape) if dim not in places]
    first = places[0] if places[-1] - places[0] == len(places) - 1 else 0
    return (*rest[:first], *common, *rest[first:])


class ParsedIndex(NamedTuple):
    """An index in two steps: ``basic`` for a view (None: all of it), then ``advanced`` on it (None: nothing)."""

    basic: tuple[Any, ...] | None
    advanced: tuple[Any, ...] | None


def getitem(input: Any, index: Any) -> Any:
    """``input[index]`` for every kind of index that torch takes.

    Gradient: goes back to the places that were picked, added up where a place was picked twice.
    Raises: IndexError for an index out of range, for too many of them, and for tensors of indices or masks of
    the wrong dtype or shape; ValueError for a slice with a step below 1.

    >>> import minitorch as torch
    >>> x = torch.tensor([[1, 2, 3], [4, 5, 6]])
    >>> x[0, 1:], x[:, [2, 0]], x[x > 3]
    (tensor([2, 3]), tensor([[3, 1],
            [6, 4]]), tensor([4, 5, 6]))
    """
    parsed = parse_index(raw(input), index)
    if parsed.basic is not None:
        input = BasicIndex.apply(input, index=parsed.basic)
    elif parsed.advanced is None:
        return Alias.apply(input)
    return input if parsed.advanced is None else Index.apply(input, index=parsed.advanced)


def parse_index(array: Array, index: Any) -> ParsedIndex:
    """Take ``index`` apart for ``array``; see the module's docstring."""
    shape = array.shape
    if index.__class__ is int and shape:  # by far the most frequent one
        return ParsedIndex((_integer(index, 0, shape[0]), Ellipsis), None)
    items = [_plain(item, array) for item in _as_items(index)]
    whole = len(shape) - sum([_consumed(item) for item in items])
    if whole < 0:
        if not shape:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                "convert a 0-dim tensor to a number"
            )
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    return _Parser(array).parse(items, whole)


class _Parser:
    """Collects the two steps of one index, item by item."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.dim = 0  # the next dimension of the array
        self.basic: list[Any] = []
        self.picked: dict[int, Array] = {}  # dimension of the view → its tensor of indices
        self.view_ndim = 0

    def parse(self, items: list[Any], whole: int) -> ParsedIndex:
        shape = self.array.shape
        for item in items:
            if item is Ellipsis:
                self._keep([_WHOLE] * whole)
                whole = 0
            elif item is None:
                self.basic.append(None)
                self.view_ndim += 1
            elif item.__class__ is slice:
                self._keep([item])
            elif item.__class__ is bool:
                self._pick_new_dim(item)
            elif item.__class__ is int:
                self.basic.append(_integer(item, self.dim, shape[self.dim]))
                self.dim += 1
            else:
                for indices in self._as_indices(item):
                    self.picked[self.view_ndim] = indices
                    self._keep([_WHOLE])
        return ParsedIndex(self._finish_basic(items), self._finish_advanced())

    def _keep(self, slices: list[slice]) -> None:
        self.basic += slices
        self.dim += len(slices)
        self.view_ndim += len(slices)

    def _pick_new_dim(self, taken: bool) -> None:
        xp = array_module(self.array)
        self.picked[self.view_ndim] = xp.zeros(1 if taken else 0, "int64")
        self.basic.append(None)
        self.view_ndim += 1

    def _as_indices(self, item: Array) -> list[Array]:
        """A tensor of indices as it is; a mask as one for each of its dimensions."""
        if item.dtype.kind != "b":
            return [item]
        wanted = self.array.shape[self.dim : self.dim + item.ndim]
        for offset, (found, size) in enumerate(zip(item.shape, wanted)):
            if found != size:
                raise IndexError(
                    f"The shape of the mask {list(item.shape)} at index {offset} does not match the shape of the "
                    f"indexed tensor {list(self.array.shape)} at index {self.dim + offset}"
                )
        return list(array_module(item).nonzero(item))

    def _finish_basic(self, items: list[Any]) -> tuple[Any, ...] | None:
        is_trivial = all(item is Ellipsis or is_array(item) for item in items)
        return None if is_trivial else (*self.basic, Ellipsis)  # with Ellipsis even a single element is a view

    def _finish_advanced(self) -> tuple[Any, ...] | None:
        if not self.picked:
            return None
        shapes = [indices.shape for indices in self.picked.values()]
        try:
            broadcast_shapes(*shapes)
        except RuntimeError:
            listed = ", ".join(str(list(each)) for each in shapes)
            raise IndexError(
                f"shape mismatch: indexing tensors could not be broadcast together with shapes {listed}"
            ) from None
        return tuple([self.picked.get(dim, _WHOLE) for dim in range(max(self.picked) + 1)])


def _as_items(index: Any) -> tuple[Any, ...]:
    """The items of an index. A short list that holds more than numbers counts as a tuple, as in torch."""
    if isinstance(index, tuple):
        return index
    is_short_list = isinstance(index, list) and len(index) < 32
    if is_short_list and any(
        item is None or item is Ellipsis or isinstance(item, (slice, list, tuple)) or hasattr(item, "ndim")
        for item in index
    ):
        return tuple(index)
    return (index,)


def _plain(item: Any, array: Array) -> Any:
    """An item as None, Ellipsis, slice, bool, int, or a raw array of int64 or bool on ``array``'s device."""
    if item is None or item is Ellipsis or item.__class__ in (bool, int):
        return item
    if isinstance(item, slice):
        return _plain_slice(item)
    if isinstance(item, (list, tuple, range)):
        item = _array_from_list(item, array)
    item = raw(item)
    if is_array(item):
        return _plain_array(item, array)
    try:
        return operator.index(item)
    except TypeError:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
            f"(got {type(item).__name__})"
        ) from None


def _plain_slice(item: slice) -> slice:
    bounds = [None if bound is None else operator.index(raw(bound)) for bound in (item.start, item.stop, item.step)]
    if bounds[2] is not None and bounds[2] < 1:
        raise ValueError("step must be greater than zero")
    return slice(*bounds)


def _array_from_list(values: Any, array: Array) -> Array:
    xp = array_module(array)
    if not values:
        return xp.zeros(0, "int64")
    return xp.asarray([_nested_numbers(value) for value in values])


def _nested_numbers(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_nested_numbers(each) for each in value]
    value = raw(value)
    return value.tolist() if is_array(value) else value


def _plain_array(item: Array, array: Array) -> Any:
    kind = item.dtype
    if item.ndim == 0 and kind.kind in "bui":
        return bool(item) if kind.kind == "b" or kind == "uint8" else int(item)
    if kind not in ("bool", "uint8", "int32", "int64"):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    if device_of(item) != device_of(array):
        item = to_device(item, device_of(array))
    if kind != "uint8":
        return item
    warnings.warn(
        "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
        UserWarning,
        stacklevel=5,
    )
    return item != 0  # the old way of writing a mask


def _consumed(item: Any) -> int:
    """How many dimensions of the tensor an item stands for."""
    if item is None or item is Ellipsis or item.__class__ is bool:
        return 0
    if is_array(item) and item.dtype.kind == "b":
        return int(item.ndim)
    return 1


def _integer(item: int, dim: int, size: int) -> int:
    if not -size <= item < size:
        raise IndexError(f"index {item} is out of bounds for dimension {dim} with size {size}")
    return item
