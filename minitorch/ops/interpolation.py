"""Fused sums: lerp (between two ends), addcmul and addcdiv (plus a product, plus a quotient)."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.autograd.variable import raw
from minitorch.backend import Array, HostArray, array_module
from minitorch.dtypes import from_numpy_dtype
from minitorch.ops.autocast import autocasts
from minitorch.ops.choice import require_tensors
from minitorch.ops.fused_cuda import fused_if_alike
from minitorch.ops.operand import narrow, widen
from minitorch.ops.promotion import is_number, promote, to_dtype


class Lerp(Function):
    """a + w · (b − a);  ∂/∂a = 1 − w, ∂/∂b = w, ∂/∂w = b − a."""

    def forward(self, a: Array, b: Array, weight: Any) -> Array:
        if not is_number(weight):
            self.backward_name = "LerpBackward1"
        needs_weight = self.needs_input_grad[2]
        self.save(a if needs_weight else None, b if needs_weight else None, weight)
        return narrow(_interpolate(widen(a), widen(b), weight), a)

    def backward(self, grad_output: Any) -> Any:
        a, b, weight = self.saved
        needs_a, needs_b, needs_weight = self.needs_input_grad
        grad_a = grad_output * (1 - weight) if needs_a else None
        grad_b = grad_output * weight if needs_b else None
        return grad_a, grad_b, (grad_output * (b - a) if needs_weight else None)


def _interpolate(a: Array, b: Array, weight: Any) -> Array:
    """Start from the nearer end, so that weight 1 gives exactly b."""
    difference = b - a
    if is_number(weight):
        return a + weight * difference if abs(weight) < 0.5 else b - (1 - weight) * difference
    weight = widen(weight)
    xp = array_module(difference)
    return xp.where(xp.abs(weight) < 0.5, a + weight * difference, b - (1 - weight) * difference)


def lerp(input: Any, end: Any, weight: Any, *, out: Any = None) -> Any:
    """The point between ``input`` (weight 0) and ``end`` (weight 1).

    Formula: input + weight · (end − input).
    Gradient: (1 − weight) · g for ``input``, weight · g for ``end``, (end − input) · g for ``weight``.
    Args: weight: a number or a tensor.
    Raises: RuntimeError for unlike dtypes or shapes that do not broadcast; NotImplementedError for integers.

    >>> import minitorch as torch
    >>> torch.lerp(torch.tensor([0.0, 10.0]), torch.tensor([10.0, 20.0]), 0.25)
    tensor([ 2.5000, 12.5000])
    """
    require_tensors("lerp", input=input, end=end)
    dtype = from_numpy_dtype(raw(input).dtype)
    _check_same_dtype("end", end, dtype)
    if not dtype.is_floating_point:
        raise NotImplementedError(f"\"lerp_kernel\" not implemented for '{dtype.legacy_name}'")
    if not is_number(weight):
        if raw(weight).ndim > 0:
            _check_same_dtype("weight", weight, dtype)
        weight = to_dtype(weight, dtype)
    return write_out(Lerp.apply(input, end, weight), out)


def _check_same_dtype(name: str, value: Any, expected: Any) -> None:
    found = from_numpy_dtype(raw(value).dtype)
    if found is not expected:
        names = expected.legacy_name.lower(), found.legacy_name.lower()
        raise RuntimeError(f"expected dtype {names[0]} for `{name}` but got dtype {names[1]}")


class Addcmul(Function):
    """a + value · b · c;  ∂/∂a = 1, ∂/∂b = value · c, ∂/∂c = value · b."""

    def forward(self, a: Array, b: Array, c: Array, *, value: Any) -> Array:
        self.value = value
        _, needs_b, needs_c = self.needs_input_grad[:3]
        self.save(b if needs_c else None, c if needs_b else None)
        result = None if a.__class__ is HostArray else fused_if_alike("addcmul", (a, b, c), value)
        return narrow(widen(a) + value * widen(b) * widen(c), a) if result is None else result

    def backward(self, grad_output: Any) -> Any:
        b, c = self.saved
        grad_b = None if c is None else grad_output * (c * self.value)
        return grad_output, grad_b, (None if b is None else grad_output * (b * self.value))


@autocasts
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1, out: Any = None) -> Any:
    """input + value · tensor1 · tensor2, element by element.

    Gradient: g for ``input``, value · tensor2 · g for ``tensor1``, value · tensor1 · g for ``tensor2``.
    Args: value: a number; for an integer result it is cut to an integer.
    Raises: RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.addcmul(torch.tensor([1.0, 1.0]), torch.tensor([2.0, 3.0]), torch.tensor([4.0, 5.0]), value=0.5)
    tensor([5.0000, 8.5000])
    """
    require_tensors("addcmul", input=input, tensor1=tensor1, tensor2=tensor2)
    operands = promote(input, tensor1, tensor2)
    return write_out(Addcmul.apply(*operands, value=_factor("addcmul", value, operands[0])), out)


class Addcdiv(Function):
    """a + value · b / c;  ∂/∂a = 1, ∂/∂b = value / c, ∂/∂c = −value · b / c²."""

    def forward(self, a: Array, b: Array, c: Array, *, value: Any) -> Array:
        self.value = value
        self.save(b if self.needs_input_grad[2] else None, c)
        result = None if a.__class__ is HostArray else fused_if_alike("addcdiv", (a, b, c), value)
        return narrow(widen(a) + value * widen(b) / widen(c), a) if result is None else result

    def backward(self, grad_output: Any) -> Any:
        b, c = self.saved
        _, needs_b, needs_c = self.needs_input_grad
        grad_b = grad_output * (self.value / c) if needs_b else None
        return grad_output, grad_b, (-grad_output * (self.value * ((b / c) / c)) if needs_c else None)


@autocasts
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: float = 1, out: Any = None) -> Any:
    """input + value · tensor1 / tensor2, element by element.

    Gradient: g for ``input``, value / tensor2 · g for ``tensor1``, −value · tensor1 / tensor2² · g for
        ``tensor2``.
    Raises: RuntimeError if the shapes do not broadcast, or if both ``tensor1`` and ``tensor2`` are integers.

    >>> import minitorch as torch
    >>> torch.addcdiv(torch.tensor([1.0, 1.0]), torch.tensor([2.0, 3.0]), torch.tensor([4.0, 6.0]), value=2)
    tensor([2., 2.])
    """
    require_tensors("addcdiv", input=input, tensor1=tensor1, tensor2=tensor2)
    if all(raw(each).dtype.kind != "f" for each in (tensor1, tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will "
            "perform a true division of tensor1 and tensor2. Divide with torch.div and its rounding_mode instead."
        )
    operands = promote(input, tensor1, tensor2)
    return write_out(Addcdiv.apply(*operands, value=_factor("addcdiv", value, operands[0])), out)


def _factor(name: str, value: Any, like: Any) -> Any:
    """``value`` as a factor for ``like``'s dtype: unchanged, or cut to an integer of that dtype."""
    if not is_number(value):
        raise TypeError(f"{name}(): argument 'value' must be Number, not {type(value).__name__}")
    dtype = from_numpy_dtype(raw(like).dtype)
    return value if dtype.is_floating_point else to_dtype(int(value), dtype)
