"""How elements lie in memory: stride, contiguous, as_strided, sliding windows, resize.

A tensor is a window on flat memory: element (i, j, …) lies at offset + i·stride₀ + j·stride₁ + ….
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.primitive import Clone
from minitorch.autograd.variable import Variable, raw
from minitorch.backend import (
    Array,
    array_module,
    copy_in_order,
    is_channels_last,
    is_on_cpu,
    order_of,
)
from minitorch.memory_format import channels_last, channels_last_3d, contiguous_format, memory_format, preserve_format
from minitorch.ops.dims import normalize_dim
from minitorch.ops.indexing import add_picked
from minitorch.ops.shape import index_at, reshape, unpack_sizes

Shape = tuple[int, ...]


def contiguous_strides(shape: Shape) -> Shape:
    """The strides, in elements, of a tensor in row-major order.

    >>> contiguous_strides((2, 3, 4))
    (12, 4, 1)
    """
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def stride(input: Any, dim: int | None = None) -> Any:
    """The distance in memory, in elements, between neighbours along each dimension (or along ``dim``)."""
    array = raw(input)
    if array.size == 0 and array.flags.c_contiguous:  # NumPy keeps other strides where nothing is stored
        strides = contiguous_strides(array.shape)
    else:
        strides = tuple([step // array.dtype.itemsize for step in array.strides])
    return strides if dim is None else strides[normalize_dim(dim, array.ndim)]


def _owner(array: Array) -> Array:
    """The array that owns the memory that ``array`` shows."""
    while getattr(array, "base", None) is not None and hasattr(array.base, "base"):
        array = array.base
    return array


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0] if is_on_cpu(array) else array.data.ptr)


def storage_offset(input: Any) -> int:
    """How many elements come before this tensor's first one in the memory it shows."""
    return _offset(raw(input))


def _offset(array: Array) -> int:
    owner = _owner(array)
    if not hasattr(owner, "dtype") or array.size == 0:
        return 0
    return (_address(array) - _address(owner)) // int(array.dtype.itemsize)


def is_contiguous(input: Any, memory_format: memory_format = contiguous_format) -> bool:
    """Whether the elements lie in memory without gaps, in the order of ``memory_format``."""
    array = raw(input)
    if memory_format.dims is not None:
        if array.ndim != len(memory_format.dims):
            return False
        array = array.transpose(memory_format.dims)
    return bool(array.flags.c_contiguous)


class Contiguous(Clone):
    """A copy whose memory has the given order of dimensions."""

    backward_name = "CloneBackward0"

    def forward(self, value: Array, *, dims: Shape) -> Array:  # type: ignore[override]
        return copy_in_order(value, dims)


def contiguous(input: Any, memory_format: memory_format = contiguous_format) -> Any:
    """The tensor itself if ``is_contiguous``, else a copy that is.

    Raises: RuntimeError if ``channels_last`` is asked of a tensor without four dimensions, or where
    ``preserve_format`` would have to copy.

    >>> import minitorch as torch
    >>> x = torch.zeros(1, 3, 2, 2).contiguous(memory_format=torch.channels_last)
    >>> x.shape, x.stride()
    (torch.Size([1, 3, 2, 2]), (12, 1, 6, 3))
    """
    if is_contiguous(input, memory_format):
        return input
    if memory_format is preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    return with_memory_format(input, memory_format)


def with_memory_format(input: Any, memory_format: memory_format) -> Any:
    """A copy in ``memory_format``: what ``clone(memory_format=…)`` does."""
    return Contiguous.apply(input, dims=dims_in_memory(raw(input), memory_format))


def dims_in_memory(array: Array, memory_format: memory_format) -> Shape:
    """The dimensions of an array in ``memory_format``, from the slowest to the fastest in memory.

    To preserve a format is to keep the order that ``array`` has.
    """
    dims, every = memory_format.dims, tuple(range(array.ndim))
    if dims is not None and array.ndim != len(dims):
        raise RuntimeError(f"required rank {len(dims)} tensor to use {memory_format.name} format")
    if memory_format is preserve_format and not array.flags.c_contiguous:
        return order_of(array.shape, array.strides)
    return dims or every


