"""A tensor taken apart: split, chunk, unbind, narrow, select; all of them views."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.ops.dims import normalize_dim
from minitorch.ops.indexing import BasicIndex
from minitorch.ops.joining import Cat, Stack
from minitorch.ops.shape import index_at


class Split(Function):
    """Consecutive parts along ``dim``;  the gradient is the parts' gradients, joined."""

    is_view = True
    makes_several_views = True

    def forward(self, value: Array, *, sizes: tuple[int, ...], dim: int) -> tuple[Array, ...]:
        self.input_shape, self.input_dtype, self.sizes, self.dim = value.shape, value.dtype, sizes, dim
        parts, start = [], 0
        for size in sizes:
            parts.append(value[index_at(dim, slice(start, start + size))])
            start += size
        return tuple(parts)

    def backward(self, *grad_outputs: Any) -> Any:
        before, after = self.input_shape[: self.dim], self.input_shape[self.dim + 1 :]
        shapes = [(*before, size, *after) for size in self.sizes]
        return Cat.apply(*_with_zeros(grad_outputs, shapes, self.input_dtype), dim=self.dim)


class Unbind(Function):
    """The slices along ``dim``;  the gradient is the slices' gradients, stacked."""

    is_view = True
    makes_several_views = True

    def forward(self, value: Array, *, dim: int) -> tuple[Array, ...]:
        self.input_shape, self.input_dtype, self.dim = value.shape, value.dtype, dim
        return tuple([value[index_at(dim, index)] for index in range(value.shape[dim])])

    def backward(self, *grad_outputs: Any) -> Any:
        shape = (*self.input_shape[: self.dim], *self.input_shape[self.dim + 1 :])
        shapes = [shape] * len(grad_outputs)
        return Stack.apply(*_with_zeros(grad_outputs, shapes, self.input_dtype), dim=self.dim)


def _with_zeros(gradients: Sequence[Any], shapes: Sequence[tuple[int, ...]], dtype: Any) -> list[Any]:
    """The gradients, with zeros for outputs that nobody used."""
    xp = array_module(raw(next(gradient for gradient in gradients if gradient is not None)))
    return [xp.zeros(shape, dtype) if grad is None else grad for grad, shape in zip(gradients, shapes)]


def split(tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Any, ...]:
    """Consecutive parts along ``dim``: of one size (the last may be smaller), or of these sizes; views.

    Raises: RuntimeError if the sizes do not add up to the dimension's, or for a negative size.

    >>> import minitorch as torch
    >>> torch.split(torch.tensor([1, 2, 3]), 2)
    (tensor([1, 2]), tensor([3]))
    """
    shape = raw(tensor).shape
    if not shape:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = normalize_dim(dim, len(shape))
    if isinstance(split_size_or_sections, (tuple, list)):
        sizes = tuple([operator.index(size) for size in split_size_or_sections])
        if min(sizes, default=0) < 0:
            raise RuntimeError(
                "split_with_sizes expects split_sizes have only non-negative entries, but got "
                f"split_sizes={list(sizes)}"
            )
        if sum(sizes) != shape[dim]:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes to sum exactly to {shape[dim]} (input tensor's size at "
                f"dimension {dim}), but got split_sizes={list(sizes)}"
            )
        return SplitWithSizes.apply(tensor, sizes=sizes, dim=dim)
    size = operator.index(split_size_or_sections)  # type: ignore[arg-type]
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0 and shape[dim]:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {shape[dim]}")
    return Split.apply(tensor, sizes=_equal_sizes(shape[dim], size), dim=dim)


class SplitWithSizes(Split):
    """``split`` with a list of sizes: as ``Split``, under torch's name for it."""


