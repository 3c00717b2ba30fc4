"""Turning functions into Python's operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.autograd.function import Function
from minitorch.backend import HostArray
from minitorch.ops.promotion import ForeignOperandError

_new = object.__new__


def operator(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """``a ∘ b`` from ``function(a, b)``; for operands that are no numbers, b's class is asked instead.

    That is Python's protocol: a method returns NotImplemented, and if the other class has no answer either,
    ``==`` is False and anything else is a TypeError that names both types.
    """

    def operate(self: Any, other: Any) -> Any:
        try:
            return function(self, other)
        except ForeignOperandError:
            return NotImplemented

    return operate


def arithmetic(
    function: Callable[[Any, Any], Any], node: type[Function], on_arrays: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    """``operator(function)`` with short cuts, which save small tensors a third to a half of the time.

    Where ``function`` would pass its operands on as they are (two tensors of one floating-point dtype, or one and a
    Python float), the ``node`` that does the work is applied at once. Where that would only compute (two host arrays
    of one shape, neither recorded nor a view, which might still learn that it is to be), Python's own operator does.
    """

    def operate(self: Any, other: Any) -> Any:
        a = self.array
        if a.dtype.kind == "f":
            if other.__class__ is self.__class__ and other.array.dtype is a.dtype:
                b = other.array
                is_plain = not (self.needs_grad or other.needs_grad) and self.base is None and other.base is None
                if is_plain and a.__class__ is b.__class__ is HostArray and a.shape == b.shape != ():
                    result = _new(self.result_class)
                    result.array = on_arrays(a, b)
                    return result
                return node.apply(self, other)
            if other.__class__ is float:
                return node.apply(self, other)
        try:
            return function(self, other)
        except ForeignOperandError:
            return NotImplemented

    return operate


def reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """``a ∘ b`` where b is the tensor whose method is called."""

    def operate(self: Any, other: Any) -> Any:
        try:
            return function(other, self)
        except ForeignOperandError:
            return NotImplemented

    return operate