def in_image_order(output: Any, input: Any) -> Any:
    """A layer's output, with its channels last in memory if the input has them last."""
    return contiguous(output, suggested_format(raw(input)))


def suggested_format(array: Array) -> memory_format:
    """The format that an array's strides show: what ``to(memory_format=…)`` compares with, as torch does."""
    if not is_channels_last(array):
        return contiguous_format
    return channels_last if array.ndim == 4 else channels_last_3d


def made_like(array: Array, memory_format: memory_format, make: Callable[[Shape], Array]) -> Array:
    """What ``make`` returns for ``array``'s shape, with its elements made in the order of the memory."""
    dims = dims_in_memory(array, memory_format)
    if dims == tuple(range(array.ndim)):
        return make(array.shape)
    made = make(tuple([array.shape[dim] for dim in dims]))
    return made.transpose([dims.index(dim) for dim in range(array.ndim)])


class AsStrided(Function):
    """A view given by sizes, strides and offset (in elements, from the input's first one).

    Gradient: every place in memory gets the sum of the gradients of the elements that show it; the input's
    elements then read theirs from there (and share it, where several of them are one place).
    """

    is_view = True

    def forward(self, value: Array, *, size: Shape, strides: Shape, offset: int) -> Array:
        itemsize = value.dtype.itemsize
        self.output_geometry = size, strides, offset
        self.input_geometry = value.shape, tuple([step // itemsize for step in value.strides]), 0
        return _show(value, size, strides, offset)

    def backward(self, grad_output: Any) -> Any:
        grad = Relocate.apply(grad_output, source=self.output_geometry, target=self.input_geometry)
        size, strides, _ = self.input_geometry
        if 0 not in strides:
            return grad
        ones = array_module(raw(grad)).ones(size, raw(grad).dtype)
        return grad / Relocate.apply(ones, source=self.input_geometry, target=self.input_geometry)


def _show(value: Array, size: Shape, strides: Shape, offset: int) -> Array:
    """The memory of ``value`` in another geometry."""
    xp, itemsize = array_module(value), value.dtype.itemsize
    as_strided = xp.lib.stride_tricks.as_strided
    owner = _owner(value)
    start = (_address(value) - _address(owner)) // itemsize + offset
    extent = 1 + sum([(each - 1) * step for each, step in zip(size, strides)]) if math.prod(size) else 0
    room = owner.size * owner.dtype.itemsize // itemsize
    if start < 0 or start + extent > room:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(strides)}, storage offset {start}, and itemsize "
            f"{itemsize} requiring a storage size of {(start + extent) * itemsize} are out of bounds for storage of "
            f"size {room * itemsize}"
        )
    flat = as_strided(owner, (room,), (itemsize,))
    return as_strided(flat[start:], size, [step * itemsize for step in strides])


class Relocate(Function):
    """Elements of one geometry added up in memory, then read in another: the adjoint of ``AsStrided``."""

    def forward(self, value: Array, *, source: Any, target: Any) -> Array:
        self.source, self.target = source, target
        xp = array_module(value)
        written, read = _places(xp, *source), _places(xp, *target)
        if written.size == 0 or read.size == 0:
            return xp.zeros(read.shape, value.dtype)
        ends = [*_ends(*source), *_ends(*target)]
        lowest = min(ends)
        memory = xp.zeros(max(ends) - lowest + 1, value.dtype)
        add_picked(memory, (written - lowest,), value)
        return memory[read - lowest]

    def backward(self, grad_output: Any) -> Any:
        return Relocate.apply(grad_output, source=self.target, target=self.source)


def _ends(size: Shape, strides: Shape, offset: int) -> tuple[int, int]:
    """The lowest and the highest place of a geometry's elements."""
    steps = [(each - 1) * step for each, step in zip(size, strides)]
    return offset + sum(min(step, 0) for step in steps), offset + sum(max(step, 0) for step in steps)


def _places(xp: Any, size: Shape, strides: Shape, offset: int) -> Array:
    """Where in memory each element of a geometry lies."""
    places = xp.full(size, offset, "int64")
    for dim, (each, step) in enumerate(zip(size, strides)):
        shape = [1] * len(size)
        shape[dim] = each
        places = places + xp.arange(each).reshape(shape) * step
    return places


