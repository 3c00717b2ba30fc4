"""Several tensors put together into one: cat, stack and their relatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, image_order, in_order, is_array, is_channels_last, joined, row_major
from minitorch.ops.autocast import autocasts
from minitorch.ops.dims import normalize_dim
from minitorch.ops.promotion import is_variable, promote
from minitorch.ops.shape import index_at, reshape, unsqueeze


class Cat(Function):
    """The inputs one after another along ``dim``;  each gets its part of the gradient.

    Inputs of shape (0,) are left out: torch lets them stand among tensors of any shape.
    """

    def forward(self, *values: Array, dim: int) -> Array:
        used = [value for value in values if value.shape != (0,)] or values
        self.dim = dim
        self.sizes = [0 if value.shape == (0,) else value.shape[dim] for value in values]
        return in_order(joined(used, dim), common_image_order(used))

    def backward(self, grad_output: Any) -> Any:
        parts, start = [], 0
        for size, needed in zip(self.sizes, self.needs_input_grad):
            index = index_at(self.dim, slice(start, start + size))
            parts.append(grad_output[index] if needed and size else None)
            start += size
        return tuple(parts)


class Stack(Function):
    """The inputs side by side along a new dimension;  each gets its slice of the gradient."""

    def forward(self, *values: Array, dim: int) -> Array:
        self.dim, self.count = dim, len(values)
        shape = values[0].shape
        if dim == len(shape):
            return row_major(joined([value[..., None] for value in values], dim))
        result = in_order(joined(values, dim), common_image_order(values))
        return result.reshape(*shape[:dim], len(values), *shape[dim:])

    def backward(self, grad_output: Any) -> Any:
        needed = self.needs_input_grad
        return tuple([grad_output[index_at(self.dim, i)] if needed[i] else None for i in range(self.count)])


def common_image_order(arrays: Sequence[Array]) -> tuple[int, ...]:
    """Channels last in memory if all have them last, else row-major."""
    return image_order(next((array for array in arrays if not is_channels_last(array)), arrays[0]))


def check_tensors(name: str, tensors: Any, empty_error: Exception) -> tuple[Any, ...]:
    """``tensors`` as a tuple, after checking that it is a list or tuple of tensors and not empty."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}"
        )
    for index, each in enumerate(tensors):
        if not (is_variable(each) or is_array(each)):
            raise TypeError(f"expected Tensor as element {index} in argument 0, but got {type(each).__name__}")
    if not tensors:
        raise empty_error
    return tuple(tensors)


@autocasts
def cat(tensors: Sequence[Any], dim: int = 0, *, out: Any = None) -> Any:
    """The tensors one after another along ``dim``, in their common dtype.

    Shapes: equal except in ``dim``; a tensor of shape (0,) is skipped, whatever the others' shapes.
    Gradient: each tensor gets its part.
    Raises: RuntimeError if the other sizes or the numbers of dimensions differ, and for 0-d tensors.

    >>> import minitorch as torch
    >>> torch.cat([torch.tensor([[1, 2]]), torch.tensor([[3, 4], [5, 6]])])
    tensor([[1, 2],
            [3, 4],
            [5, 6]])
    """
    tensors = check_tensors("cat", tensors, ValueError("torch.cat(): expected a non-empty list of Tensors"))
    tensors = promote(*tensors)
    shapes = [raw(tensor).shape for tensor in tensors]
    for position, shape in enumerate(shapes):
        if not shape:
            raise RuntimeError(f"zero-dimensional tensor (at position {position}) cannot be concatenated")
    used = [position for position, shape in enumerate(shapes) if shape != (0,)]
    if not used:
        normalize_dim(dim, 1)
        return write_out(Cat.apply(*tensors, dim=0), out)
    dim = normalize_dim(dim, len(shapes[used[0]]))
    for position in used[1:]:
        _check_cat_shapes(shapes[used[0]], shapes[position], dim, position)
    return write_out(Cat.apply(*tensors, dim=dim), out)


concat = concatenate = cat


def _check_cat_shapes(first: tuple[int, ...], other: tuple[int, ...], dim: int, position: int) -> None:
    if len(first) != len(other):
        raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(other)}")
    for axis, (wanted, found) in enumerate(zip(first, other)):
        if wanted != found and axis != dim:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {wanted} but got size "
                f"{found} for tensor number {position} in the list."
            )


