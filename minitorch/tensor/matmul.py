"""Tensor's matrix products; the mathematics is in ``ops/matmul.py``."""

from __future__ import annotations

from typing import TypeVar

from minitorch.autograd.variable import Variable

T = TypeVar("T", bound="MatrixMethods")


class MatrixMethods(Variable):
    """``a @ b`` and its relatives."""
