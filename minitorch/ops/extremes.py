"""The largest and smallest: max, min, amax, amin, aminmax, argmax, argmin.

Two rules for the gradient where several elements are equally large. ``max(input, dim)`` names one of them,
the first, and that one gets the whole gradient. ``max(input)``, ``amax`` and ``amin`` name none, and all of
them share it evenly. A nan counts as larger, and as smaller, than every number.
"""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch import return_types
from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, row_major
from minitorch.ops.choice import maximum, minimum, where
from minitorch.ops.dims import array_axis, normalize_dim, numpy_names, reduced_dims
from minitorch.ops.reduction import Spread, sum_array
from minitorch.ops.selection import Choice, size_along
from minitorch.ops.shape import reshape


class Amax(Function):
    """The largest over ``dims``;  all elements equal to it share its gradient evenly."""

    def forward(self, input: Array, *, dims: tuple[int, ...], keepdim: bool = False) -> Array:
        self.dims = dims
        result = row_major(self.extreme(input, array_axis(dims, input.ndim), keepdim))
        self.save(input, result)
        return result

    def extreme(self, input: Array, axis: Any, keepdim: bool) -> Array:
        return input.max(axis=axis, keepdims=keepdim)

    def backward(self, grad_output: Any) -> Any:
        """No element equals a nan: nothing is chosen there, and 0 / 0 makes the gradient nan, as in torch."""
        input, result = [raw(saved) for saved in self.saved]
        spread = {"shape": input.shape, "dims": self.dims}
        chosen = (input == Spread.apply(result, **spread)).astype(input.dtype)
        share = chosen / sum_array(chosen, self.dims, keepdim=True)
        return Spread.apply(grad_output, **spread) * share


class Amin(Amax):
    """The smallest over ``dims``;  gradient as for ``Amax``."""

    def extreme(self, input: Array, axis: Any, keepdim: bool) -> Array:
        return input.min(axis=axis, keepdims=keepdim)


class MaxOfAll(Amax):
    """The largest of all elements; a nan, unlike in ``Amax``, shares the gradient with the other nans."""

    backward_name = "MaxBackward1"

    def backward(self, grad_output: Any) -> Any:
        input, result = [raw(saved) for saved in self.saved]
        chosen = (input == result) | ((input != input) & (result != result))
        count = sum_array(chosen.astype(input.dtype), self.dims)
        return where(chosen, Spread.apply(grad_output / count, shape=input.shape, dims=self.dims), 0)


class MinOfAll(MaxOfAll):
    """The smallest of all elements; gradient as for ``MaxOfAll``."""

    backward_name = "MinBackward1"

    def extreme(self, input: Array, axis: Any, keepdim: bool) -> Array:
        return input.min(axis=axis, keepdims=keepdim)


class Max(Choice):
    """(values, indices) of the first largest element along ``dim``."""

    def choose(self, input: Array, dim: int, **options: Any) -> Array:
        return array_module(input).expand_dims(input.argmax(axis=dim), dim)


class Min(Choice):
    """(values, indices) of the first smallest element along ``dim``."""

    def choose(self, input: Array, dim: int, **options: Any) -> Array:
        return array_module(input).expand_dims(input.argmin(axis=dim), dim)


@numpy_names
def amax(input: Any, dim: Any = (), keepdim: bool = False, *, out: Any = None) -> Any:
    """The largest of all elements, or over ``dim``.

    Gradient: shared evenly among the elements that are equal to the largest.
    Args: dim: None or () for all, an integer, or several.
    Raises: IndexError where a reduced dimension has size 0, or does not exist; RuntimeError for all
    dimensions of a tensor without elements.

    >>> import minitorch as torch
    >>> torch.amax(torch.tensor([[1.0, 3.0], [2.0, 0.0]]), dim=(0, 1))
    tensor(3.)
    """
    return _extreme("amax", Amax, input, dim, keepdim, out)


@numpy_names
def amin(input: Any, dim: Any = (), keepdim: bool = False, *, out: Any = None) -> Any:
    """The smallest of all elements, or over ``dim``.

    Gradient, arguments and errors: as ``amax``.

    >>> import minitorch as torch
    >>> torch.amin(torch.tensor([[1.0, 3.0], [2.0, 0.0]]), dim=1)
    tensor([1., 0.])
    """
    return _extreme("amin", Amin, input, dim, keepdim, out)


def _extreme(name: str, function: type[Function], input: Any, dim: Any, keepdim: bool, out: Any) -> Any:
    array = raw(input)
    dims = reduced_dims(dim, array.ndim)
    if array.size == 0:
        _check_not_empty(name, array, dims, is_full=dim is None or dim == ())
    if out is not None and raw(out).dtype != array.dtype:
        raise RuntimeError(
            "Expected the dtype for input and out to match, but got "
            f"{dtypes.dtype_of(array).legacy_name} for input's dtype and {out.dtype.legacy_name} for out's dtype."
        )
    return write_out(function.apply(input, dims=dims, keepdim=keepdim), out)


def _check_not_empty(name: str, array: Array, dims: tuple[int, ...], is_full: bool) -> None:
    """Raise torch's error if nothing would meet in an element of the result: there is no largest of nothing."""
    if is_full:
        raise RuntimeError(
            f"{name}(): Expected reduction dim to be specified for input.numel() == 0. "
            "Specify the reduction dim with the 'dim' argument."
        )
    for dim in dims:
        if array.shape[dim] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {dim} to have non-zero size.")


