"""Tensor's ways of getting new values in place: constants, copies, random numbers."""

from __future__ import annotations

from typing import TypeVar

from minitorch.autograd.variable import Variable

T = TypeVar("T", bound="FillingMethods")


class FillingMethods(Variable):
    """``x.fill_(…)`` and its relatives."""
