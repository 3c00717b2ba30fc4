"""Exponentials and logarithms against torch; see ``tests/harness/contract.py`` and ``tests/harness/unary_laws.py``."""

from __future__ import annotations

from typing import ClassVar

import numpy
from hypothesis import strategies as st

import minitorch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, Sample, Spec
from tests.harness.strategies import Draw, draw_shape, unary
from tests.harness.unary_laws import UnaryLaws

INTEGERS = ("int64", "int32", "uint8", "bool")
POSITIVE = {"low": 0.1, "high": 3.0}
INSIDE = {"low": 0.05, "high": 0.95}


def logit_samples(draw: Draw) -> Sample:
    eps = draw(st.sampled_from([None, 0.1, 0.3]))
    kinks = () if eps is None else (eps, 1 - eps)
    low, high = (0.05, 0.95) if eps is None else (-0.5, 1.5)
    return Sample(Spec(draw_shape(draw), low=low, high=high, kinks=kinks, gap=0.02), eps)


class TestExponential(UnaryLaws, OpContract):
    declarations: ClassVar = [
        Declaration("expm1", unary(), tiny=[Sample(Spec((2, 3)))], integer_dtypes=INTEGERS),
        Declaration("exp2", unary(), tiny=[Sample(Spec((2, 3)))], integer_dtypes=INTEGERS),
        Declaration("log2", unary(**POSITIVE), tiny=[Sample(Spec((4,), **POSITIVE))], integer_dtypes=INTEGERS),
        Declaration("log10", unary(**POSITIVE), tiny=[Sample(Spec((4,), **POSITIVE))], integer_dtypes=INTEGERS),
        Declaration("log1p", unary(low=-0.9), tiny=[Sample(Spec((4,), low=-0.9))], integer_dtypes=INTEGERS),
        Declaration(
            "logit",
            logit_samples,
            tiny=[Sample(Spec((4,), **INSIDE)), Sample(Spec((4,), values=[-1.0, 0.2, 0.7, 1.5]), 0.1)],
            integer_dtypes=INTEGERS,
        ),
    ]

    def test_small_arguments_keep_their_digits(self) -> None:
        """e^x - 1 and ln(1 + x) are x - and + x²/2 near 0; the formulas as written would return 0."""
        x = minitorch.tensor([1e-18, -3e-17], dtype=minitorch.float64)
        for function in (minitorch.expm1, minitorch.log1p):
            numpy.testing.assert_allclose(function(x).tolist(), [1e-18, -3e-17], 1e-15)

    def test_logit_undoes_sigmoid(self) -> None:
        x = minitorch.tensor([-3.0, -0.5, 0.0, 4.0], dtype=minitorch.float64)
        numpy.testing.assert_allclose(minitorch.logit(minitorch.sigmoid(x)).tolist(), x.tolist(), 1e-12, 1e-12)
