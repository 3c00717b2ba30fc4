"""median, nanmedian, quantile, nanquantile."""

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
from tests.harness.strategies import Draw, draw_dim, draw_shape
from tests.ops.test_reduction import OF_A_NUMBER, OUT_OF_RANGE

NAN = float("nan")
D = {"distinct": True}
INTERPOLATIONS = ["linear", "lower", "higher", "midpoint", "nearest"]


def draw_values(draw: Draw, with_nans: bool) -> Spec:
    shape = draw_shape(draw, max_dims=3, min_size=1)
    generator = numpy.random.default_rng(draw(st.integers(0, 99)))
    values = generator.permutation(int(numpy.prod(shape))).reshape(shape) * 0.13
    if not with_nans:
        return Spec(values=values)
    return Spec(values=numpy.where(generator.random(shape) < 0.1, NAN, values))


def median_samples(draw: Draw, with_nans: bool) -> Sample:
    values = draw_values(draw, with_nans)
    if draw(st.booleans()):
        return Sample(values)
    return Sample(values, draw_dim(draw, values.values.ndim), draw(st.booleans()))


def quantile_samples(draw: Draw, with_nans: bool) -> Sample:
    values = draw_values(draw, with_nans)
    q = draw(st.sampled_from([0.0, 0.3, 1.0, Spec(values=0.4), Spec(values=[0.1, 0.75, 1.0]), Spec(values=[])]))
    if isinstance(q, Spec):
        q = Spec(values=q.values, differentiable=False)
    dim = draw(st.one_of(st.none(), st.just(draw_dim(draw, values.values.ndim))))
    how = draw(st.sampled_from(INTERPOLATIONS))
    return Sample(values, q, dim=dim, keepdim=draw(st.booleans()), interpolation=how)


def quantile_errors(name: str) -> list[ErrorCase]:
    x = Spec((2, 3))
    return [
        ErrorCase(Sample(Spec((0,)), 0.5), RuntimeError, rf"{name}\(\) input tensor must be non-empty"),
        ErrorCase(Sample(Spec((2,), "int64"), 0.5), RuntimeError, "must be either float or double dtype"),
        ErrorCase(Sample(Spec((2,), "float16"), 0.5), RuntimeError, "must be either float or double dtype"),
        ErrorCase(Sample(x, 1.4), RuntimeError, r"q must be in the range \[0, 1\] but got 1.4"),
        ErrorCase(Sample(x, Spec(values=[1.4])), RuntimeError, r"q values must be in the range \[0, 1\]"),
        ErrorCase(Sample(x, Spec(values=[[0.4]])), RuntimeError, "q must be a scalar or 1D tensor"),
        ErrorCase(Sample(x, Spec(values=[0.4], dtype="float64")), RuntimeError, "same dtype as the input tensor"),
        ErrorCase(Sample(x, 0.4, interpolation="foo"), RuntimeError, "midpoint or nearest, but got foo"),
        ErrorCase(Sample(x, 0.4, 2), IndexError, "Dimension out of range"),
    ]


class TestMedian(OpContract):
    declarations = [
        Declaration(
            name,
            lambda draw, with_nans=with_nans: median_samples(draw, with_nans),
            tiny=[Sample(Spec((2, 3), **D)), Sample(Spec((2, 4), **D), 1), Sample(Spec((3, 2), **D), 0, True)],
            errors=[
                OUT_OF_RANGE,
                OF_A_NUMBER,
                ErrorCase(
                    Sample(Spec((0, 3)), 0), IndexError, rf"{name}\(\): Expected reduction dim 0 to have non-zero"
                ),
                ErrorCase(Sample(Spec((2,), "bool")), NotImplementedError, "not implemented for 'Bool'"),
            ],
        )
        for name, with_nans in (("median", False), ("nanmedian", True))
    ] + [
        Declaration(
            name,
            lambda draw, with_nans=with_nans: quantile_samples(draw, with_nans),
            tiny=[Sample(Spec((2, 3), **D), 0.4), Sample(Spec((2, 4), **D), 0.4, 1, True)],
            errors=quantile_errors(name),
        )
        for name, with_nans in (("quantile", False), ("nanquantile", True))
    ]

    @pytest.mark.parametrize("name", ["median", "nanmedian"])
    @pytest.mark.parametrize("values", [[1.0, NAN, 3.0], [NAN, NAN, 2.0], [NAN, NAN], [1.0, 1.0, 2.0], [2, 5, 3, 1]])
    def test_nans_and_values_with_ties(self, name: str, values: list[float]) -> None:
        array = numpy.array(values)
        ours, theirs = getattr(minitorch, name)(to_ours(array)), getattr(oracle, name)(to_torch(array))
        assert_equal(ours, theirs)
        ours, theirs = getattr(minitorch, name)(to_ours(array), 0), getattr(oracle, name)(to_torch(array), 0)
        assert_equal(ours.values, theirs.values)

    def test_of_everything_equals_share_the_gradient(self) -> None:
        for name, values in (("median", [1.0, 1.0, 2.0]), ("nanmedian", [1.0, 1.0, NAN])):
            ours, theirs = to_ours(numpy.array(values), True), to_torch(numpy.array(values), True)
            getattr(ours, name)().backward()
            getattr(theirs, name)().backward()
            assert_equal(ours.grad, theirs.grad)

    def test_of_no_elements(self) -> None:
        assert_equal(minitorch.zeros(0).median(), oracle.zeros(0).median())

    @pytest.mark.parametrize("how", INTERPOLATIONS)
    @pytest.mark.parametrize("values", [[1.0, NAN, 3.0], [NAN, NAN], [5.0], [numpy.inf, 1.0, 2.0]])
    def test_quantiles_of_nans(self, how: str, values: list[float]) -> None:
        array, q = numpy.array(values), numpy.array([0.0, 0.25, 0.5, 1.0])
        for name in ("quantile", "nanquantile"):
            ours = getattr(minitorch, name)(to_ours(array), to_ours(q), interpolation=how)
            assert_equal(ours, getattr(oracle, name)(to_torch(array), to_torch(q), interpolation=how))

    @pytest.mark.parametrize("options", [{}, {"dim": 1}, {"dim": 1, "keepdim": True}])
    def test_named_tuples_print_as_torchs(self, options: Any) -> None:
        values = [[1.0, 3.0, 2.0], [2.0, 0.0, 7.0]]
        for name in ("median", "nanmedian"):
            ours = getattr(minitorch.tensor(values), name)(**options)
            assert repr(ours) == repr(getattr(oracle.tensor(values), name)(**options))

    def test_out(self) -> None:
        x = minitorch.tensor([3.0, 1.0, 2.0])
        out = minitorch.zeros(())
        assert minitorch.quantile(x, 0.5, out=out) is out
        assert out.item() == 2
        pair = minitorch.zeros(()), minitorch.zeros((), dtype=minitorch.int64)
        minitorch.median(x, 0, out=pair)
        assert (pair[0].item(), pair[1].item()) == (2.0, 2)