@autocasts
def stack(tensors: Sequence[Any], dim: int = 0, *, out: Any = None) -> Any:
    """The tensors, all of one shape, side by side along a new dimension at place ``dim``.

    Gradient: each tensor gets its slice.
    Raises: RuntimeError if the shapes differ.

    >>> import minitorch as torch
    >>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    tensors = check_tensors("stack", tensors, RuntimeError("stack expects a non-empty TensorList"))
    shapes = [raw(tensor).shape for tensor in tensors]
    dim = normalize_dim(dim, len(shapes[0]) + 1)
    for position, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shapes[0])} at entry 0 and "
                f"{list(shape)} at entry {position}"
            )
    return write_out(Stack.apply(*promote(*tensors), dim=dim), out)


def atleast_1d(*tensors: Any) -> Any:
    """The tensor, or each of several, with at least one dimension: a 0-d one gets shape (1,)."""
    return _each(lambda value: value if raw(value).ndim else reshape(value, (1,)), tensors)


def atleast_2d(*tensors: Any) -> Any:
    """The tensor, or each of several, with at least two dimensions, new ones in front."""

    def widen(value: Any) -> Any:
        ndim = raw(value).ndim
        return reshape(value, (1, 1)) if ndim == 0 else unsqueeze(value, 0) if ndim == 1 else value

    return _each(widen, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """The tensor, or each of several, with at least three dimensions: (n,) → (1, n, 1), (m, n) → (m, n, 1).

    >>> import minitorch as torch
    >>> torch.atleast_3d(torch.zeros(4)).shape
    torch.Size([1, 4, 1])
    """

    def widen(value: Any) -> Any:
        ndim = raw(value).ndim
        if ndim == 0:
            return reshape(value, (1, 1, 1))
        if ndim == 1:
            return unsqueeze(unsqueeze(value, 0), -1)
        return unsqueeze(value, -1) if ndim == 2 else value

    return _each(widen, tensors)


def _each(widen: Any, tensors: tuple[Any, ...]) -> Any:
    """``widen`` of the one tensor, or a tuple of it for several (also given as one list)."""
    if len(tensors) == 1 and not isinstance(tensors[0], (tuple, list)):
        return widen(tensors[0])
    several = tensors[0] if len(tensors) == 1 else tensors
    return tuple([widen(value) for value in several])


def hstack(tensors: Sequence[Any], *, out: Any = None) -> Any:
    """The tensors joined along their second dimension, vectors along their only one.

    >>> import minitorch as torch
    >>> torch.hstack([torch.tensor([1]), torch.tensor([2, 3])])
    tensor([1, 2, 3])
    """
    tensors = atleast_1d(list(check_tensors("hstack", tensors, _empty("hstack"))))
    return cat(tensors, 0 if raw(tensors[0]).ndim == 1 else 1, out=out)


def vstack(tensors: Sequence[Any], *, out: Any = None) -> Any:
    """The tensors joined along their first dimension, vectors as rows.

    >>> import minitorch as torch
    >>> torch.vstack([torch.tensor([1, 2]), torch.tensor([[3, 4]])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat(atleast_2d(list(check_tensors("vstack", tensors, _empty("vstack")))), 0, out=out)


row_stack = vstack


def dstack(tensors: Sequence[Any], *, out: Any = None) -> Any:
    """The tensors joined along their third dimension."""
    return cat(atleast_3d(list(check_tensors("dstack", tensors, _empty("dstack")))), 2, out=out)


def column_stack(tensors: Sequence[Any], *, out: Any = None) -> Any:
    """The tensors joined along their second dimension, vectors as columns.

    >>> import minitorch as torch
    >>> torch.column_stack([torch.tensor([1, 2]), torch.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    tensors = check_tensors("column_stack", tensors, _empty("column_stack"))
    columns = [reshape(each, (raw(each).size, 1)) if raw(each).ndim < 2 else each for each in tensors]
    return hstack(columns, out=out)


def _empty(name: str) -> Exception:
    return RuntimeError(f"{name} expects a non-empty TensorList")
