"""Turning functions into Python's operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


def arithmetic(function: Callable[[Any, Any], Any], on_arrays: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """``operator(function)`` with a short cut for what is not recorded: just ``on_arrays``, Python's own operator.

    It is taken for two host tensors of one floating-point dtype and shape, where arrays and tensors agree about the
    result: it halves the time that small ones take. A view might still learn that it is to be recorded.
    """

    def operate(self: Any, other: Any) -> Any:
        if other.__class__ is self.__class__ and not (self.needs_grad or other.needs_grad):
            a, b = self.array, other.array
            is_alike = a.__class__ is b.__class__ is HostArray and a.dtype is b.dtype and a.shape == b.shape != ()
            if is_alike and a.dtype.kind == "f" and self.base is None and other.base is None:
                result = _new(self.result_class)
                result.array = on_arrays(a, b)
                return result
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
