"""Sums and their relatives: sum, mean, nansum, nanmean, trace, logsumexp; NumPy's names for their arguments."""

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

INTEGERS = ("int64", "int32", "int8", "uint8", "bool")
INFINITY = float("inf")
OUT_OF_RANGE = ErrorCase(
    Sample(Spec((2, 3)), 2),
    IndexError,
    r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)",
)
OF_A_NUMBER = ErrorCase(Sample(Spec(()), 1), IndexError, r"in range of \[-1, 0\], but got 1")
TWICE = ErrorCase(Sample(Spec((2, 3)), (0, -2)), RuntimeError, "dim 0 appears multiple times in the list of dims")


def draw_dims(draw: Draw, ndim: int) -> Any:
    """None, one dimension, or several different ones; perhaps none of them."""
    if draw(st.booleans()):
        return draw(st.one_of(st.none(), st.just(draw_dim(draw, ndim))))
    chosen = draw(st.sets(st.integers(0, max(ndim, 1) - 1)))
    return tuple(dim - max(ndim, 1) if draw(st.booleans()) else dim for dim in chosen)


def reduction(**options: Any) -> Any:
    """Samples of f(input, dim, keepdim)."""

    def samples(draw: Draw) -> Sample:
        shape = draw_shape(draw)
        return Sample(Spec(shape, **options), draw_dims(draw, len(shape)), draw(st.booleans()))

    return samples


def with_nans(draw: Draw) -> Sample:
    shape = draw_shape(draw, max_dims=3)
    generator = numpy.random.default_rng(draw(st.integers(0, 99)))
    values = generator.uniform(-2, 2, shape)
    values = numpy.where(generator.random(shape) < 0.4, numpy.nan, values)
    return Sample(Spec(values=values), draw_dims(draw, len(shape)), draw(st.booleans()))


def logsumexp_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, max_dims=3)
    dims = draw_dims(draw, len(shape))
    dims = 0 if dims in (None, ()) else dims
    return Sample(Spec(shape), dims, draw(st.booleans()))


def trace_samples(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw, 2, 2)))


TINY = [Sample(Spec((2, 3)), 1), Sample(Spec((2, 2, 2)), (0, 2), True), Sample(Spec((3,)), None), Sample(Spec(()), 0)]


