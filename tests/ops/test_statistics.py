"""var, std, var_mean, std_mean, cov, corrcoef."""

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
from tests.harness.strategies import Draw, draw_shape
from tests.ops.test_reduction import OUT_OF_RANGE, TWICE, draw_dims

NAMES = ("var", "std", "var_mean", "std_mean")


def deviation_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 4, min_size=3)  # what is left of less has tests of its own
    dims, keepdim = draw_dims(draw, len(shape)) or None, draw(st.booleans())  # () has a test of its own
    how = draw(st.sampled_from(["default", "unbiased", "correction"]))
    if how == "unbiased" and dims is not None:
        return Sample(Spec(shape, distinct=True), dims, draw(st.booleans()), keepdim)
    options: dict[str, Any] = {} if how == "default" else {"correction": draw(st.sampled_from([0, 1, 2]))}
    return Sample(Spec(shape, distinct=True), dims, keepdim=keepdim, **options)


def cov_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 2, min_size=2)  # torch fails on one observation with weights
    count, options = shape[-1], {}
    if draw(st.booleans()):
        options["fweights"] = Spec((count,), "int64", low=1, high=3)
    if draw(st.booleans()):
        options["aweights"] = Spec((count,), "float64", low=0.5, high=1, differentiable=False)
    return Sample(Spec(shape), correction=draw(st.sampled_from([0, 1])), **options)


def corrcoef_samples(draw: Draw) -> Sample:
    return Sample(Spec((draw(st.integers(1, 4)), draw(st.integers(3, 5)))))


INTEGER = ErrorCase(Sample(Spec((2,), "int64")), RuntimeError, "only support floating point and complex dtypes")
BOTH = ErrorCase(Sample(Spec((2, 3)), 0, unbiased=True, correction=1), TypeError, "unbiased and correction")
TINY = [
    Sample(Spec((2, 3)), 1),
    Sample(Spec((2, 3)), (0, 1), keepdim=True),
    Sample(Spec((4,)), 0, correction=0),
]


class TestStatistics(OpContract):
    declarations = [
        *[
            Declaration(
                name,
                deviation_samples,
                reference=reference.var if name == "var" else None,
                tiny=TINY,
                errors=[OUT_OF_RANGE, TWICE, INTEGER, BOTH],
            )
            for name in NAMES
        ],
        Declaration(
            "cov",
            cov_samples,
            tiny=[Sample(Spec((2, 3))), Sample(Spec((3,)))],
            errors=[
                ErrorCase(Sample(Spec((2, 2, 2))), RuntimeError, "two or fewer dimensions but got an input with 3"),
                ErrorCase(Sample(Spec((2, 2), "bool")), RuntimeError, "bool dtype is not supported"),
                ErrorCase(
                    Sample(Spec((2, 3)), fweights=Spec((3,), differentiable=False)),
                    RuntimeError,
                    "expected fweights to have integral dtype but got fweights with Float dtype",
                ),
                ErrorCase(Sample(Spec((2, 3)), fweights=Spec((2,), "int64")), RuntimeError, "but got 2 != 3"),
                ErrorCase(
                    Sample(Spec((2, 3)), fweights=Spec(values=[1, -2, 3], dtype="int64")),
                    RuntimeError,
                    "fweights cannot be negative",
                ),
            ],
            integer_dtypes=("int64", "int32"),
        ),
        Declaration(
            "corrcoef",
            corrcoef_samples,
            tiny=[Sample(Spec((2, 3)))],
            errors=[ErrorCase(Sample(Spec((2, 2, 2))), RuntimeError, r"corrcoef\(\): expected .* 3 dimensions")],
        ),
    ]

    @pytest.mark.parametrize("name", NAMES)
    def test_the_ways_to_say_unbiased(self, name: str) -> None:
        values = numpy.array([[1.0, 2.0, 4.0], [0.0, 5.0, 1.0]])
        calls: list[tuple[Any, dict[str, Any]]] = [
            ((False,), {}),
            ((0, True), {}),
            ((0, False, True), {}),
            ((0,), {"unbiased": False}),
            ((), {"dim": None, "unbiased": False}),
            ((), {"correction": 0}),
            ((), {"correction": 1.5}),
            ((0,), {"correction": None}),
        ]
        for args, options in calls:
            ours = getattr(minitorch, name)(to_ours(values), *args, **options)
            theirs = getattr(oracle, name)(to_torch(values), *args, **options)
            for actual, expected in zip(*[each if isinstance(each, tuple) else (each,) for each in (ours, theirs)]):
                assert_equal(actual, expected)

    @pytest.mark.parametrize("name", ["var", "std"])
    @pytest.mark.parametrize(
        "options", [{}, {"dim": 0}, {"correction": 0}, {"correction": 3}, {"dim": 0, "correction": 3}]
    )
    @pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [1.0, 2.0], [1.0, numpy.inf]])
    def test_degenerate(self, name: str, options: dict[str, Any], values: list[float]) -> None:
        ours, theirs = to_ours(numpy.array(values), True), to_torch(numpy.array(values), True)
        actual, expected = getattr(ours, name)(**options), getattr(theirs, name)(**options)
        assert_equal(actual, expected)
        actual.backward()
        expected.backward()
        assert_equal(ours.grad, theirs.grad)

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (2, 1)])
    def test_few_or_no_elements(self, name: str, shape: tuple[int, ...]) -> None:
        values = numpy.ones(shape, "float32")
        for dim in (None, 0, -1):
            ours, theirs = getattr(minitorch, name)(to_ours(values), dim), getattr(oracle, name)(to_torch(values), dim)
            for actual, expected in zip(*[each if isinstance(each, tuple) else (each,) for each in (ours, theirs)]):
                assert_equal(actual, expected)

    def test_an_empty_tuple_means_all(self) -> None:
        """torch's value agrees; its gradient for dim=() does not: it divides by 1 − correction, not n − correction."""
        values = numpy.array([1.0, 2.0, 4.0])
        ours, theirs = to_ours(values, True), to_torch(values, True)
        assert_equal(ours.var(()), theirs.var(()))
        ours.var(()).backward()
        theirs.var().backward()
        assert_equal(ours.grad, theirs.grad)

    def test_a_large_mean_costs_no_digits(self) -> None:
        values = numpy.array([1e6, 1e6 + 1, 1e6 + 2], "float32")
        assert minitorch.var(to_ours(values)).item() == 1.0

    def test_float16(self) -> None:
        values = numpy.random.default_rng(0).uniform(0, 1, (50, 3)).astype("float16")
        for name in ("var", "std"):
            assert_equal(getattr(minitorch, name)(to_ours(values), 0), getattr(oracle, name)(to_torch(values), 0))

    def test_out(self) -> None:
        values = numpy.arange(6.0).reshape(2, 3)
        out = minitorch.zeros(3, dtype=minitorch.float64)
        assert minitorch.std(to_ours(values), 0, out=out) is out
        assert_equal(out, oracle.std(to_torch(values), 0))

    def test_cov_of_nothing_and_of_a_number(self) -> None:
        for shape in ((0, 3), (3, 0), ()):
            assert_equal(minitorch.cov(minitorch.ones(shape)), oracle.cov(oracle.ones(shape)))
