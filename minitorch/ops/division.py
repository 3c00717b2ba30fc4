"""Quotients and remainders: div, floor_divide, remainder, fmod.

True division of integers gives the default floating-point dtype. The two remainders differ in their sign:
``remainder`` (Python's %) has the divisor's, ``fmod`` (C's) the dividend's:

    a = floor(a / b) · b + remainder(a, b) = trunc(a / b) · b + fmod(a, b)
"""

from __future__ import annotations

import operator
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import apply_inplace, write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, HostArray, as_first, common_module, is_on_cpu
from minitorch.backend.elementwise import combined
from minitorch.ops.arithmetic import goes_in_place
from minitorch.ops.autocast import autocasts
from minitorch.ops.fused_cuda import fused_if_alike
from minitorch.ops.operand import zeros_like_gradient
from minitorch.ops.promotion import is_floating, promote, to_floating


class Div(Function):
    """a / b;  ∂/∂a = 1/b, ∂/∂b = −a/b²."""

    def forward(self, a: Array, b: Array, *, in_place: bool = False) -> Array:
        needs_b = self.needs_input_grad[1]
        self.save(a if needs_b else None, b)
        if a.__class__ is HostArray or b.__class__ is HostArray:
            return as_first(a / b, a, b)
        return combined(operator.truediv, a, b, in_place and not needs_b)  # a is saved for b

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        grad_a = _quotient(grad_output, b) if self.needs_input_grad[0] else None
        return grad_a, (None if a is None else _denominator_gradient(grad_output, a, b))


def _quotient(a: Any, b: Any) -> Any:
    """a / b in a gradient: of arrays, computed as ``div`` does, and without its checks."""
    return a / b if a.__class__ is HostArray else combined(operator.truediv, a, b)


def _denominator_gradient(grad_output: Any, a: Any, b: Any) -> Any:
    """−g · (a / b) / b, not −g · a / b²: the square may overflow where the quotient does not."""
    if grad_output.__class__ is not HostArray:
        result = fused_if_alike("quotient_gradient", (grad_output, a, b), -1.0)
        if result is not None:
            return result
    return -grad_output * ((a / b) / b)


def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Any = None) -> Any:
    """input / other, element by element, rounded as asked.

    Gradient: g / other for ``input``, −g · input / other² for ``other``; zero if rounded.
    Args: rounding_mode: None, the true quotient, in a floating-point dtype even for integers; "trunc", towards
        zero; "floor", downwards. Rounded quotients of integers are integers.
    Raises: RuntimeError if the shapes do not broadcast, for another rounding_mode, and ("ZeroDivisionError")
        for a rounded integer division by zero on the CPU.

    >>> import minitorch as torch
    >>> torch.div(torch.tensor([7, -7]), 2), torch.div(torch.tensor([7, -7]), 2, rounding_mode="floor")
    (tensor([ 3.5000, -3.5000]), tensor([ 3, -4]))
    """
    if rounding_mode is not None:
        return write_out(_rounded_div(input, other, rounding_mode), out)
    a, b = promote(input, other)
    if not (is_floating(a) or is_floating(b)):
        a, b = to_floating(input), to_floating(other)
    result = Div.apply(a, b)
    return result if out is None else write_out(result, out)


def div_(input: Any, other: Any, *, rounding_mode: str | None = None) -> Any:
    """``div`` in place: on a GPU the quotient is written where ``input`` was read."""
    if input.array.__class__ is HostArray or rounding_mode is not None or not goes_in_place(input, other):
        return apply_inplace(input, lambda old: div(old, other, rounding_mode=rounding_mode))
    return apply_inplace(input, lambda old: Div.apply(old, other, in_place=True))


def true_divide(input: Any, other: Any, *, out: Any = None) -> Any:
    """``div`` without rounding.

    >>> import minitorch as torch
    >>> torch.true_divide(torch.tensor([1, 3]), 2)
    tensor([0.5000, 1.5000])
    """
    return div(input, other, out=out)


@autocasts
def rdiv(input: Any, other: Any) -> Any:
    """``other / input``: what ``number / tensor`` means."""
    return div(other, input)


class RoundedDiv(Function):
    """floor(a / b) or trunc(a / b): constant between jumps, so the gradient is zero."""

    backward_name = "DivBackward2"

    def forward(self, a: Array, b: Array, *, rounding_mode: str) -> Array:
        return _floor_quotient(a, b) if rounding_mode == "floor" else _truncated_quotient(a, b)

    def backward(self, grad_output: Any) -> Any:
        return tuple(zeros_like_gradient(grad_output) if needed else None for needed in self.needs_input_grad)


