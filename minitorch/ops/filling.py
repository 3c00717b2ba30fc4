"""New values for a whole tensor, as operations with a history: what ``fill_``, ``copy_`` and ``normal_`` record.

The old value is gone, so its gradient is zero; a copied source gets the gradient.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module


class Fill(Function):
    """The constant (or drawn) values ``new`` in place of ``old``;  ∂/∂old = 0."""

    def forward(self, old: Array, *, new: Any) -> Array:
        result = array_module(old).empty_like(old)
        result[...] = new
        return result

    def backward(self, grad_output: Any) -> Any:
        return _zeros_like(grad_output)


class Copy(Function):
    """The values of ``source``, broadcast and cast, in place of ``old``;  ∂/∂old = 0, ∂/∂source = 1."""

    backward_name = "CopyBackwards"

    def forward(self, old: Array, source: Array) -> Array:
        result = array_module(old).empty_like(old)
        result[...] = source
        return result

    def backward(self, grad_output: Any) -> Any:
        needs_old, needs_source = self.needs_input_grad[:2]
        return (_zeros_like(grad_output) if needs_old else None), (grad_output if needs_source else None)


def _zeros_like(gradient: Any) -> Any:
    return array_module(raw(gradient)).zeros_like(raw(gradient))
