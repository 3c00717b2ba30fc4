"""bincount and histc."""

from __future__ import annotations

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

NAN, INFINITY = float("nan"), float("inf")


def bincount_samples(draw: Draw) -> Sample:
    count = draw(st.integers(0, 6))
    kind = draw(st.sampled_from(["int64", "int32", "uint8", "int8"]))
    options = {"minlength": draw(st.integers(0, 6))}
    if draw(st.booleans()):
        weights = draw(st.sampled_from(["int64", "float32", "float64"]))
        return Sample(Spec((count,), kind, low=0, high=4), Spec((count,), weights), **options)
    return Sample(Spec((count,), kind, low=0, high=4), **options)


def histc_samples(draw: Draw) -> Sample:
    bins = draw(st.integers(1, 6))
    if draw(st.booleans()):
        return Sample(Spec(draw_shape(draw)), bins)
    return Sample(Spec(draw_shape(draw)), bins, draw(st.sampled_from([-1.0, 0])), draw(st.sampled_from([0.5, 3])))


class TestHistogram(OpContract):
    declarations = [
        Declaration(
            "bincount",
            bincount_samples,
            errors=[
                ErrorCase(Sample(Spec(values=[1, -3], dtype="int64")), RuntimeError, "only supports 1-d non-negative"),
                ErrorCase(Sample(Spec((2, 2), "int64", low=0)), RuntimeError, "only supports 1-d non-negative"),
                ErrorCase(Sample(Spec((2,))), NotImplementedError, "not implemented for 'Float'"),
                ErrorCase(Sample(Spec((2,), "bool")), NotImplementedError, "not implemented for 'Bool'"),
                ErrorCase(Sample(Spec((2,), "int64", low=0), minlength=-1), RuntimeError, "minlength should be >= 0"),
                ErrorCase(
                    Sample(Spec((2,), "int64", low=0), Spec((3,), "int64")), RuntimeError, "weights should be 1-d"
                ),
            ],
            differentiable=False,
        ),
        Declaration(
            "histc",
            histc_samples,
            errors=[
                ErrorCase(Sample(Spec((3,)), 0), RuntimeError, "bins must be > 0, but got 0"),
                ErrorCase(Sample(Spec((3,)), 4, 3, 1), RuntimeError, "max must be larger than min"),
                ErrorCase(Sample(Spec(values=[1.0, INFINITY]), 4), RuntimeError, r"range of \[1, inf\] is not finite"),
                ErrorCase(Sample(Spec(values=[1.0, NAN]), 4), RuntimeError, "is not finite"),
                ErrorCase(Sample(Spec((3,), "int64"), 4), NotImplementedError, "not implemented for 'Long'"),
            ],
            differentiable=False,
        ),
    ]

    @pytest.mark.parametrize("values", [[1.0, 1.0, 1.0], [0.0, 1.0, 2.0, 3.0, 4.0], [NAN, 0.5], []])
    def test_histc_edges(self, values: list[float]) -> None:
        array = numpy.array(values, "float32")
        ranges = [(0, 4)] if numpy.isnan(array).any() else [(0, 4), (0, 0), (2, 2)]
        for low, high in ranges:
            ours = minitorch.histc(to_ours(array), 4, low, high)
            assert_equal(ours, oracle.histc(to_torch(array), 4, low, high))

    def test_histc_out(self) -> None:
        out = minitorch.zeros(2)
        minitorch.histc(minitorch.tensor([0.0, 1.0, 1.0]), 2, out=out)
        assert out.tolist() == [1, 2]