class TestReduction(OpContract):
    declarations = [
        Declaration(
            "sum",
            reduction(),
            reference=reference.sum,
            tiny=TINY,
            errors=[OUT_OF_RANGE, OF_A_NUMBER, TWICE, ErrorCase(Sample(Spec((2,)), 0.5), TypeError)],
            integer_dtypes=INTEGERS,
        ),
        Declaration(
            "mean",
            reduction(),
            reference=reference.mean,
            tiny=TINY,
            errors=[
                OUT_OF_RANGE,
                TWICE,
                ErrorCase(Sample(Spec((2,), "int64")), RuntimeError, "Input dtype must be either a .* Got: Long"),
                ErrorCase(Sample(Spec((2,)), dtype=minitorch.int64), RuntimeError, "Optional dtype must be .* Long"),
            ],
        ),
        Declaration("nansum", with_nans, tiny=TINY, errors=[OUT_OF_RANGE]),
        Declaration(
            "nanmean",
            with_nans,
            tiny=TINY,
            errors=[ErrorCase(Sample(Spec((2,), "int64")), RuntimeError, "nanmean.*but got Long")],
        ),
        Declaration(
            "logsumexp",
            logsumexp_samples,
            reference=reference.logsumexp,
            tiny=[Sample(Spec((2, 3)), 1), Sample(Spec((2, 3)), (0, 1), True), Sample(Spec(()), 0)],
            errors=[OUT_OF_RANGE, TWICE],
            integer_dtypes=("int64", "bool"),
        ),
        Declaration(
            "trace",
            trace_samples,
            tiny=[Sample(Spec((3, 2)))],
            errors=[
                ErrorCase(Sample(Spec((2,))), RuntimeError, "expected a matrix, but got tensor with dim 1"),
                ErrorCase(Sample(Spec((2, 2), "bool")), NotImplementedError, "not implemented for 'Bool'"),
            ],
            integer_dtypes=("int64", "int32", "uint8"),
        ),
    ]

    @pytest.mark.parametrize("name", ["sum", "mean", "nansum", "nanmean"])
    @pytest.mark.parametrize("dtype", ["float64", "float16"])
    def test_dtype_converts_first(self, name: str, dtype: str) -> None:
        values = numpy.array([[1.5, -2.25, 3.0], [0.1, 0.2, 0.3]], "float32")
        ours = getattr(minitorch, name)(to_ours(values), 1, dtype=getattr(minitorch, dtype))
        assert_equal(ours, getattr(oracle, name)(to_torch(values), 1, dtype=getattr(oracle, dtype)))

    @pytest.mark.parametrize("dtype", ["int32", "uint8", "bool", "float32"])
    def test_sum_in_another_dtype(self, dtype: str) -> None:
        values = numpy.array([[1, 300, 3], [0, 2, -7]])
        for axis in (None, 0, (0, 1)):
            ours = minitorch.sum(to_ours(values), axis, dtype=getattr(minitorch, dtype))
            assert_equal(ours, oracle.sum(to_torch(values), axis, dtype=getattr(oracle, dtype)))

    def test_gradient_of_a_sum_in_another_dtype_comes_back_in_the_inputs(self) -> None:
        x = minitorch.tensor([1.0, 2.0], requires_grad=True)
        x.sum(dtype=minitorch.float64).backward()
        assert x.grad.dtype is minitorch.float32
        assert x.grad.tolist() == [1.0, 1.0]

    @pytest.mark.parametrize("name", ["sum", "mean"])
    def test_float16_accumulates_in_float32(self, name: str) -> None:
        values = numpy.full((3000, 2), 1.0, "float16")  # in float16 the sum would stop at 2048
        for axis in (None, 0, (0, 1)):
            assert_equal(getattr(minitorch, name)(to_ours(values), axis), getattr(oracle, name)(to_torch(values), axis))

    @pytest.mark.parametrize("shape", [(100_000,), (100_003, 3), (3, 100_000), (700, 2, 3)])
    def test_rounding_errors_do_not_add_up(self, shape: tuple[int, ...]) -> None:
        values = numpy.random.default_rng(0).uniform(0, 2, shape).astype("float32")
        for dim in (0, -1):
            for keepdim in (False, True):
                ours = to_ours(values).sum(dim, keepdim)
                assert_equal(ours, oracle.sum(to_torch(values), dim, keepdim))

    @pytest.mark.parametrize("name", ["sum", "mean", "amax", "var", "all", "argmax", "std"])
    def test_numpys_names_for_the_arguments(self, name: str) -> None:
        values = numpy.arange(6.0).reshape(2, 3)
        expected = getattr(oracle, name)(to_torch(values), axis=1, keepdims=True)
        assert_equal(getattr(minitorch, name)(to_ours(values), axis=1, keepdims=True), expected)
        assert_equal(getattr(to_ours(values), name)(axis=1, keepdims=True), expected)

    def test_names_of_the_nodes(self) -> None:
        x = minitorch.ones(2, 3, requires_grad=True)
        found = [y.grad_fn.name() for y in (x.sum(), x.sum(0), x.mean(), x.mean(1), x.trace(), x.logsumexp(0))]
        assert found == [
            "SumBackward0",
            "SumBackward1",
            "MeanBackward0",
            "MeanBackward1",
            "TraceBackward0",
            "LogsumexpBackward0",
        ]

    @pytest.mark.parametrize(
        "values",
        [
            [-INFINITY, -INFINITY],
            [INFINITY, -INFINITY],
            [INFINITY, INFINITY],
            [INFINITY, numpy.nan],
            [1000.0, 1000.0],
            [-INFINITY, 1.0],
        ],
    )
    def test_logsumexp_of_extremes(self, values: list[float]) -> None:
        ours = to_ours(numpy.array(values), True)
        theirs = to_torch(numpy.array(values), True)
        actual, expected = ours.logsumexp(0), theirs.logsumexp(0)
        assert_equal(actual, expected)
        actual.backward()
        expected.backward()
        assert_equal(ours.grad, theirs.grad)

    @pytest.mark.parametrize("name", ["sum", "mean", "logsumexp", "nansum", "nanmean"])
    def test_out(self, name: str) -> None:
        values = numpy.arange(6.0).reshape(2, 3)
        out = minitorch.zeros(3, dtype=minitorch.float64)
        assert getattr(minitorch, name)(to_ours(values), 0, out=out) is out
        assert_equal(out, getattr(oracle, name)(to_torch(values), 0))

    def test_inf_and_nan_go_into_the_sum(self) -> None:
        values = numpy.array([[INFINITY, 1.0], [-INFINITY, 1.0], [numpy.nan, 2.0]])
        for name in ("sum", "mean", "nansum", "nanmean"):
            for axis in (None, 0, 1):
                ours = getattr(minitorch, name)(to_ours(values), axis)
                assert_equal(ours, getattr(oracle, name)(to_torch(values), axis))


@pytest.mark.parametrize("name", ["sum", "mean", "max", "var", "argmax"])
@pytest.mark.parametrize("value", [[1, 2], (1.0,), 3])
def test_what_is_no_tensor_is_refused(name: str, value: object) -> None:
    for package in (minitorch, oracle):
        with pytest.raises(TypeError, match=rf"{name}\(\)"):
            getattr(package, name)(value)
