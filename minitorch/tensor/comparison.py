"""Tensor's comparisons and logic; the mathematics is in ``ops/comparison.py``."""

from __future__ import annotations

from typing import TypeVar

from minitorch.autograd.variable import Variable

T = TypeVar("T", bound="ComparisonMethods")


class ComparisonMethods(Variable):
    """``a < b``, ``a & b`` and their relatives."""
