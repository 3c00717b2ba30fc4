"""Choosing one of two operands, element by element: where, maximum, minimum, fmax, fmin.

Where two operands of ``maximum`` are equal, a small step of either moves the result half the time: each gets
half of the gradient.
"""

from __future__ import annotations

import warnings
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import Variable, raw, wrap
from minitorch.backend import Array, HostArray, array_module, as_first, common_module
from minitorch.backend.elementwise import extreme
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.promotion import promote


class Where(Function):
    """a where the condition holds, else b; the gradient goes to the one that was chosen."""

    def forward(self, condition: Array, a: Any, b: Any) -> Array:
        self.save(condition)
        return as_first(array_module(condition).where(condition, a, b), condition, a, b)

    def backward(self, grad_output: Any) -> Any:
        (condition,) = self.saved
        _, needs_a, needs_b = self.needs_input_grad
        grad_a = where(condition, grad_output, 0) if needs_a else None
        return None, grad_a, (where(condition, 0, grad_output) if needs_b else None)


def where(condition: Any, input: Any = None, other: Any = None, *, out: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``; with one argument, the places where it holds.

    Shapes: the three broadcast. One argument: a tuple of 1-d int64 index tensors, one a dimension.
    Gradient: g for the one chosen, 0 for the other.
    Args: condition: a boolean tensor; input, other: tensors or numbers.
    Raises: RuntimeError for a condition that is not boolean, or shapes that do not broadcast; TypeError if
        only one of ``input`` and ``other`` is given.

    >>> import minitorch as torch
    >>> x = torch.tensor([-1.0, 2.0])
    >>> torch.where(x > 0, x, 0.0), torch.where(x > 0)
    (tensor([0., 2.]), (tensor([1]),))
    """
    if input is None and other is None:
        return _places(condition)
    if input is None or other is None:
        raise TypeError("where(): expected (condition) or (condition, input, other), got two arguments")
    if raw(condition).dtype.kind != "b":
        condition = _as_condition(condition)
    input, other = promote(input, other)
    result = Where.apply(condition, input, other)
    return result if out is None else write_out(result, out)


def _as_condition(condition: Any) -> Any:
    dtype = from_numpy_dtype(raw(condition).dtype)
    if dtype.name != "uint8":
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {dtype.legacy_name}"
        )
    warnings.warn("where received a uint8 condition tensor. Use a boolean condition instead.", stacklevel=3)
    return condition != 0


def _places(condition: Any) -> tuple[Any, ...]:
    array = raw(condition)
    found = (array if array.ndim else array.reshape(1)).nonzero()
    return tuple(wrap(each, condition.result_class) for each in found) if isinstance(condition, Variable) else found


class Maximum(Function):
    """max(a, b); NaN if either is NaN."""

    def forward(self, a: Array, b: Array) -> Array:
        self.save(a, b)
        result = None if a.__class__ is HostArray else extreme("maximum", a, b)
        return as_first(common_module(a, b).maximum(a, b), a, b) if result is None else result

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        needs_a, needs_b = self.needs_input_grad
        shared = where(a == b, grad_output / 2, grad_output)
        return (where(a < b, 0, shared) if needs_a else None), (where(a > b, 0, shared) if needs_b else None)


def maximum(input: Any, other: Any, *, out: Any = None) -> Any:
    """The larger of ``input`` and ``other``, element by element; NaN where either is NaN.

    Gradient: g for the larger, 0 for the smaller, g / 2 for each of two equals.
    Raises: TypeError for numbers, RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.maximum(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 2.0]))
    tensor([3., 5.])
    """
    require_tensors("maximum", input=input, other=other)
    return write_out(Maximum.apply(*promote(input, other)), out)


class Minimum(Function):
    """min(a, b); NaN if either is NaN."""

    def forward(self, a: Array, b: Array) -> Array:
        self.save(a, b)
        result = None if a.__class__ is HostArray else extreme("minimum", a, b)
        return as_first(common_module(a, b).minimum(a, b), a, b) if result is None else result

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        needs_a, needs_b = self.needs_input_grad
        shared = where(a == b, grad_output / 2, grad_output)
        return (where(a > b, 0, shared) if needs_a else None), (where(a < b, 0, shared) if needs_b else None)


def minimum(input: Any, other: Any, *, out: Any = None) -> Any:
    """The smaller of ``input`` and ``other``, element by element; NaN where either is NaN.

    Gradient: g for the smaller, 0 for the larger, g / 2 for each of two equals.
    Raises: TypeError for numbers, RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.minimum(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    require_tensors("minimum", input=input, other=other)
    return write_out(Minimum.apply(*promote(input, other)), out)


class Fmax(Function):
    """max(a, b); the other one if either is NaN."""

    def forward(self, a: Array, b: Array) -> Array:
        self.save(a, b)
        return common_module(a, b).fmax(a, b)

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        needs_a, needs_b = self.needs_input_grad
        is_first = (a >= b) | (b != b)  # b ≠ b only for NaN
        grad_a = where(is_first, grad_output, 0) if needs_a else None
        return grad_a, (where(is_first, 0, grad_output) if needs_b else None)


def fmax(input: Any, other: Any, *, out: Any = None) -> Any:
    """The larger of ``input`` and ``other``; where one is NaN, the other.

    Gradient: g for the one taken (``input`` where they are equal), 0 for the other.
    Raises: TypeError for numbers, RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.fmax(torch.tensor([1.0, float("nan")]), torch.tensor([3.0, 2.0]))
    tensor([3., 2.])
    """
    require_tensors("fmax", input=input, other=other)
    return write_out(Fmax.apply(*promote(input, other)), out)


class Fmin(Function):
    """min(a, b); the other one if either is NaN."""

    def forward(self, a: Array, b: Array) -> Array:
        self.save(a, b)
        return common_module(a, b).fmin(a, b)

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        needs_a, needs_b = self.needs_input_grad
        is_first = (a <= b) | (b != b)  # b ≠ b only for NaN
        grad_a = where(is_first, grad_output, 0) if needs_a else None
        return grad_a, (where(is_first, 0, grad_output) if needs_b else None)


def fmin(input: Any, other: Any, *, out: Any = None) -> Any:
    """The smaller of ``input`` and ``other``; where one is NaN, the other.

    Gradient: g for the one taken (``input`` where they are equal), 0 for the other.
    Raises: TypeError for numbers, RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.fmin(torch.tensor([1.0, float("nan")]), torch.tensor([3.0, 2.0]))
    tensor([1., 2.])
    """
    require_tensors("fmin", input=input, other=other)
    return write_out(Fmin.apply(*promote(input, other)), out)


def require_tensors(function: str, **arguments: Any) -> None:
    """Raise torch's TypeError if one of the arguments, given by name and in order, is not a tensor."""
    for position, (name, value) in enumerate(arguments.items(), 1):
        if not hasattr(raw(value), "dtype"):
            raise TypeError(
                f"{function}(): argument '{name}' (position {position}) must be Tensor, not {type(value).__name__}"
            )
