"""Tensor's functions of one operand; the mathematics is in ``ops/elementwise.py`` and ``ops/activation.py``."""

from __future__ import annotations

from typing import TypeVar

from minitorch.autograd.variable import Variable

T = TypeVar("T", bound="ElementwiseMethods")


class ElementwiseMethods(Variable):
    """``x.exp()`` and its relatives."""
