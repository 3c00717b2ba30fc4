"""Trigonometric functions against torch; see ``tests/harness/contract.py`` and ``tests/harness/unary_laws.py``."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy
import pytest

import minitorch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, Sample, Spec
from tests.harness.strategies import unary
from tests.harness.unary_laws import UnaryLaws

INTEGERS = ("int64", "int32", "uint8", "bool")


def function(name: str, **spec: Any) -> Declaration:
    """A function of one tensor, on the range of numbers given; integers too, which nan may come from."""
    return Declaration(name, unary(**spec), tiny=[Sample(Spec((2, 3), **spec))], integer_dtypes=INTEGERS)


INSIDE = {"low": -0.9, "high": 0.9}
ABOVE = {"low": 1.1, "high": 4.0}


class TestTrigonometry(UnaryLaws, OpContract):
    declarations: ClassVar = [
        function("sin"),
        function("cos"),
        function("tan", low=-1.3, high=1.3),
        function("asin", **INSIDE),
        function("acos", **INSIDE),
        function("atan"),
        function("arcsin", **INSIDE),
        function("arccos", **INSIDE),
        function("arctan"),
        function("sinh"),
        function("cosh"),
        function("asinh"),
        function("acosh", **ABOVE),
        function("atanh", **INSIDE),
        function("arcsinh"),
        function("arccosh", **ABOVE),
        function("arctanh", **INSIDE),
        function("deg2rad", low=-360, high=360),
        function("rad2deg"),
        function("sinc", kinks=(0.0,)),
    ]
    no_half = ("sinc",)  # torch rounds every step of its gradient, a difference of near-equal numbers, to float16

    @pytest.mark.parametrize(
        ("forth", "back"), [("sin", "asin"), ("tan", "atan"), ("sinh", "asinh"), ("deg2rad", "rad2deg")]
    )
    def test_inverse(self, forth: str, back: str) -> None:
        x = minitorch.tensor([-1.2, -0.1, 0.0, 0.9], dtype=minitorch.float64)
        there = getattr(minitorch, forth)(x)
        numpy.testing.assert_allclose(getattr(minitorch, back)(there).tolist(), x.tolist(), 1e-14, 1e-14)

    def test_sinc_at_zero_is_one_and_flat(self) -> None:
        x = minitorch.tensor([0.0, 1.0, 0.5], dtype=minitorch.float64, requires_grad=True)
        y = minitorch.sinc(x)
        y.sum().backward()
        numpy.testing.assert_allclose(y.tolist(), [1.0, 0.0, 2 / math.pi], 1e-15, 1e-15)
        numpy.testing.assert_allclose(x.grad.tolist(), [0.0, -1.0, -4 / math.pi], 1e-14)