def _rounded_div(input: Any, other: Any, rounding_mode: str) -> Any:
    if rounding_mode not in ("trunc", "floor"):
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    input, other = promote(input, other)
    _check_divisible(f"div_{rounding_mode}", input, other)
    return RoundedDiv.apply(input, other, rounding_mode=rounding_mode)


def _floor_quotient(a: Array, b: Array) -> Array:
    return a // b


def _truncated_quotient(a: Array, b: Array) -> Array:
    """Integers have no trunc(a / b): the floor, plus one where it lies below a quotient that is not whole."""
    if is_floating(a) or is_floating(b):
        return common_module(a, b).trunc(a / b)
    quotient = a // b
    return quotient + ((quotient < 0) & (quotient * b != a))


def _check_divisible(name: str, dividend: Any, divisor: Any) -> None:
    """Refuse booleans, and integer division by zero; a GPU is not asked, since that would wait for it."""
    a, b = raw(dividend), raw(divisor)
    if is_floating(a) or is_floating(b):
        return
    if a.dtype.kind == "b":
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")
    if is_on_cpu(a) and is_on_cpu(b) and a.size and not b.all():
        raise RuntimeError("ZeroDivisionError")


class FloorDivide(Function):
    """floor(a / b), for which torch defines no derivative."""

    def forward(self, a: Array, b: Array) -> Array:
        return _floor_quotient(a, b)

    def backward(self, grad_output: Any) -> Any:
        raise RuntimeError("derivative for aten::floor_divide is not implemented")


def floor_divide(input: Any, other: Any, *, out: Any = None) -> Any:
    """floor(input / other), element by element, in the operands' dtype.

    Gradient: none, as in torch; ``div(..., rounding_mode="floor")`` has a gradient of zero.
    Raises: RuntimeError if the shapes do not broadcast, for integer division by zero on the CPU, and in
        backward.

    >>> import minitorch as torch
    >>> torch.floor_divide(torch.tensor([7.0, -7.0]), 2)
    tensor([ 3., -4.])
    """
    input, other = promote(input, other)
    _check_divisible("div_floor", input, other)
    return write_out(FloorDivide.apply(input, other), out)


class Remainder(Function):
    """a − floor(a / b) · b;  ∂/∂a = 1, ∂/∂b = −floor(a / b)."""

    def forward(self, a: Array, b: Array) -> Array:
        self.save(*((a, b) if self.needs_input_grad[1] else ()))
        return a % b

    def backward(self, grad_output: Any) -> Any:
        if not self.needs_input_grad[1]:
            return grad_output, None
        a, b = self.saved
        return grad_output, -grad_output * div(a, b, rounding_mode="floor")


def remainder(input: Any, other: Any, *, out: Any = None) -> Any:
    """What is left of ``input`` after whole multiples of ``other``, with the sign of ``other``; Python's %.

    Formula: input − floor(input / other) · other.
    Gradient: g for ``input``, −g · floor(input / other) for ``other``.
    Raises: RuntimeError if the shapes do not broadcast, for an integer divisor of zero on the CPU.

    >>> import minitorch as torch
    >>> torch.remainder(torch.tensor([5, -5]), 3)
    tensor([2, 1])
    """
    input, other = promote(input, other)
    _check_divisible("remainder", input, other)
    return write_out(Remainder.apply(input, other), out)


class Fmod(Function):
    """a − trunc(a / b) · b;  ∂/∂a = 1, ∂/∂b = −trunc(a / b)."""

    def forward(self, a: Array, b: Array) -> Array:
        self.save(*((a, b) if self.needs_input_grad[1] else ()))
        return common_module(a, b).fmod(a, b)

    def backward(self, grad_output: Any) -> Any:
        if not self.needs_input_grad[1]:
            return grad_output, None
        a, b = self.saved
        return grad_output, -grad_output * div(a, b, rounding_mode="trunc")


def fmod(input: Any, other: Any, *, out: Any = None) -> Any:
    """What is left of ``input`` after whole multiples of ``other``, with the sign of ``input``; C's fmod.

    Formula: input − trunc(input / other) · other.
    Gradient: g for ``input``, −g · trunc(input / other) for ``other``.
    Raises: RuntimeError if the shapes do not broadcast, for an integer divisor of zero on the CPU.

    >>> import minitorch as torch
    >>> torch.fmod(torch.tensor([5, -5]), 3)
    tensor([ 2, -2])
    """
    input, other = promote(input, other)
    _check_divisible("fmod", input, other)
    return write_out(Fmod.apply(input, other), out)


divide = div
