"""Dimensions in another order: transpose, permute, movedim and their relatives; all of them views."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array
from minitorch.ops.dims import normalize_dim


class Permute(Function):
    """Dimension i of the result is dimension dims[i] of the input;  the gradient goes back the same way."""

    is_view = True

    def forward(self, value: Array, *, dims: tuple[int, ...]) -> Array:
        self.dims = dims
        return value.transpose(dims) if dims else value[...]

    def backward(self, grad_output: Any) -> Any:
        inverse = sorted(range(len(self.dims)), key=self.dims.__getitem__)
        return Permute.apply(grad_output, dims=tuple(inverse))


class Transpose(Function):
    """Two dimensions swapped;  the gradient swapped back."""

    is_view = True

    def forward(self, value: Array, *, dim0: int, dim1: int) -> Array:
        self.dims = dim0, dim1
        return value.swapaxes(dim0, dim1) if value.ndim else value[...]

    def backward(self, grad_output: Any) -> Any:
        dim0, dim1 = self.dims
        return Transpose.apply(grad_output, dim0=dim0, dim1=dim1)


class TransposeMatrix(Transpose):
    """``t``: as ``Transpose``, under torch's name for it."""

    backward_name = "TBackward0"


def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Dimensions ``dim0`` and ``dim1`` swapped; a view.

    >>> import minitorch as torch
    >>> torch.transpose(torch.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([[1, 3],
            [2, 4]])
    """
    ndim = raw(input).ndim
    return Transpose.apply(input, dim0=normalize_dim(dim0, ndim), dim1=normalize_dim(dim1, ndim))


swapaxes = swapdims = transpose


def t(input: Any) -> Any:
    """A matrix transposed; a tensor of fewer dimensions as it is; a view.

    Raises: RuntimeError for more than two dimensions.
    """
    ndim = raw(input).ndim
    if ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {ndim}D")
    return TransposeMatrix.apply(input, dim0=0, dim1=max(ndim - 1, 0))


def permute(input: Any, dims: Sequence[int]) -> Any:
    """The dimensions in the order ``dims``: result.shape[i] = input.shape[dims[i]]; a view.

    Raises: RuntimeError if ``dims`` does not name every dimension once.

    >>> import minitorch as torch
    >>> torch.permute(torch.zeros(2, 3, 5), (2, 0, 1)).shape
    torch.Size([5, 2, 3])
    """
    ndim = raw(input).ndim
    if len(dims) != ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the "
            f"desired ordering of dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {len(dims)}"
        )
    order = tuple([normalize_dim(dim, ndim) for dim in dims])
    if len(set(order)) != ndim:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return Permute.apply(input, dims=order)


def movedim(input: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """The dimensions ``source`` moved to the places ``destination``, the others kept in order; a view.

    Raises: RuntimeError if the two have different lengths or name a dimension twice.

    >>> import minitorch as torch
    >>> torch.movedim(torch.zeros(2, 3, 5), 0, -1).shape
    torch.Size([3, 5, 2])
    """
    ndim = raw(input).ndim
    sources = (source,) if isinstance(source, int) else tuple(source)
    targets = (destination,) if isinstance(destination, int) else tuple(destination)
    if len(sources) != len(targets):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(sources)} dims) should contain the same "
            f"number of dims as destination ({list(targets)} dims)"
        )
    sources = tuple([normalize_dim(dim, ndim) for dim in sources])
    targets = tuple([normalize_dim(dim, ndim) for dim in targets])
    for name, dims in (("source", sources), ("destination", targets)):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(dims)})")
    order = [dim for dim in range(ndim) if dim not in sources]
    for target, dim in sorted(zip(targets, sources)):
        order.insert(target, dim)
    return Permute.apply(input, dims=tuple(order) if ndim else ())


moveaxis = movedim


def matrix_transpose(input: Any, name: str = "mT") -> Any:
    """``x.mT`` (and, tensors being real, ``x.mH``): the last two dimensions swapped."""
    ndim = raw(input).ndim
    if ndim < 2:
        raise RuntimeError(f"tensor.{name} is only supported on matrices or batches of matrices. Got {ndim}-D tensor.")
    return transpose(input, -2, -1)


def adjoint(input: Any) -> Any:
    """``x.H``: a matrix transposed (and conjugated, which changes nothing in real numbers)."""
    ndim = raw(input).ndim
    if ndim not in (0, 2):
        hint = " For batches of matrices, consider using tensor.mH" if ndim > 2 else ""
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {ndim}-D tensor.{hint}")
    return transpose(input, 0, 1) if ndim else input


def _warn_of_reversing(ndim: int) -> None:
    text = (
        "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw "
        "an error in a future release. Consider `x.mT` to transpose batches of matrices or `x.permute(*torch.arange("
        "x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor."
    )
    if ndim == 0:
        text = "Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases."
    warnings.warn(text, UserWarning, stacklevel=4)


def reverse_dims(input: Any) -> Any:
    """``x.T``: all dimensions in reverse order."""
    ndim = raw(input).ndim
    if ndim != 2:
        _warn_of_reversing(ndim)
    return Permute.apply(input, dims=tuple(reversed(range(ndim))))
