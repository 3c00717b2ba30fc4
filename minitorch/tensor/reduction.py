"""Tensor's reductions and sorting; the mathematics is in ``ops/reduction.py`` and ``ops/sorting.py``."""

from __future__ import annotations

from typing import TypeVar

from minitorch.autograd.variable import Variable

T = TypeVar("T", bound="ReductionMethods")


class ReductionMethods(Variable):
    """``x.sum()`` and its relatives."""
