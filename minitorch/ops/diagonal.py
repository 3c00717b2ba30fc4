"""Diagonals and triangles: diag, diagonal, diag_embed, tril, triu and their indices.

Diagonal ``offset`` of a matrix holds its elements (i, i + offset): 0 is the main one, positive ones lie above.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.primitive import Clone
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, row_major
from minitorch.ops.dims import normalize_dim
from minitorch.ops.indexing import BasicIndex
from minitorch.ops.shape import index_at


def _diagonal_of(value: Array, offset: int, dim1: int, dim2: int) -> Array:
    """A writable view of one diagonal, as the last dimension."""
    rows, columns = value.shape[dim1], value.shape[dim2]
    length = max(min(rows + min(offset, 0), columns - max(offset, 0)), 0)
    kept = [dim for dim in range(value.ndim) if dim not in (dim1, dim2)]
    start: list[Any] = [slice(None)] * value.ndim
    if length:
        start[dim1], start[dim2] = slice(max(-offset, 0), None), slice(max(offset, 0), None)
    corner = value[tuple(start)]
    strides = [corner.strides[dim] for dim in kept] + [corner.strides[dim1] + corner.strides[dim2]]
    shape = [corner.shape[dim] for dim in kept] + [length]
    return array_module(value).lib.stride_tricks.as_strided(corner, shape, strides)


class Diagonal(Function):
    """One diagonal, as a view;  the gradient is zero elsewhere."""

    is_view = True

    def forward(self, value: Array, *, offset: int, dim1: int, dim2: int) -> Array:
        self.options = {"offset": offset, "dim1": dim1, "dim2": dim2}
        self.input_shape = value.shape
        return _diagonal_of(value, offset, dim1, dim2)

    def backward(self, grad_output: Any) -> Any:
        return EmbedDiagonal.apply(grad_output, shape=self.input_shape, **self.options)


class EmbedDiagonal(Function):
    """Zeros of ``shape`` with the value on one diagonal: the adjoint of ``Diagonal``."""

    backward_name = "DiagEmbedBackward0"

    def forward(self, value: Array, *, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> Array:
        self.options = {"offset": offset, "dim1": dim1, "dim2": dim2}
        result = array_module(value).zeros(shape, value.dtype)
        _diagonal_of(result, offset, dim1, dim2)[...] = value
        return result

    def backward(self, grad_output: Any) -> Any:
        return Clone.apply(Diagonal.apply(grad_output, **self.options))


def _two_dims(dim1: int, dim2: int, ndim: int) -> tuple[int, int]:
    first, second = normalize_dim(dim1, ndim), normalize_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of the matrices that ``dim1`` and ``dim2`` span, as a new last dimension; a view.

    Gradient: back on the diagonal, zero elsewhere.
    Raises: RuntimeError if the two dimensions are one.

    >>> import minitorch as torch
    >>> torch.diagonal(torch.tensor([[1, 2, 3], [4, 5, 6]]), 1)
    tensor([2, 6])
    """
    ndim = raw(input).ndim
    if ndim == 0:
        normalize_dim(dim2, 0)
    dim1, dim2 = _two_dims(dim1, dim2, ndim)
    return Diagonal.apply(input, offset=offset, dim1=dim1, dim2=dim2)


