"""The error functions against torch; see ``tests/harness/contract.py`` and ``tests/harness/unary_laws.py``."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy
import pytest

import minitorch
from minitorch.ops import special
from tests.harness.compare import as_numpy
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, Sample, Spec
from tests.harness.strategies import unary
from tests.harness.unary_laws import UnaryLaws

INTEGERS = ("int64", "int32", "uint8", "bool")
INSIDE = {"low": -0.95, "high": 0.95}


class TestSpecial(UnaryLaws, OpContract):
    declarations: ClassVar = [
        Declaration("erf", unary(low=-5, high=5), tiny=[Sample(Spec((2, 3)))], integer_dtypes=INTEGERS),
        Declaration("erfc", unary(low=-5, high=5), tiny=[Sample(Spec((2, 3)))], integer_dtypes=INTEGERS),
        Declaration("erfinv", unary(**INSIDE), tiny=[Sample(Spec((2, 3), **INSIDE))], integer_dtypes=INTEGERS),
    ]

    @pytest.mark.parametrize(("name", "limit"), [("erf", 4), ("erfc", 8)])
    def test_float64_is_right_to_the_last_places(self, name: str, limit: int) -> None:
        """Against the C library, on all three ranges of the approximation and where they meet."""
        edges = [0.46875, 4.0, 0.46875 + 1e-9, 4.0 + 1e-9, 1e-300, 26.0]
        x = numpy.concatenate([numpy.linspace(-7, 7, 4001), edges, numpy.negative(edges)])
        expected = numpy.array([getattr(math, name)(each) for each in x])
        actual = as_numpy(getattr(minitorch, name)(minitorch.from_numpy(x)))
        numpy.testing.assert_allclose(actual, expected, limit * 2.0**-52, 0)

    def test_float32_erf_stays_within_one_and_four_places(self) -> None:
        x = numpy.linspace(-6, 6, 4001, dtype="float32")
        expected = numpy.array([math.erf(each) for each in x])
        actual = as_numpy(minitorch.erf(minitorch.from_numpy(x)))
        assert abs(actual).max() <= 1
        numpy.testing.assert_allclose(actual, expected, 4 * 2.0**-23, 0)

    def test_erfc_keeps_its_digits_far_out(self) -> None:
        x = numpy.array([5.0, 10.0, 25.0, 26.5])
        actual = as_numpy(minitorch.erfc(minitorch.from_numpy(x)))
        numpy.testing.assert_allclose(actual, [math.erfc(each) for each in x], 1e-14, 0)

    def test_erfinv_undoes_erf(self) -> None:
        x = numpy.concatenate([numpy.linspace(-5, 5, 201), [1e-200, 1e-8]])
        actual = as_numpy(minitorch.erfinv(minitorch.erf(minitorch.from_numpy(x))))
        slope = 2 / math.sqrt(math.pi) * numpy.exp(-x * x)  # the half unit that erf x was rounded by, seen from x
        assert (abs(actual - x) <= 4e-16 * abs(x) + 2e-16 / slope).all()

    def test_blocks_join_without_a_seam(self) -> None:
        """More elements than one block, of shape and layout that the blocks do not follow."""
        x = numpy.linspace(-3, 3, 2 * special._BLOCK + 7).reshape(-1, 3, 1)[::-1].transpose(2, 0, 1)
        actual = as_numpy(minitorch.erf(minitorch.from_numpy(x.copy())))
        expected = [math.erf(each) for each in x.reshape(-1)]
        numpy.testing.assert_allclose(actual.reshape(-1), expected, 1e-15)
