"""Arithmetic of two operands, element by element: add, sub, mul, div.

Operands broadcast. A backward here may return a gradient of the broadcast shape: the engine sums it down to
the operand's own (see ``autograd/primitive.py``).
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.inplace import write_out
from minitorch.backend import Array
from minitorch.ops.promotion import promote


class Add(Function):
    """a + b;  ∂/∂a = ∂/∂b = 1."""

    def forward(self, a: Array, b: Array) -> Array:
        return a + b

    def backward(self, grad_output: Any) -> Any:
        return grad_output, grad_output


def add(input: Any, other: Any, *, alpha: float = 1, out: Any = None) -> Any:
    """input + alpha · other, element by element.

    Gradient: g for ``input``, alpha · g for ``other``.
    Raises: RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.add(torch.tensor([1.0, 2.0]), torch.tensor([10.0]), alpha=2)
    tensor([21., 22.])
    """
    input, other = promote(input, other if alpha == 1 else other * alpha)
    return write_out(Add.apply(input, other), out)


class Mul(Function):
    """a · b;  ∂/∂a = b, ∂/∂b = a."""

    def forward(self, a: Array, b: Array) -> Array:
        needs_a, needs_b = self.needs_input_grad[:2]
        self.save(a if needs_b else None, b if needs_a else None)
        return a * b

    def backward(self, grad_output: Any) -> Any:
        a, b = self.saved
        return (None if b is None else grad_output * b), (None if a is None else grad_output * a)


def mul(input: Any, other: Any, *, out: Any = None) -> Any:
    """input · other, element by element.

    Gradient: g · other for ``input``, g · input for ``other``.
    Raises: RuntimeError if the shapes do not broadcast.

    >>> import minitorch as torch
    >>> torch.mul(torch.tensor([1.0, 2.0]), 3)
    tensor([3., 6.])
    """
    input, other = promote(input, other)
    return write_out(Mul.apply(input, other), out)