def _equal_sizes(total: int, size: int) -> tuple[int, ...]:
    """Sizes of parts of ``size``, of which the last takes what is left; at least one part."""
    if total == 0:
        return (0,)
    return (*(size,) * ((total - 1) // size), total - (total - 1) // size * size)


def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """At most ``chunks`` parts of equal size (the last may be smaller) along ``dim``; views.

    Raises: RuntimeError if ``chunks`` is below 1.

    >>> import minitorch as torch
    >>> torch.chunk(torch.tensor([1, 2, 3, 4, 5]), 4)
    (tensor([1, 2]), tensor([3, 4]), tensor([5]))
    """
    shape = raw(input).shape
    if not shape:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    dim = normalize_dim(dim, len(shape))
    if shape[dim] == 0:
        return SplitWithSizes.apply(input, sizes=(0,) * chunks, dim=dim)
    return split(input, -(-shape[dim] // chunks), dim)


def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """Exactly n parts (the first ones one larger where it does not divide), or parts between these indices.

    Raises: RuntimeError if n is below 1.

    >>> import minitorch as torch
    >>> torch.tensor_split(torch.tensor([1, 2, 3, 4, 5]), 3), torch.tensor_split(torch.tensor([1, 2, 3]), (1,))
    ((tensor([1, 2]), tensor([3, 4]), tensor([5])), (tensor([1]), tensor([2, 3])))
    """
    shape = raw(input).shape
    if not shape:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    dim = normalize_dim(dim, len(shape))
    sections = raw(indices_or_sections)
    sections = sections.tolist() if hasattr(sections, "tolist") else sections
    if isinstance(sections, (tuple, list)):
        bounds = [0, *sections, shape[dim]]
        return tuple([_slice(input, dim, start, stop) for start, stop in itertools.pairwise(bounds)])
    if sections <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {sections}")
    size, larger = divmod(shape[dim], sections)
    starts = [index * size + min(index, larger) for index in range(sections + 1)]
    return tuple([_slice(input, dim, start, stop) for start, stop in itertools.pairwise(starts)])


def _slice(input: Any, dim: int, start: int | None, stop: int | None, step: int = 1) -> Any:
    return BasicIndex.apply(input, index=index_at(dim, slice(start, stop, step)))


def _check_splits(name: str, input: Any, minimum: int, dim: int, indices_or_sections: Any) -> None:
    shape = raw(input).shape
    if len(shape) < minimum:
        raise RuntimeError(
            f"torch.{name} requires a tensor with at least {minimum} dimension, but got a tensor with {len(shape)} "
            "dimensions!"
        )
    if isinstance(indices_or_sections, int) and (indices_or_sections < 1 or shape[dim] % indices_or_sections):
        raise RuntimeError(
            f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {shape[dim]} is "
            f"not divisible by the split_size {indices_or_sections}!"
        )


def hsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """``tensor_split`` along the second dimension (a vector's only one), into equal parts only."""
    dim = 0 if raw(input).ndim == 1 else 1
    _check_splits("hsplit", input, 1, dim, indices_or_sections)
    return tensor_split(input, indices_or_sections, dim)


def vsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """``tensor_split`` along the first dimension of a matrix or more, into equal parts only."""
    _check_splits("vsplit", input, 2, 0, indices_or_sections)
    return tensor_split(input, indices_or_sections, 0)


def dsplit(input: Any, indices_or_sections: Any) -> tuple[Any, ...]:
    """``tensor_split`` along the third dimension, into equal parts only."""
    _check_splits("dsplit", input, 3, 2, indices_or_sections)
    return tensor_split(input, indices_or_sections, 2)


def unbind(input: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along ``dim``, without that dimension; views.

    >>> import minitorch as torch
    >>> torch.unbind(torch.tensor([[1, 2], [3, 4]]), dim=1)
    (tensor([1, 3]), tensor([2, 4]))
    """
    ndim = raw(input).ndim
    if ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return Unbind.apply(input, dim=normalize_dim(dim, ndim))


def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """The part of ``length`` slices from ``start`` on, along ``dim``; a view.

    Raises: RuntimeError if the part reaches beyond the end.

    >>> import minitorch as torch
    >>> torch.narrow(torch.tensor([1, 2, 3, 4]), 0, 1, 2)
    tensor([2, 3])
    """
    shape = raw(input).shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    dim = normalize_dim(dim, len(shape))
    size, start = shape[dim], int(raw(start))
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {start})")
    start = start + size if start < 0 else start
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return _slice(input, dim, start, start + length)


def select(input: Any, dim: int, index: int) -> Any:
    """The slice number ``index`` along ``dim``, without that dimension; a view.

    Raises: IndexError if there is no such slice.

    >>> import minitorch as torch
    >>> torch.select(torch.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    shape = raw(input).shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim, index = normalize_dim(dim, len(shape)), int(raw(index))
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {dim}")
    return BasicIndex.apply(input, index=index_at(dim, index))