@numpy_names
def max(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The largest element: ``max(input)``; (values, indices): ``max(input, dim)``; ``max(input, other)``: maximum.

    Gradient: of ``max(input)``, shared evenly among equals; along ``dim``, all to the element at the index.
    Args: dim: one dimension; out: a tensor, or a pair of them with ``dim``.
    Raises: RuntimeError (without ``dim``) or IndexError (with it) if there is no element to choose.
    Numerics: nan counts as the largest; along ``dim`` the first of equals is chosen.

    >>> import minitorch as torch
    >>> x = torch.tensor([[1.0, 3.0], [2.0, 0.0]])
    >>> torch.max(x)
    tensor(3.)
    >>> torch.max(x, 1).indices
    tensor([1, 0])
    """
    return _max_or_min("max", (MaxOfAll, Max, maximum, return_types.max), input, dim, keepdim, other, out)


@numpy_names
def min(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
    """The smallest element: ``min(input)``; (values, indices): ``min(input, dim)``; ``min(input, other)``: minimum.

    Gradient, arguments, errors and ties: as ``max``; nan counts as the smallest.

    >>> import minitorch as torch
    >>> torch.min(torch.tensor([[1.0, 3.0], [2.0, 0.0]]), 0).values
    tensor([1., 0.])
    """
    return _max_or_min("min", (MinOfAll, Min, minimum, return_types.min), input, dim, keepdim, other, out)


def _max_or_min(name: str, kinds: Any, input: Any, dim: Any, keepdim: bool, other: Any, out: Any) -> Any:
    of_all, along, elementwise, result_type = kinds
    if other is None and hasattr(dim, "shape"):
        dim, other = None, dim
    if other is not None:
        return elementwise(input, other, out=out)
    array = raw(input)
    if dim is None:
        if array.size == 0:
            _check_not_empty(name, array, (), is_full=True)
        return write_out(of_all.apply(input, dims=tuple(range(array.ndim))), out)
    dim = normalize_dim(dim, array.ndim)
    if size_along(input, dim) == 0:
        _check_not_empty(name, array, (dim,), is_full=False)
    return result_type(*write_out(along.apply(input, dim=dim, keepdim=keepdim), out))


@numpy_names
def aminmax(input: Any, *, dim: int | None = None, keepdim: bool = False, out: Any = None) -> Any:
    """(min, max): the smallest and the largest of all elements, or along ``dim``.

    Gradient: shared evenly among equals, as for ``amin`` and ``amax``.
    Args: dim: one dimension; out: a pair of tensors.
    Raises: RuntimeError (without ``dim``) or IndexError (with it) if there is no element to choose.

    >>> import minitorch as torch
    >>> torch.aminmax(torch.tensor([2.0, 5.0, 1.0]))
    torch.return_types.aminmax(
    min=tensor(1.),
    max=tensor(5.))
    """
    array = raw(input)
    if dim is None and array.size == 0:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    if dim is not None and size_along(input, normalize_dim(dim, array.ndim)) == 0:
        raise IndexError(f"aminmax: Expected reduction dim {dim} to have non-zero size.")
    pair = amin(input, dim, keepdim), amax(input, dim, keepdim)
    return return_types.aminmax(*write_out(pair, out))


class Argmax(Function):
    """The position of the first largest element along ``dim``; it has no gradient."""

    def forward(self, input: Array, *, dim: int, keepdim: bool) -> Array:
        return self.position(input, dim, keepdim)

    def position(self, input: Array, dim: int, keepdim: bool) -> Array:
        return input.argmax(axis=dim, keepdims=keepdim)


class Argmin(Argmax):
    """The position of the first smallest element along ``dim``."""

    def position(self, input: Array, dim: int, keepdim: bool) -> Array:
        return input.argmin(axis=dim, keepdims=keepdim)


@numpy_names
def argmax(input: Any, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The position of the largest element: in the flattened input, or along ``dim``.

    Shapes: as a reduction; int64.
    Raises: IndexError if there is no element to choose; RuntimeError for bool.
    Numerics: the first of equals; nan counts as the largest.

    >>> import minitorch as torch
    >>> torch.argmax(torch.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([1, 0])
    """
    return _position("argmax", Argmax, input, dim, keepdim, out)


@numpy_names
def argmin(input: Any, dim: int | None = None, keepdim: bool = False, *, out: Any = None) -> Any:
    """The position of the smallest element: in the flattened input, or along ``dim``; as ``argmax``.

    >>> import minitorch as torch
    >>> torch.argmin(torch.tensor([[1.0, 5.0], [7.0, 2.0]]), dim=1)
    tensor([0, 1])
    """
    return _position("argmin", Argmin, input, dim, keepdim, out)


def _position(name: str, function: type[Function], input: Any, dim: Any, keepdim: bool, out: Any) -> Any:
    array = raw(input)
    if array.dtype.kind == "b":
        raise RuntimeError(f"{name}(): does not support bool input")
    if dim is None:
        if array.size == 0:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        found = function.apply(reshape(input, (-1,)), dim=0, keepdim=False)
        return write_out(reshape(found, (1,) * array.ndim) if keepdim else found, out)
    dim = normalize_dim(dim, array.ndim)
    if array.ndim == 0:
        return write_out(function.apply(reshape(input, (1,)), dim=0, keepdim=False), out)
    if array.shape[dim] == 0:
        _check_not_empty(name, array, (dim,), is_full=False)
    return write_out(function.apply(input, dim=dim, keepdim=keepdim), out)
