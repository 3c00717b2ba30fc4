"""New shapes for the same elements: reshape, transpose, expand and their relatives.

Nearly all of them are *views*: the result has its own shape and strides but shows the input's memory, so
nothing is copied and a change of one is seen through the other. The gradient of a rearrangement is the
opposite rearrangement; the gradient of a repetition (``expand``) is a sum.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from minitorch.autograd.function import Function, check_broadcastable
from minitorch.autograd.primitive import BroadcastTo
from minitorch.autograd.variable import Variable, raw
from minitorch.backend import Array, array_module
from minitorch.dtypes import dtype as DType  # noqa: N812
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.dims import normalize_dim, normalize_dims

Shape = tuple[int, ...]


def unpack_sizes(sizes: tuple[Any, ...]) -> Shape:
    """The sizes of a method that is called as ``x.view(2, 3)`` or as ``x.view((2, 3))``.

    >>> unpack_sizes((2, 3)), unpack_sizes(([2, 3],)), unpack_sizes(((),))
    ((2, 3), (2, 3), ())
    """
    if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = tuple(sizes[0])
    return tuple([size if size.__class__ is int else operator.index(size) for size in sizes])


def index_at(dim: int, item: Any) -> tuple[Any, ...]:
    """The index that has ``item`` at dimension ``dim`` and all of the others: ``[:, :, item, ...]`` for 2.

    The Ellipsis makes NumPy give a view, not a number, where no dimension is left.

    >>> index_at(1, 5)
    (slice(None, None, None), 5, Ellipsis)
    """
    return (*(slice(None),) * dim, item, Ellipsis)


class View(Function):
    """The same memory in another shape;  the gradient in the old shape."""

    is_view = True

    def forward(self, value: Array, *, shape: Shape) -> Array:
        self.input_shape = value.shape
        return value.reshape(shape)

    def backward(self, grad_output: Any) -> Any:
        return reshape(grad_output, self.input_shape)


class ReshapeAlias(View):
    """``View`` of a tensor that is not contiguous; torch's name for it."""


class UnsafeView(View):
    """A copy in another shape, where strides alone cannot express it."""

    is_view = False


class Alias(Function):
    """The same memory in the same shape."""

    is_view = True

    def forward(self, value: Array) -> Array:
        return value[...]

    def backward(self, grad_output: Any) -> Any:
        return grad_output


