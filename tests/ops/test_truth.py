"""all, any, count_nonzero."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape
from tests.ops.test_reduction import INTEGERS, OUT_OF_RANGE, TWICE, draw_dims, reduction


def count_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    return Sample(Spec(shape, "int32", low=-1, high=1), draw_dims(draw, len(shape)))


WRONG_OUT = ErrorCase(
    Sample(Spec((2, 3)), 0, out=Spec((3,), differentiable=False)),
    RuntimeError,
    "only supports bool tensor for result, got: Float",
)


class TestTruth(OpContract):
    declarations = [
        Declaration(
            name,
            reduction(dtype="uint8", low=0, high=1),
            errors=[OUT_OF_RANGE, TWICE, WRONG_OUT],
            differentiable=False,
        )
        for name in ("all", "any")
    ] + [Declaration("count_nonzero", count_samples, errors=[OUT_OF_RANGE, TWICE], differentiable=False)]

    @pytest.mark.parametrize("name", ["all", "any", "count_nonzero"])
    @pytest.mark.parametrize("dtype", ["float32", *INTEGERS])
    def test_every_dtype(self, name: str, dtype: str) -> None:
        values = numpy.array([[0, 1, 2], [0, 0, 3]]).astype(dtype)
        for dim in (None, 0, -1, (0, 1)):
            assert_equal(getattr(minitorch, name)(to_ours(values), dim), getattr(oracle, name)(to_torch(values), dim))

    @pytest.mark.parametrize("name", ["all", "any"])
    def test_an_empty_tuple_reduces_nothing(self, name: str) -> None:
        values = numpy.array([[0.0, 1.0], [2.0, numpy.nan]])
        assert_equal(getattr(minitorch, name)(to_ours(values), ()), getattr(oracle, name)(to_torch(values), ()))

    def test_out(self) -> None:
        for dtype in (minitorch.bool, minitorch.uint8):
            out = minitorch.zeros(2, dtype=dtype)
            minitorch.all(minitorch.tensor([[1, 0], [2, 3]]), 1, out=out)
            assert out.tolist() == [0, 1]

    def test_no_gradient(self) -> None:
        x = minitorch.ones(3, requires_grad=True)
        assert not x.all().requires_grad
        assert not x.count_nonzero().requires_grad
