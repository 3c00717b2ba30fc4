"""cumsum, cummax, cummin, logcumsumexp, diff, and the doubling scan they use."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from minitorch.ops.cumulative import scan
from reference import reduction as reference
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape
from tests.ops.test_reduction import INTEGERS, OF_A_NUMBER, OUT_OF_RANGE

NAN, INFINITY = float("nan"), float("inf")


def along(**options: Any) -> Any:
    """Samples of f(input, dim)."""

    def samples(draw: Draw) -> Sample:
        shape = draw_shape(draw, max_dims=3)
        return Sample(Spec(shape, **options), draw_dim(draw, len(shape)))

    return samples


def diff_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3)
    dim = draw_dim(draw, len(shape))
    options: dict[str, Any] = {"n": draw(st.integers(0, 4)), "dim": dim}
    for name in ("prepend", "append"):
        if draw(st.booleans()):
            extra = list(shape)
            extra[dim] = draw(st.integers(0, 2))
            options[name] = Spec(tuple(extra))
    return Sample(Spec(shape), **options)


D = {"distinct": True}


class TestCumulative(OpContract):
    declarations = [
        Declaration(
            "cumsum",
            along(),
            reference=reference.cumsum,
            tiny=[Sample(Spec((2, 3)), 1), Sample(Spec((3, 2)), 0)],
            errors=[OUT_OF_RANGE, OF_A_NUMBER, ErrorCase(Sample(Spec((2,)), (0,)), TypeError)],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "logcumsumexp",
            along(),
            tiny=[Sample(Spec((2, 3)), 1), Sample(Spec((3,)), 0)],
            errors=[OUT_OF_RANGE, ErrorCase(Sample(Spec((2,), "int64"), 0), NotImplementedError, "for 'Long'")],
        ),
        *[
            Declaration(
                name,
                along(**D),
                tiny=[Sample(Spec((2, 3), **D), 1), Sample(Spec((3, 2), **D), 0)],
                errors=[OUT_OF_RANGE, OF_A_NUMBER],
                integer_dtypes=INTEGERS,
            )
            for name in ("cummax", "cummin")
        ],
        Declaration(
            "diff",
            diff_samples,
            tiny=[Sample(Spec((2, 4))), Sample(Spec((3, 2)), 2, 0), Sample(Spec((2,)), prepend=Spec((1,)))],
            errors=[
                ErrorCase(Sample(Spec((2, 3)), dim=2), IndexError, "Dimension out of range"),
                ErrorCase(Sample(Spec(())), RuntimeError, "diff expects input to be at least one-dimensional"),
                ErrorCase(Sample(Spec((3,)), n=-1), RuntimeError, "order must be non-negative but got -1"),
                ErrorCase(Sample(Spec((3,)), prepend=Spec(())), RuntimeError, "to be the same dimension as input"),
                ErrorCase(
                    Sample(Spec((2, 3)), prepend=Spec((3, 1))),
                    RuntimeError,
                    r"input.size\(0\) = 2, but got tensor.size\(0\) = 3",
                ),
            ],
            integer_dtypes=("int64", "bool", "uint8"),
        ),
    ]

    @pytest.mark.parametrize("name", ["cummax", "cummin", "logcumsumexp", "cumsum"])
    @pytest.mark.parametrize(
        "values",
        [
            [2.0, 1.0, 2.0, 1.0, 1.0],
            [1.0, NAN, 3.0, NAN],
            [NAN, NAN, 2.0],
            [-INFINITY, 1.0, INFINITY, NAN],
            [-INFINITY, -INFINITY, 1.0],
            [1000.0, 1000.0],
        ],
    )
    def test_ties_and_extremes(self, name: str, values: list[float]) -> None:
        ours, theirs = getattr(to_ours(numpy.array(values)), name)(0), getattr(to_torch(numpy.array(values)), name)(0)
        for actual, expected in zip(*[each if isinstance(each, tuple) else (each,) for each in (ours, theirs)]):
            assert_equal(actual, expected)

    @pytest.mark.parametrize("name", ["cummax", "cummin"])
    def test_gradients_of_ties_add_up(self, name: str) -> None:
        values, cotangent = numpy.array([2.0, 1.0, 2.0, 3.0, 3.0, 1.0]), numpy.arange(1.0, 7.0)
        ours, theirs = to_ours(values, True), to_torch(values, True)
        getattr(ours, name)(0).values.backward(to_ours(cotangent))
        getattr(theirs, name)(0).values.backward(to_torch(cotangent))
        assert_equal(ours.grad, theirs.grad)

    @pytest.mark.parametrize("values", [[-INFINITY, -INFINITY, 1.0], [1.0, 800.0, -800.0], [3.0, 3.0, 3.0]])
    @pytest.mark.parametrize("cotangent", [[1.0, -2.0, 3.0], [0.0, 0.0, 1.0]])
    def test_gradient_of_logcumsumexp_overflows_nowhere(self, values: list[float], cotangent: list[float]) -> None:
        ours, theirs = to_ours(numpy.array(values), True), to_torch(numpy.array(values), True)
        ours.logcumsumexp(0).backward(to_ours(numpy.array(cotangent)))
        theirs.logcumsumexp(0).backward(to_torch(numpy.array(cotangent)))
        assert_equal(ours.grad, theirs.grad)

    @pytest.mark.parametrize("size", [0, 1, 2, 3, 8, 13])
    def test_scan_is_a_running_sum(self, size: int) -> None:
        values = numpy.random.default_rng(size).integers(0, 9, (2, size))
        assert scan(numpy.add, values, 1).tolist() == numpy.cumsum(values, 1).tolist()

    def test_float32_is_summed_in_float64(self) -> None:
        values = numpy.full(100_000, 0.1, "float32")
        assert_equal(minitorch.cumsum(to_ours(values), 0), oracle.cumsum(to_torch(values), 0))

    def test_dtype_out_and_in_place(self) -> None:
        values = numpy.array([[1, 2, 3], [4, 5, 6]], "int8")
        for dtype in ("float32", "int16"):
            ours = minitorch.cumsum(to_ours(values), 1, dtype=getattr(minitorch, dtype))
            assert_equal(ours, oracle.cumsum(to_torch(values), 1, dtype=getattr(oracle, dtype)))
        out = minitorch.zeros(2, 3, dtype=minitorch.int64)
        assert minitorch.cumsum(to_ours(values), 0, out=out) is out
        assert out.tolist() == [[1, 2, 3], [5, 7, 9]]
        x = minitorch.tensor([1.0, 2.0, 3.0])
        assert x.cumsum_(0) is x
        assert x.tolist() == [1.0, 3.0, 6.0]

    def test_diff_does_not_alias(self) -> None:
        x = minitorch.tensor([1.0, 2.0])
        minitorch.diff(x, n=0).zero_()
        assert x.tolist() == [1.0, 2.0]

    def test_named_tuples_print_as_torchs(self) -> None:
        assert repr(minitorch.tensor([1.0, 3.0, 2.0]).cummax(0)) == repr(oracle.tensor([1.0, 3.0, 2.0]).cummax(0))
