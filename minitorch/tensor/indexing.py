"""Tensor's indexing; the mathematics is in ``ops/indexing.py``."""

from __future__ import annotations

from typing import TypeVar

from minitorch.autograd.variable import Variable

T = TypeVar("T", bound="IndexingMethods")


class IndexingMethods(Variable):
    """``x[…]`` and its relatives."""
