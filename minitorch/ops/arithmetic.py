"""Sums, differences and products of two operands, element by element: add, sub, mul, neg.

Operands broadcast. A backward here may return a gradient of the broadcast shape: the engine sums it down to
the operand's own (see ``autograd/primitive.py``). Quotients are in ``division.py``, powers in ``power.py``.
"""

from __future__ import annotations

import operator
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import apply_inplace, may_compute_in_place, write_out
from minitorch.autograd.variable import Variable, raw
from minitorch.backend import Array, HostArray, as_first
from minitorch.backend.elementwise import combined, function_of
from minitorch.backend.launching import runs_kernels
from minitorch.dtypes import dtype_of, from_numpy_dtype
from minitorch.ops.fused_cuda import fused_if_alike
from minitorch.ops.promotion import check_range, is_number, promote, to_dtype


def times(a: Any, b: Any) -> Any:
    """a · b in a gradient: of arrays, computed as ``mul`` does, and without its checks."""
    return a * b if a.__class__ is HostArray else combined(operator.mul, a, b)


def negated(a: Any) -> Any:
    """−a in a gradient."""
    return -a if a.__class__ is HostArray or not runs_kernels(a) else function_of("negative", a)


class Add(Function):
    """a + alpha · b;  ∂/∂a = 1, ∂/∂b = alpha."""

    alpha: Any = None  # None means 1, the usual case

    def forward(self, a: Array, b: Array, *, alpha: Any = None, in_place: bool = False) -> Array:
        if alpha is not None:
            self.alpha = alpha
            result = None if a.__class__ is HostArray else fused_if_alike("add_scaled", (a, b), alpha, in_place)
            return as_first(a + alpha * b, a, b) if result is None else result
        if a.__class__ is HostArray:
            result = a + b  # row-major operands need no call: small sums count nanoseconds
            return result if a.flags.c_contiguous else as_first(result, a, b)
        return combined(operator.add, a, b, in_place)

    def backward(self, grad_output: Any) -> Any:
        needs_b = self.needs_input_grad[1]
        if self.alpha is None or not needs_b:
            return grad_output, grad_output
        return grad_output, times(grad_output, self.alpha)


def add(input: Any, other: Any, *, alpha: float = 1, out: Any = None) -> Any:
    """input + alpha · other, element by element.

    Gradient: g for ``input``, alpha · g for ``other``.
    Raises: RuntimeError if the shapes do not broadcast, or for a fractional ``alpha`` of an integer result.

    >>> import minitorch as torch
    >>> torch.add(torch.tensor([1.0, 2.0]), torch.tensor([10.0]), alpha=2)
    tensor([21., 22.])
    """
    input, other = promote(input, other)
    if alpha.__class__ is int and alpha == 1:
        result = Add.apply(input, other)
    else:
        result = Add.apply(input, other, alpha=_scale("add", alpha, input, other))
    return result if out is None else write_out(result, out)


class Sub(Function):
    """a − alpha · b;  ∂/∂a = 1, ∂/∂b = −alpha."""

    alpha: Any = None

    def forward(self, a: Array, b: Array, *, alpha: Any = None, in_place: bool = False) -> Array:
        if alpha is not None:
            self.alpha = alpha
            result = None if a.__class__ is HostArray else fused_if_alike("subtract_scaled", (a, b), alpha, in_place)
            return as_first(a - alpha * b, a, b) if result is None else result
        if a.__class__ is HostArray:
            result = a - b
            return result if a.flags.c_contiguous else as_first(result, a, b)
        return as_first(a - b, a, b) if b.__class__ is HostArray else combined(operator.sub, a, b, in_place)

    def backward(self, grad_output: Any) -> Any:
        if not self.needs_input_grad[1]:
            return grad_output, None
        return grad_output, (negated(grad_output) if self.alpha is None else times(grad_output, -self.alpha))


def sub(input: Any, other: Any, *, alpha: float = 1, out: Any = None) -> Any:
    """input − alpha · other, element by element.

    Gradient: g for ``input``, −alpha · g for ``other``.
    Raises: RuntimeError if the shapes do not broadcast, if an operand is boolean, or for a fractional
    ``alpha`` of an integer result.

    >>> import minitorch as torch
    >>> torch.sub(torch.tensor([5.0, 2.0]), 1)
    tensor([4., 1.])
    """
    result = _subtract(Sub, input, other, alpha)
    return result if out is None else write_out(result, out)


class Rsub(Sub):
    """a − b, called with the operands the other way round."""

    backward_name = "RsubBackward1"


