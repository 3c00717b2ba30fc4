"""Tensor's views, reshapes and joins; the mathematics is in ``ops/shape.py``."""

from __future__ import annotations

from typing import TypeVar

from minitorch.autograd.variable import Variable

T = TypeVar("T", bound="ShapeMethods")


class ShapeMethods(Variable):
    """``x.reshape(…)`` and its relatives."""
