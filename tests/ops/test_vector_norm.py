"""linalg.vector_norm."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape
from tests.ops.test_reduction import draw_dims

NAN, INFINITY = float("nan"), float("inf")
ORDERS = (2, 1, 3, 2.5, 1.5, 0.5, 0, -1, INFINITY, -INFINITY)
AWAY = {"kinks": (0.0,), "distinct": False}


def norm_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, max_dims=3, min_size=1)
    order = draw(st.sampled_from(ORDERS))
    return Sample(Spec(shape, **AWAY), order, draw_dims(draw, len(shape)), draw(st.booleans()))


class TestVectorNorm(OpContract):
    declarations = [
        Declaration(
            "linalg.vector_norm",
            norm_samples,
            tiny=[Sample(Spec((2, 3), **AWAY), order, 1) for order in (2, 1, 3, 1.5, 0.5, -1, INFINITY)],
            errors=[
                ErrorCase(Sample(Spec((2, 3)), 2, 2), IndexError, "Dimension out of range"),
                ErrorCase(Sample(Spec((2, 3)), 2, (0, 0)), RuntimeError, "dim 0 appears multiple times"),
                ErrorCase(Sample(Spec((2,)), "fro"), TypeError, "must be Number, not str"),
                ErrorCase(Sample(Spec((2,), "int64")), RuntimeError, "Expected a floating point .* Got Long"),
                ErrorCase(Sample(Spec((0, 3)), INFINITY), RuntimeError, "cannot compute the inf norm on an empty"),
                ErrorCase(Sample(Spec((0, 3)), -1), RuntimeError, "cannot compute the -1 norm on an empty"),
                ErrorCase(Sample(Spec((0, 3)), INFINITY, 0), RuntimeError, "inf norm on the dimension 0because"),
                ErrorCase(
                    Sample(Spec((2,)), dtype=minitorch.float16),
                    RuntimeError,
                    r"\(Float\) should be convertible without narrowing to the specified dtype \(Half\)",
                ),
            ],
        )
    ]

    @pytest.mark.parametrize("order", [*ORDERS, 2.0])
    @pytest.mark.parametrize(
        "values", [[0.0, 0.0], [0.0, 1.0, -4.0], [2.0, -2.0, 1.0], [NAN, 1.0], [INFINITY, 1.0], [3.0]]
    )
    def test_zeros_ties_and_extremes(self, order: float, values: list[float]) -> None:
        results = []
        for package, x in (
            (minitorch, to_ours(numpy.array(values), True)),
            (oracle, to_torch(numpy.array(values), True)),
        ):
            norm = package.linalg.vector_norm(x, order)
            norm.backward()
            results.append((norm, x.grad))
        assert_equal(results[0][0], results[1][0])
        ours, theirs = results[0][1], results[1][1]
        if theirs is None:  # torch's word for a gradient that is zero for order 0
            assert ours is None
        else:
            assert_equal(ours, theirs)

    def test_of_no_elements(self) -> None:
        for order in (2, 1, 0, 0.5):
            for dim in (None, 0, 1):
                ours = minitorch.linalg.vector_norm(minitorch.zeros(0, 3), order, dim)
                assert_equal(ours, oracle.linalg.vector_norm(oracle.zeros(0, 3), order, dim))

    def test_dtype_and_out(self) -> None:
        values = numpy.array([3.0, 4.0], "float32")
        ours: Any = minitorch.linalg.vector_norm(to_ours(values), dtype=minitorch.float64)
        assert_equal(ours, oracle.linalg.vector_norm(to_torch(values), dtype=oracle.float64))
        out = minitorch.zeros(())
        assert minitorch.linalg.vector_norm(to_ours(values), out=out) is out
        assert out.item() == 5

    def test_float16_is_summed_in_float32(self) -> None:
        values = numpy.full(5000, 1.0, "float16")
        for order in (2, 1, 3):
            ours = minitorch.linalg.vector_norm(to_ours(values), order)
            assert_equal(ours, oracle.linalg.vector_norm(to_torch(values), order))