def rsub(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """other − alpha · input: the difference that ``1 - x`` asks of x.

    Gradient: −alpha · g for ``input``, g for ``other``.
    Raises: as ``sub``.

    >>> import minitorch as torch
    >>> torch.rsub(torch.tensor([5.0, 2.0]), 1)
    tensor([-4., -1.])
    """
    return _subtract(Rsub, other, input, alpha)


def _subtract(function: type[Sub], minuend: Any, subtrahend: Any, alpha: float) -> Any:
    a, b = promote(minuend, subtrahend)
    if a is not minuend or b is not subtrahend or a.__class__ is bool or b.__class__ is bool:
        _refuse_bool(minuend, subtrahend)
    try:
        if alpha.__class__ is int and alpha == 1:
            return function.apply(a, b)
        return function.apply(a, b, alpha=_scale("sub", alpha, a, b))
    except TypeError:  # what array libraries say about two boolean arrays
        _refuse_bool(minuend, subtrahend)
        raise


def _refuse_bool(minuend: Any, subtrahend: Any) -> None:
    boolean = [dtype_of(raw(operand)).name == "bool" for operand in (minuend, subtrahend)]
    if all(boolean):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. "
            "Use the `^` or `logical_xor()` operator instead."
        )
    if any(boolean):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. "
            "If you are trying to invert a mask, use the `~` or `logical_not()` operator instead."
        )


def _scale(name: str, alpha: Any, *operands: Any) -> Any:
    """``alpha`` checked against the dtype of the promoted operands, and in that dtype if it is an integer."""
    if not is_number(alpha):
        raise TypeError(f"{name}(): argument 'alpha' must be Number, not {type(alpha).__name__}")
    dtype = next(from_numpy_dtype(raw(each).dtype) for each in operands if hasattr(raw(each), "dtype"))
    if isinstance(alpha, bool) and dtype.name != "bool":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if dtype.is_floating_point:
        return alpha
    if isinstance(alpha, float):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    check_range(alpha, dtype)
    return to_dtype(alpha, dtype)


class Mul(Function):
    """a · b;  ∂/∂a = b, ∂/∂b = a."""

    def forward(self, a: Array, b: Array, *, in_place: bool = False) -> Array:
        needs_a, needs_b = self.needs_input_grad[:2]
        self.save(a if needs_b else None, b if needs_a else None)
        if a.__class__ is HostArray:
            result = a * b
            return result if a.flags.c_contiguous else as_first(result, a, b)
        return combined(operator.mul, a, b, in_place and not needs_b)  # a is saved for b

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        if grad_output.__class__ is HostArray:
            return (None if b is None else grad_output * b), (None if a is None else grad_output * a)
        return (None if b is None else times(grad_output, b)), (None if a is None else times(grad_output, a))


def mul(input: Any, other: Any, *, out: Any = None) -> Any:
    """input · other, element by element.

    Gradient: g · other for ``input``, g · input for ``other``.
    Raises: RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.mul(torch.tensor([1.0, 2.0]), 3)
    tensor([3., 6.])
    """
    input, other = promote(input, other)
    result = Mul.apply(input, other)
    return result if out is None else write_out(result, out)


class Neg(Function):
    """−a;  ∂/∂a = −1."""

    def forward(self, a: Array) -> Array:
        if a.dtype.kind == "b":
            raise RuntimeError(
                "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert "
                "a mask, use the `~` or `logical_not()` operator instead."
            )
        return negated(a)

    def backward(self, grad_output: Any) -> Any:
        return negated(grad_output)


def neg(input: Any, *, out: Any = None) -> Any:
    """−input; unsigned integers wrap around.

    Gradient: −g.
    Raises: RuntimeError for a boolean tensor.

    >>> import minitorch as torch
    >>> torch.neg(torch.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return write_out(Neg.apply(input), out)


def positive(input: Any) -> Any:
    """``input`` itself, as ``+x`` gives.

    Raises: RuntimeError for a boolean tensor.

    >>> import minitorch as torch
    >>> torch.positive(torch.tensor([1.0, -2.0]))
    tensor([ 1., -2.])
    """
    if raw(input).dtype.kind == "b":
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def goes_in_place(input: Any, other: Any, alpha: Any = 1) -> bool:
    """Whether a kernel may compute input ∘ other, a number or a tensor of the same dtype, into ``input``'s memory."""
    a = input.array
    if a.__class__ is HostArray or a.dtype.kind != "f" or alpha.__class__ not in (int, float):
        return False
    if not may_compute_in_place(input):
        return False
    return other.__class__ in (int, float) or (isinstance(other, Variable) and other.array.dtype == a.dtype)


def add_(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """``add`` in place: on a GPU the sum is written where ``input`` was read."""
    if input.array.__class__ is HostArray or not goes_in_place(input, other, alpha):
        return apply_inplace(input, lambda old: add(old, other, alpha=alpha))
    options = {} if alpha == 1 else {"alpha": alpha}
    return apply_inplace(input, lambda old: Add.apply(old, other, in_place=True, **options))


def sub_(input: Any, other: Any, *, alpha: float = 1) -> Any:
    """``sub`` in place, as ``add_``."""
    if input.array.__class__ is HostArray or not goes_in_place(input, other, alpha):
        return apply_inplace(input, lambda old: sub(old, other, alpha=alpha))
    options = {} if alpha == 1 else {"alpha": alpha}
    return apply_inplace(input, lambda old: Sub.apply(old, other, in_place=True, **options))


def mul_(input: Any, other: Any) -> Any:
    """``mul`` in place, as ``add_``."""
    if input.array.__class__ is HostArray or not goes_in_place(input, other):
        return apply_inplace(input, lambda old: mul(old, other))
    return apply_inplace(input, lambda old: Mul.apply(old, other, in_place=True))


subtract, multiply, negative = sub, mul, neg