def diag_embed(input: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """Matrices that are zero except for a diagonal: the last dimension of the input; ``dim1``, ``dim2`` span them.

    Raises: RuntimeError if the two dimensions are one.

    >>> import minitorch as torch
    >>> torch.diag_embed(torch.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    shape = raw(input).shape
    dim1, dim2 = _two_dims(dim1, dim2, len(shape) + 1)
    size = shape[-1] + abs(offset)
    result = list(shape[:-1])
    for dim in sorted((dim1, dim2)):
        result.insert(dim, size)
    return EmbedDiagonal.apply(input, shape=tuple(result), offset=offset, dim1=dim1, dim2=dim2)


def diag(input: Any, diagonal: int = 0, *, out: Any = None) -> Any:
    """Of a matrix its diagonal, of a vector the matrix with that diagonal; a copy.

    Raises: RuntimeError for other numbers of dimensions.

    >>> import minitorch as torch
    >>> torch.diag(torch.tensor([[1, 2], [3, 4]])), torch.diag(torch.tensor([5]), 1)
    (tensor([1, 4]), tensor([[0, 5],
            [0, 0]]))
    """
    ndim = raw(input).ndim
    if ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {ndim}D")
    if ndim == 1:
        return write_out(diag_embed(input, diagonal), out)
    return write_out(Clone.apply(Diagonal.apply(input, offset=diagonal, dim1=0, dim2=1)), out)


def diagflat(input: Any, offset: int = 0) -> Any:
    """The matrix whose diagonal is the flattened input."""
    return diag_embed(input.reshape(-1), offset)


class Tril(Function):
    """Zero above a diagonal;  so is the gradient."""

    def forward(self, value: Array, *, diagonal: int) -> Array:
        self.diagonal = diagonal
        return row_major(array_module(value).tril(value, diagonal))

    def backward(self, grad_output: Any) -> Any:
        return type(self).apply(grad_output, diagonal=self.diagonal)


class Triu(Tril):
    """Zero below a diagonal;  so is the gradient."""

    def forward(self, value: Array, *, diagonal: int) -> Array:
        self.diagonal = diagonal
        return row_major(array_module(value).triu(value, diagonal))


def tril(input: Any, diagonal: int = 0, *, out: Any = None) -> Any:
    """The lower triangle of matrices: zero above the diagonal.

    Raises: RuntimeError for fewer than two dimensions.

    >>> import minitorch as torch
    >>> torch.tril(torch.tensor([[1, 2], [3, 4]]))
    tensor([[1, 0],
            [3, 4]])
    """
    if raw(input).ndim < 2:
        raise RuntimeError("tril: input tensor must have at least 2 dimensions")
    return write_out(Tril.apply(input, diagonal=diagonal), out)


def triu(input: Any, diagonal: int = 0, *, out: Any = None) -> Any:
    """The upper triangle of matrices: zero below the diagonal.

    Raises: RuntimeError for fewer than two dimensions.

    >>> import minitorch as torch
    >>> torch.triu(torch.tensor([[1, 2], [3, 4]]), 1)
    tensor([[0, 2],
            [0, 0]])
    """
    if raw(input).ndim < 2:
        raise RuntimeError("triu: input tensor must have at least 2 dimensions")
    return write_out(Triu.apply(input, diagonal=diagonal), out)


class _Assigned(Function):
    """A copy of the input in which one view of it shows ``source``."""

    def forward(self, input: Array, source: Array, *, view: type[Function], options: dict[str, Any]) -> Array:
        self.view, self.options = view, options
        result = input.copy()
        view().forward(result, **options)[...] = source
        return result

    def backward(self, grad_output: Any) -> Any:
        needs_input, needs_source = self.needs_input_grad[:2]
        part = self.view.apply(grad_output, **self.options)
        grad_input = None
        if needs_input:
            zero = array_module(raw(part)).zeros_like(raw(part))
            grad_input = type(self).apply(grad_output, zero, view=self.view, options=self.options)
        return grad_input, (Clone.apply(part) if needs_source else None)


class SelectScatter(_Assigned):
    """``select_scatter``, under torch's name for it."""


class SliceScatter(_Assigned):
    """``slice_scatter``, under torch's name for it."""


class DiagonalScatter(_Assigned):
    """``diagonal_scatter``, under torch's name for it."""


def _assign(function: type[Function], input: Any, source: Any, view: type[Function], options: dict[str, Any]) -> Any:
    shape = view().forward(raw(input), **options).shape
    if raw(source).shape != shape:
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(raw(source).shape)}, slice size = {list(shape)}"
        )
    return function.apply(input, source, view=view, options=options)


def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """A copy of ``input`` with ``src`` as its slice number ``index`` along ``dim``.

    >>> import minitorch as torch
    >>> torch.select_scatter(torch.zeros(2, 2), torch.ones(2), 0, 1)
    tensor([[0., 0.],
            [1., 1.]])
    """
    shape = raw(input).shape
    dim = normalize_dim(dim, len(shape))
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(f"index {index} is out of bounds for dimension {dim} with size {shape[dim]}")
    options = {"index": index_at(dim, index)}
    return _assign(SelectScatter, input, src, BasicIndex, options)


def slice_scatter(
    input: Any, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Any:
    """A copy of ``input`` with ``src`` as its slices start : end : step along ``dim``.

    >>> import minitorch as torch
    >>> torch.slice_scatter(torch.zeros(4), torch.ones(2), 0, 1, 3)
    tensor([0., 1., 1., 0.])
    """
    dim = normalize_dim(dim, raw(input).ndim)
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    options = {"index": index_at(dim, slice(start, end, step))}
    return _assign(SliceScatter, input, src, BasicIndex, options)


def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A copy of ``input`` with ``src`` as its diagonal.

    >>> import minitorch as torch
    >>> torch.diagonal_scatter(torch.zeros(2, 2), torch.ones(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    dim1, dim2 = _two_dims(dim1, dim2, raw(input).ndim)
    return _assign(DiagonalScatter, input, src, Diagonal, {"offset": offset, "dim1": dim1, "dim2": dim2})
