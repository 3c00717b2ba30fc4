"""lgamma and its derivatives against torch; see ``tests/harness/contract.py``, ``tests/harness/unary_laws.py``."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import as_numpy
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape, unary
from tests.harness.unary_laws import UnaryLaws

INTEGERS = ("int64", "int32", "uint8", "bool")
POLES = tuple(float(-n) for n in range(4))
BOTH_SIDES = {"low": -3.0, "high": 6.0, "kinks": POLES, "gap": 0.1}
EULER = 0.57721566490153286061


def polygamma_samples(draw: Draw) -> Sample:
    return Sample(draw(st.integers(0, 4)), Spec(draw_shape(draw), low=0.5, high=6.0))


class TestGamma(UnaryLaws, OpContract):
    declarations: ClassVar = [
        Declaration("lgamma", unary(**BOTH_SIDES), tiny=[Sample(Spec((2, 3), **BOTH_SIDES))], integer_dtypes=INTEGERS),
        Declaration(
            "digamma",
            unary(**BOTH_SIDES),
            tiny=[Sample(Spec((2, 3), **BOTH_SIDES))],
            integer_dtypes=INTEGERS,
            tolerance={"float32": (1e-5, 1e-4)},  # torch's trigamma works in float32 and reflects by sin(πx) there
        ),
    ]

    gradients_left_out: ClassVar = {
        "digamma": (-1.0, -200.0)
    }  # at a pole torch gives 10¹⁵ or so, where ours is infinite

    def test_factorials(self) -> None:
        n = numpy.arange(1, 171, dtype="float64")
        expected = [math.log(math.factorial(int(each) - 1)) for each in n]
        numpy.testing.assert_allclose(as_numpy(minitorch.lgamma(minitorch.from_numpy(n))), expected, 5e-15, 0)

    def test_against_the_c_library(self) -> None:
        x = numpy.concatenate([numpy.linspace(-9.95, 20, 500), [1e-300, 1e-5, 7.9999, 8.0, 1e8, 1e300]])
        expected = numpy.array([math.lgamma(each) for each in x])
        numpy.testing.assert_allclose(as_numpy(minitorch.lgamma(minitorch.from_numpy(x))), expected, 1e-13, 1e-14)

    def test_known_values_of_digamma(self) -> None:
        x = minitorch.tensor([1.0, 2.0, 0.5, -0.5], dtype=minitorch.float64)
        half = -EULER - 2 * math.log(2)
        numpy.testing.assert_allclose(minitorch.digamma(x).tolist(), [-EULER, 1 - EULER, half, half + 2], 1e-14)


class TestPolygamma(OpContract):
    declarations: ClassVar = [
        Declaration(
            "polygamma",
            polygamma_samples,
            tiny=[Sample(1, Spec((3,), low=0.5, high=3.0)), Sample(2, Spec((3,), low=-0.9, high=-0.1))],
            errors=[ErrorCase(Sample(-1, Spec((2,))), RuntimeError, "does not support negative n")],
        )
    ]

    @pytest.mark.parametrize("n", range(1, 6))
    def test_left_of_zero(self, n: int) -> None:
        """By reflection here; by the sum itself in torch, which for n = 1 is right to 1e-8 only."""
        x = numpy.array([-0.3, -0.5, -1.25, -2.7, -7.1])
        actual = minitorch.polygamma(n, minitorch.from_numpy(x))
        expected = oracle.polygamma(n, oracle.from_numpy(x))
        numpy.testing.assert_allclose(as_numpy(actual), as_numpy(expected), 1e-8, 1e-8)

    def test_values_that_are_known(self) -> None:
        """ψ'(1) = π²/6, ψ''(1) = -2 ζ(3), ψ'''(1) = π⁴/15."""
        one = minitorch.ones((), dtype=minitorch.float64)
        expected = [math.pi**2 / 6, -2 * 1.2020569031595942854, math.pi**4 / 15]
        numpy.testing.assert_allclose([minitorch.polygamma(n, one).item() for n in (1, 2, 3)], expected, 1e-15)

    def test_poles_and_infinity(self) -> None:
        x = minitorch.tensor([0.0, -1.0, float("inf"), float("nan")], dtype=minitorch.float64)
        numpy.testing.assert_array_equal(as_numpy(minitorch.polygamma(1, x)), [numpy.inf, numpy.inf, 0, numpy.nan])
        numpy.testing.assert_array_equal(as_numpy(minitorch.polygamma(2, x)), [-numpy.inf, -numpy.inf, 0, numpy.nan])

    def test_methods(self) -> None:
        x = minitorch.tensor([1.0, 2.0])
        expected = minitorch.polygamma(1, x).tolist()
        assert x.polygamma(1).tolist() == expected
        assert x.polygamma_(1) is x
        assert x.tolist() == expected