def as_strided(input: Any, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Any:
    """A view of the input's memory with these sizes, strides and offset, all counted in elements.

    Raises: RuntimeError for negative strides or offset, and where the view would reach beyond the memory.

    >>> import minitorch as torch
    >>> torch.as_strided(torch.tensor([1, 2, 3, 4]), (3, 2), (1, 1))
    tensor([[1, 2],
            [2, 3],
            [3, 4]])
    """
    size, strides = unpack_sizes((tuple(size),)), unpack_sizes((tuple(stride),))
    if len(size) != len(strides):
        raise RuntimeError("mismatch in length of strides and shape")
    if min(strides, default=0) < 0:
        raise RuntimeError(
            f"as_strided: Negative strides are not supported at the moment, got strides: {list(strides)}"
        )
    current = _offset(raw(input))
    offset = current if storage_offset is None else storage_offset
    if offset < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {offset}")
    return AsStrided.apply(input, size=size, strides=strides, offset=offset - current)


class Unfold(Function):
    """Windows along ``dim``, the place within a window as a new last dimension;  their gradients add up."""

    is_view = True

    def forward(self, value: Array, *, dim: int, size: int, step: int) -> Array:
        self.dim, self.size, self.step, self.input_shape = dim, size, step, value.shape
        count = (value.shape[dim] - size) // step + 1
        shape, strides = [*value.shape, size], [*value.strides, value.strides[dim]]
        shape[dim], strides[dim] = count, step * value.strides[dim]
        return array_module(value).lib.stride_tricks.as_strided(value, shape, strides)

    def backward(self, grad_output: Any) -> Any:
        options = {"dim": self.dim, "size": self.size, "step": self.step}
        return AddWindows.apply(grad_output, shape=self.input_shape, **options)


class AddWindows(Function):
    """The adjoint of ``Unfold``: windows added up where they overlap."""

    backward_name = "UnfoldBackwardBackward0"

    def forward(self, windows: Array, *, shape: Shape, dim: int, size: int, step: int) -> Array:
        self.options = {"dim": dim, "size": size, "step": step}
        result = array_module(windows).zeros(shape, windows.dtype)
        reach = (windows.shape[dim] - 1) * step + 1
        for place in range(size):  # the windows' elements of one place never overlap
            result[index_at(dim, slice(place, place + reach, step))] += windows[..., place]
        return result

    def backward(self, grad_output: Any) -> Any:
        return Unfold.apply(grad_output, **self.options)


def unfold(input: Any, dimension: int, size: int, step: int) -> Any:
    """All windows of ``size`` elements along ``dimension``, ``step`` apart; a view with one dimension more.

    Gradient: the windows' gradients, added up where they overlap.
    Raises: RuntimeError for a window larger than the dimension, a negative size, or a step below 1.

    >>> import minitorch as torch
    >>> torch.tensor([1, 2, 3, 4]).unfold(0, 2, 1)
    tensor([[1, 2],
            [2, 3],
            [3, 4]])
    """
    ndim = raw(input).ndim
    dim = normalize_dim(dimension, ndim)
    limit = raw(input).shape[dim] if ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > limit:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {limit} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if ndim == 0:
        return reshape(input, (1,))[:size]
    return Unfold.apply(input, dim=dim, size=size, step=step)


def resize_in_place(input: Variable, size: Shape) -> None:
    """What ``x.resize_(size)`` does: the same memory in another shape, new memory if there is too little.

    Elements keep their order in memory; new ones are zero (torch leaves them undefined).
    Raises: RuntimeError if the tensor requires grad.
    """
    if input.needs_grad:
        raise RuntimeError("cannot resize variables that require grad")
    array, count = input.array, math.prod(size)
    start, owner = _offset(array), _owner(array)
    room = owner.size - start if hasattr(owner, "dtype") and owner.dtype == array.dtype else 0
    if count > room:
        grown = array_module(array).zeros(count, array.dtype)
        flat = _show(array, (array.size and room,), (1,), 0)
        grown[: flat.size] = flat
        input.array = grown.reshape(size)
    else:
        input.array = _show(array, size, contiguous_strides(size), 0)
    input.bump_version()
