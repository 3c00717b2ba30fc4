"""Distances against torch; see ``tests/harness/contract.py`` for the kinds of test."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_broadcastable, draw_dim, draw_shape

F = "nn.functional."
ORDERS = st.sampled_from([1.0, 1.5, 2.0, 3.0, float("inf")])
APART = ({"low": 0.2, "high": 2.0}, {"low": -2.0, "high": -0.2})  # no coordinate is equal: |d|^p has a kink there


def distances(draw: Draw) -> Sample:
    first, second = draw_broadcastable(draw, 2)
    D = draw(st.integers(1, 4))
    specs = Spec((*first, D), **APART[0]), Spec((*second, D), **APART[1])
    return Sample(*specs, draw(ORDERS), keepdim=draw(st.booleans()))


def similar(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, min_size=1)
    other = tuple(size if draw(st.booleans()) else 1 for size in shape)
    return Sample(Spec(shape, low=0.2), Spec(other, low=0.2), dim=draw_dim(draw, len(shape)))


def scaled(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 3, min_size=1)
    return Sample(Spec(shape, low=0.3), draw(ORDERS), draw_dim(draw, len(shape)))


def tables(draw: Draw) -> Sample:
    first, second = draw_broadcastable(draw, 2, max_dims=2)
    P, R, M = (draw(st.integers(1, 3)) for _ in range(3))
    specs = Spec((*first, P, M), **APART[0]), Spec((*second, R, M), **APART[1])
    return Sample(*specs, draw(ORDERS))


def rows(draw: Draw) -> Sample:
    N, M = draw(st.integers(2, 4)), draw(st.integers(1, 3))  # fewer rows crash the backward pass of torch
    return Sample(Spec((N, M)), draw(ORDERS))


PAIR = (Spec((2, 3), **APART[0]), Spec((2, 3), **APART[1]))
MATRIX = Spec((3, 4))


class TestDistance(OpContract):
    declarations: ClassVar = [
        Declaration(
            F + "pairwise_distance",
            distances,
            tiny=[Sample(*PAIR), Sample(*PAIR, 3.0, keepdim=True)],
            errors=[ErrorCase(Sample(Spec((3, 4)), Spec((3,))), RuntimeError, "The size of tensor a")],
        ),
        Declaration(
            F + "cosine_similarity",
            similar,
            tiny=[Sample(*PAIR), Sample(*PAIR, dim=0)],
            errors=[
                ErrorCase(Sample(MATRIX, MATRIX, dim=2), IndexError, "Dimension out of range"),
                ErrorCase(
                    Sample(MATRIX, MATRIX),
                    RuntimeError,
                    "expected common dtype to be floating point, yet common dtype is Long",
                    dtype="int64",
                ),
                ErrorCase(Sample(MATRIX, Spec((2, 4))), RuntimeError, "The size of tensor a"),
            ],
        ),
        Declaration(
            F + "normalize",
            scaled,
            tiny=[Sample(Spec((2, 3))), Sample(Spec((2, 3)), 1.0, 0)],
            errors=[ErrorCase(Sample(MATRIX, 2.0, 3), IndexError, "Dimension out of range")],
        ),
        Declaration(
            "cdist",
            tables,
            tiny=[Sample(*PAIR), Sample(*PAIR, 1.0)],
            twice=False,  # torch has no second derivative for p other than 2
            errors=[
                ErrorCase(
                    Sample(MATRIX, Spec((2, 3))),
                    RuntimeError,
                    "X1 and X2 must have the same number of columns. X1: 4 X2: 3",
                ),
                ErrorCase(
                    Sample(Spec((3,)), Spec((2, 3))),
                    RuntimeError,
                    "cdist only supports at least 2D tensors, X1 got: 1D",
                ),
                ErrorCase(Sample(MATRIX, MATRIX, p=-1.0), RuntimeError, "cdist only supports non-negative p values"),
                ErrorCase(
                    Sample(MATRIX, MATRIX, compute_mode="x"), ValueError, "x is not a valid value for compute_mode"
                ),
                ErrorCase(
                    Sample(MATRIX, MATRIX),
                    RuntimeError,
                    "cdist only supports floating-point dtypes, X1 got: Long",
                    dtype="int64",
                ),
            ],
        ),
        Declaration(
            F + "pdist",
            rows,
            tiny=[Sample(Spec((3, 2)))],
            twice=False,  # torch has no second derivative
            errors=[
                ErrorCase(Sample(Spec((3,))), RuntimeError, "pdist only supports 2D tensors, got: 1D"),
                ErrorCase(Sample(MATRIX, -1.0), RuntimeError, "pdist only supports non-negative p values"),
                ErrorCase(Sample(MATRIX), RuntimeError, "pdist only supports floating-point dtypes", dtype="int64"),
            ],
        ),
    ]


def gradient(package: Any, convert: Any, function: Any, array: numpy.ndarray) -> tuple[Any, Any]:
    x = convert(array, True)
    result = function(package, x)
    result.sum().backward()
    return result.detach(), x.grad


@pytest.mark.parametrize(
    "function",
    [
        lambda package, x: package.cdist(x, x),
        lambda package, x: package.nn.functional.pdist(x),
        lambda package, x: package.nn.functional.normalize(x),
        lambda package, x: package.nn.functional.pairwise_distance(x, x),
    ],
    ids=["cdist", "pdist", "normalize", "pairwise_distance"],
)
def test_equal_and_zero_vectors_have_the_gradients_of_torch(function: Any) -> None:
    array = numpy.array([[0.0, 0.0], [0.0, 0.0], [1.0, 2.0]])
    ours, theirs = gradient(minitorch, to_ours, function, array), gradient(oracle, to_torch, function, array)
    assert_equal(ours[0], theirs[0])
    assert_equal(ours[1], theirs[1])


def test_cosine_of_zero_vectors() -> None:
    zeros, ones = numpy.zeros((2, 3)), numpy.ones((2, 3))
    ours = minitorch.nn.functional.cosine_similarity(to_ours(zeros), to_ours(ones))
    assert_equal(ours, oracle.nn.functional.cosine_similarity(to_torch(zeros), to_torch(ones)))


def test_normalize_writes_to_out() -> None:
    array, out = numpy.array([[3.0, 4.0]]), minitorch.zeros(1, 2).double()
    assert minitorch.nn.functional.normalize(to_ours(array), out=out) is out
    numpy.testing.assert_allclose(out.array, [[0.6, 0.8]])


def test_fewer_than_two_rows_have_no_pairs() -> None:
    for N in (0, 1):
        array = numpy.zeros((N, 2))
        assert_equal(minitorch.nn.functional.pdist(to_ours(array)), oracle.nn.functional.pdist(to_torch(array)))