def infer_shape(shape: Shape, count: int) -> Shape:
    """``shape`` with a -1 replaced by the size that makes it hold ``count`` elements.

    Raises: RuntimeError if no size does, if several do, or for more than one -1.

    >>> infer_shape((2, -1), 6)
    (2, 3)
    """
    if math.prod(shape) == count and min(shape, default=0) >= 0:  # the usual case
        return shape
    unknown = [index for index, size in enumerate(shape) if size < 0]
    for index in unknown:
        if shape[index] != -1:
            raise RuntimeError(f"invalid shape dimension {shape[index]} at index {index} of shape {list(shape)}")
    if len(unknown) > 1:
        raise RuntimeError("only one dimension can be inferred")
    known = math.prod([size for size in shape if size >= 0])
    if unknown and known == 0 and count == 0:
        raise RuntimeError(
            f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size "
            "-1 can be any value and is ambiguous"
        )
    if not unknown or known == 0 or count % known:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {count}")
    return tuple([count // known if size < 0 else size for size in shape])


def can_be_viewed(array: Array, shape: Shape) -> bool:
    """Whether ``array``'s memory shows the same elements, in the same order, in ``shape``.

    Old dimensions that follow one another in memory (stride = stride of the next · its size) merge into one
    run; every new dimension must divide a run, never span two of them.
    """
    if array.flags.c_contiguous or array.size == 0:
        return True
    old = [(size, stride) for size, stride in zip(array.shape, array.strides) if size != 1]
    new = [size for size in shape if size != 1]
    while old:
        run, stride = old.pop()
        length = run
        while old and old[-1][1] == stride * length:
            length *= old.pop()[0]
        while new and length % new[-1] == 0 and length > 1:
            length //= new.pop()
        if length != 1:
            return False
    return True


def reshape(input: Any, shape: Sequence[int]) -> Any:
    """The same elements, in row-major order, in another shape; one size may be -1, "whatever is left".

    A view wherever strides can express it, else a copy (``view`` refuses to copy).
    Gradient: reshaped back.
    Raises: RuntimeError if the shapes hold different numbers of elements.

    >>> import minitorch as torch
    >>> torch.reshape(torch.tensor([[1, 2, 3], [4, 5, 6]]), (3, -1))
    tensor([[1, 2],
            [3, 4],
            [5, 6]])
    """
    array = raw(input)
    wanted = infer_shape(unpack_sizes((shape,)), array.size)
    if array.flags.c_contiguous:
        return View.apply(input, shape=wanted)
    function = ReshapeAlias if can_be_viewed(array, wanted) else UnsafeView
    return function.apply(input, shape=wanted)


def view(input: Any, *shape: Any) -> Any:
    """``reshape`` that never copies; with a dtype instead of sizes: the same bytes read as that dtype.

    Raises: RuntimeError if the strides do not allow it (``x.t().view(-1)``), or if the sizes do not fit.
    """
    if len(shape) == 1 and isinstance(shape[0], DType):
        return view_dtype(input, shape[0])
    array = raw(input)
    wanted = infer_shape(unpack_sizes(shape), array.size)
    if not can_be_viewed(array, wanted):
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across "
            "two contiguous subspaces). Use .reshape(...) instead."
        )
    return View.apply(input, shape=wanted)


def view_dtype(input: Any, dtype: DType) -> Any:
    """The same bytes read as numbers of another dtype; the last dimension shrinks or grows to match.

    Gradient: none, as in torch (bits have no derivative).
    Raises: RuntimeError if the last dimension is not contiguous, or does not hold whole new elements.
    """
    array = raw(input)
    if array.dtype == dtype.numpy:
        return Alias.apply(input)
    if array.dtype.itemsize != dtype.itemsize:
        _check_dtype_view(array, dtype)
    result = array.view(dtype.numpy)
    if not isinstance(input, Variable):
        return result
    viewed = input.alias()
    viewed.array, viewed.needs_grad, viewed.node = result, False, None
    viewed.counter = input.version_counter()
    return viewed


def _check_dtype_view(array: Array, dtype: DType) -> None:
    names = f"{from_numpy_dtype(array.dtype).legacy_name} as {dtype.legacy_name} (different element sizes)"
    itemsize = array.dtype.itemsize
    if array.ndim == 0:
        raise RuntimeError(f"self.dim() cannot be 0 to view {names}")
    if array.shape[-1] > 1 and array.strides[-1] != itemsize:
        raise RuntimeError(f"self.stride(-1) must be 1 to view {names}, but got {array.strides[-1] // itemsize}")
    if array.shape[-1] * itemsize % dtype.itemsize:
        ratio = dtype.itemsize // itemsize
        raise RuntimeError(f"self.size(-1) must be divisible by {ratio} to view {names}, but got {array.shape[-1]}")


def view_as(input: Any, other: Any) -> Any:
    """``input.view(other.shape)``."""
    return view(input, other.shape)


def reshape_as(input: Any, other: Any) -> Any:
    """``input.reshape(other.shape)``."""
    return reshape(input, other.shape)


def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Dimensions ``start_dim`` to ``end_dim`` (included) merged into one; a view wherever possible.

    Raises: RuntimeError if ``start_dim`` comes after ``end_dim``; IndexError for a dimension out of range.

    >>> import minitorch as torch
    >>> torch.flatten(torch.zeros(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    array = raw(input)
    first, last = normalize_dim(start_dim, array.ndim), normalize_dim(end_dim, array.ndim)
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if first == last and array.ndim:
        return input
    shape = array.shape
    return reshape(input, (*shape[:first], math.prod(shape[first : last + 1]), *shape[last + 1 :]))


def unflatten(input: Any, dim: int, sizes: Sequence[int]) -> Any:
    """Dimension ``dim`` split into several of these ``sizes`` (one may be -1); a view.

    Raises: RuntimeError if the sizes do not multiply to the dimension's.

    >>> import minitorch as torch
    >>> torch.unflatten(torch.zeros(2, 12), 1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    shape = raw(input).shape
    dim = normalize_dim(dim, len(shape))
    sizes = unpack_sizes((tuple(sizes),))
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    known = math.prod([size for size in sizes if size >= 0])
    fits = (known != 0 and shape[dim] % known == 0) if -1 in sizes else known == shape[dim]
    if not fits:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[dim]}) in "
            "the input tensor"
        )
    return view(input, (*shape[:dim], *infer_shape(sizes, shape[dim]), *shape[dim + 1 :]))


def ravel(input: Any) -> Any:
    """All dimensions merged into one; a view of a contiguous tensor, else a copy."""
    return reshape(input, (-1,))


class Squeeze(Function):
    """Drop dimensions of size 1."""

    is_view = True

    def forward(self, value: Array, *, dims: Shape, overload: int) -> Array:
        self.dims, self.overload = dims, overload
        return value.squeeze(axis=dims)

    def backward(self, grad_output: Any) -> Any:
        return Unsqueeze.apply(grad_output, dims=self.dims)

    def name(self) -> str:
        return f"SqueezeBackward{self.overload}"


class Unsqueeze(Function):
    """Insert dimensions of size 1, at these places of the result."""

    is_view = True

    def forward(self, value: Array, *, dims: Shape) -> Array:
        self.dims = dims
        return array_module(value).expand_dims(value, dims)

    def backward(self, grad_output: Any) -> Any:
        return Squeeze.apply(grad_output, dims=self.dims, overload=1)


def squeeze(input: Any, dim: int | Sequence[int] | None = None) -> Any:
    """Without its dimensions of size 1, or without those among ``dim`` that have size 1; a view.

    >>> import minitorch as torch
    >>> x = torch.zeros(1, 3, 1)
    >>> torch.squeeze(x).shape, torch.squeeze(x, 0).shape, torch.squeeze(x, 1).shape
    (torch.Size([3]), torch.Size([3, 1]), torch.Size([1, 3, 1]))
    """
    shape = raw(input).shape
    dims = tuple([each for each in normalize_dims(dim, len(shape)) if shape[each] == 1])
    return Squeeze.apply(input, dims=dims, overload=0 if dim is None else 1 if isinstance(dim, int) else 2)


def unsqueeze(input: Any, dim: int) -> Any:
    """With a new dimension of size 1 at place ``dim`` of the result; a view.

    >>> import minitorch as torch
    >>> torch.unsqueeze(torch.tensor([1, 2]), 1)
    tensor([[1],
            [2]])
    """
    return Unsqueeze.apply(input, dims=(normalize_dim(dim, raw(input).ndim + 1),))


def expand(input: Any, size: Sequence[int], *, implicit: bool = False) -> Any:
    """Repeated along dimensions of size 1, and along new leading ones, without a copy; -1 keeps a size.

    Gradient: summed over the repetitions.
    Raises: RuntimeError if a dimension of another size than 1 would have to change.

    >>> import minitorch as torch
    >>> torch.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    shape = raw(input).shape
    size = unpack_sizes((tuple(size),))
    new = len(size) - len(shape)
    if new < 0:
        raise RuntimeError(
            f"expand(torch.{from_numpy_dtype(raw(input).dtype).legacy_name}Tensor{{{list(shape)}}}, "
            f"size={list(size)}): the number of sizes provided ({len(size)}) must be greater or equal to the number "
            f"of dimensions in the tensor ({len(shape)})"
        )
    wanted = []
    for dim, each in enumerate(size):
        if each < 0 and dim < new:
            raise RuntimeError(
                f"The expanded size of the tensor ({each}) isn't allowed in a leading, non-existing dimension {dim}"
            )
        existing = shape[dim - new] if dim >= new else 1
        if existing not in (1, each) and each != -1:
            raise RuntimeError(
                f"The expanded size of the tensor ({each}) must match the existing size ({existing}) at "
                f"non-singleton dimension {dim}.  Target sizes: {list(size)}.  Tensor sizes: {list(shape)}"
            )
        wanted.append(existing if each == -1 else each)
    return BroadcastTo.apply(input, shape=tuple(wanted))


def expand_as(input: Any, other: Any) -> Any:
    """``input.expand(other.shape)``."""
    return expand(input, other.shape)


def broadcast_to(input: Any, size: Sequence[int]) -> Any:
    """``input.expand(size)``."""
    return expand(input, size)


def broadcast_shapes(*shapes: Sequence[int] | int) -> Shape:
    """The shape that tensors of these shapes broadcast to.

    Raises: RuntimeError if they do not broadcast.
    """
    common: Shape = ()
    for each in shapes:
        shape = (each,) if isinstance(each, int) else tuple(each)
        check_broadcastable(common, shape)
        padded = (*(1,) * (len(shape) - len(common)), *common)
        tail = (*(1,) * (len(padded) - len(shape)), *shape)
        common = tuple([b if a == 1 else a for a, b in zip(padded, tail)])
    return common


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """The tensors expanded to their common shape; views.

    >>> import minitorch as torch
    >>> a, b = torch.broadcast_tensors(torch.zeros(3, 1), torch.zeros(2))
    >>> a.shape, b.shape
    (torch.Size([3, 2]), torch.Size([3, 2]))
    """
    if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tuple(tensors[0])
    shape = broadcast_shapes(*[raw(tensor).shape for tensor in tensors])
    return tuple([expand(tensor, shape) for tensor in tensors])
