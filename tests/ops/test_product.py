"""prod and cumprod, whose gradients must be right with zeros among the factors."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from reference import reduction as reference
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape
from tests.ops.test_reduction import INTEGERS, OF_A_NUMBER, OUT_OF_RANGE


def draw_factors(draw: Draw) -> Spec:
    """Factors, among them none, one or several zeros."""
    shape = draw_shape(draw, max_dims=3)
    generator = numpy.random.default_rng(draw(st.integers(0, 99)))
    values = generator.uniform(-2, 2, shape)
    share = draw(st.sampled_from([0, 0.2, 0.6]))
    return Spec(values=numpy.where(generator.random(shape) < share, 0, values))


def prod_samples(draw: Draw) -> Sample:
    factors = draw_factors(draw)
    if draw(st.booleans()):
        return Sample(factors)
    return Sample(factors, draw_dim(draw, factors.values.ndim), draw(st.booleans()))


def cumprod_samples(draw: Draw) -> Sample:
    factors = draw_factors(draw)
    return Sample(factors, draw_dim(draw, factors.values.ndim))


ZEROS = [[0.0, 2.0, 3.0], [0.0, 0.0, 3.0], [1.0, 0.0, 4.0]]


class TestProduct(OpContract):
    declarations = [
        Declaration(
            "prod",
            prod_samples,
            reference=reference.prod,
            tiny=[Sample(Spec((2, 3)), 1), Sample(Spec(values=ZEROS), 1, True), Sample(Spec((2, 2)), None)],
            errors=[OUT_OF_RANGE, OF_A_NUMBER, ErrorCase(Sample(Spec((2, 3)), (0, 1)), TypeError)],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "cumprod",
            cumprod_samples,
            tiny=[Sample(Spec((2, 3)), 1), Sample(Spec(values=ZEROS), 0), Sample(Spec(values=ZEROS), 1)],
            errors=[OUT_OF_RANGE, OF_A_NUMBER],
            integer_dtypes=INTEGERS,
        ),
    ]

    @pytest.mark.parametrize("name", ["prod", "cumprod"])
    def test_dtype_and_out(self, name: str) -> None:
        values = numpy.array([[1, 2, 3], [4, 5, 6]], "int8")
        for dtype in ("float32", "int16", "float64"):
            ours = getattr(minitorch, name)(to_ours(values), 1, dtype=getattr(minitorch, dtype))
            assert_equal(ours, getattr(oracle, name)(to_torch(values), 1, dtype=getattr(oracle, dtype)))
        out = minitorch.zeros(ours.shape, dtype=minitorch.int64)
        assert getattr(minitorch, name)(to_ours(values), 1, out=out) is out
        assert_equal(out, getattr(oracle, name)(to_torch(values), 1))

    def test_cumprod_in_place(self) -> None:
        x = minitorch.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = x * 1
        assert y.cumprod_(0) is y
        y.sum().backward()
        theirs = oracle.tensor([1.0, 2.0, 3.0], requires_grad=True)
        (theirs * 1).cumprod_(0).sum().backward()
        assert_equal(x.grad, theirs.grad)

    @pytest.mark.parametrize("size", [1, 2, 7, 33])
    def test_gradient_of_long_running_products(self, size: int) -> None:
        values = numpy.random.default_rng(size).uniform(0.5, 1.5, size)
        cotangent: Any = numpy.linspace(-1, 1, size)
        ours, theirs = to_ours(values, True), to_torch(values, True)
        ours.cumprod(0).backward(to_ours(cotangent))
        theirs.cumprod(0).backward(to_torch(cotangent))
        assert_equal(ours.grad, theirs.grad)
