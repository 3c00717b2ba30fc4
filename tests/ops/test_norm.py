"""norm, linalg.norm, dist, renorm."""

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
from tests.harness.strategies import Draw, draw_broadcastable, draw_dim, draw_shape
from tests.ops.test_reduction import draw_dims

INFINITY = float("inf")
NUMBERS = (2, 1, 3, 0.5, INFINITY, -INFINITY, 0)


def norm_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, max_dims=3, min_size=1)
    p = draw(st.sampled_from(["fro", None, *NUMBERS]))
    dims = draw_dims(draw, len(shape))
    if isinstance(dims, tuple):
        dims = dims[:2] or None
    return Sample(Spec(shape, kinks=(0.0,)), p, dims, draw(st.booleans()))


def linalg_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 1, 2, min_size=1)
    dim = draw(st.sampled_from([None, 0, -1, (0, 1)])) if len(shape) == 2 else None
    of_matrix = len(shape) == 2 and dim in (None, (0, 1))
    orders = (None, 1, INFINITY, -1, "fro") if of_matrix else (None, *NUMBERS)
    return Sample(Spec(shape, kinks=(0.0,)), draw(st.sampled_from(orders)), dim, draw(st.booleans()))


def dist_samples(draw: Draw) -> Sample:
    a, b = draw_broadcastable(draw, 2)
    a, b = (tuple(max(size, 1) for size in shape) for shape in (a, b))
    return Sample(Spec(a, low=1.0), Spec(b, high=0.5), draw(st.sampled_from(NUMBERS[:-1])))  # not 0: torch fails


def renorm_samples(draw: Draw) -> Sample:
    shape = draw_shape(draw, 2, 3, min_size=1)
    p = draw(st.sampled_from([1, 2, 3, 1.5]))
    return Sample(Spec(shape, kinks=(0.0,)), p, draw_dim(draw, len(shape)), draw(st.sampled_from([0.7, 2, 0])))


A = Spec((2, 3), kinks=(0.0,))


class TestNorm(OpContract):
    declarations = [
        Declaration(
            "norm",
            norm_samples,
            tiny=[Sample(A), Sample(A, 3, 1), Sample(A, "nuc")],
            errors=[
                ErrorCase(Sample(A, "foo"), RuntimeError, "Order foo not supported"),
                ErrorCase(Sample(Spec((2,), "int64")), RuntimeError, "Expected a floating point .* Got Long"),
                ErrorCase(Sample(A, 2, 2), IndexError, "Dimension out of range"),
                ErrorCase(Sample(A, "nuc", 0), RuntimeError, "dim must be a 2-tuple. Got 0"),
                ErrorCase(Sample(A, "fro", (0, 1, 2)), RuntimeError, "dim must be a 2-tuple. Got 0 1 2"),
            ],
        ),
        Declaration(
            "linalg.norm",
            linalg_samples,
            tiny=[Sample(A), Sample(A, 1), Sample(A, 3, 1), Sample(A, 2)],
            errors=[
                ErrorCase(Sample(A, 3), RuntimeError, "Order 3 not supported"),
                ErrorCase(Sample(Spec((1, 2, 3)), 2), RuntimeError, "the input must be 1D or 2D. Got 3D"),
                ErrorCase(Sample(Spec((3,)), "fro"), RuntimeError, "must have at least 2 dimensions"),
            ],
        ),
        Declaration(
            "dist", dist_samples, tiny=[Sample(Spec((2,), low=1.0), Spec((2,), high=0.5), p) for p in (1, 2, 3)]
        ),
        Declaration(
            "renorm",
            renorm_samples,
            tiny=[Sample(A, 2, 0, 0.7), Sample(A, 1, 1, 0.7)],
            errors=[
                ErrorCase(Sample(A, -1, 0, 3), RuntimeError, "non-positive-norm not supported"),
                ErrorCase(Sample(A, 2, 0, -3), RuntimeError, "expected maxnorm to be >= 0 but got -3"),
                ErrorCase(Sample(A, 2, 5, 3), IndexError, "Dimension out of range"),
                ErrorCase(Sample(Spec((3,)), 2, 0, 3), RuntimeError, "at least 2 dimensions, got 1 dimensions"),
            ],
        ),
    ]

    @pytest.mark.parametrize("keepdim", [False, True])
    @pytest.mark.parametrize("dim", [None, (0, 1), (1, 0)])
    def test_nuclear_norm(self, dim: Any, keepdim: bool) -> None:
        values = numpy.array([[1.0, 2.0, 0.5], [3.0, -1.0, 2.0]])
        ours, theirs = to_ours(values, True), to_torch(values, True)
        actual, expected = ours.norm("nuc", dim, keepdim), theirs.norm("nuc", dim, keepdim)
        assert_equal(actual, expected)
        actual.sum().backward()
        expected.sum().backward()
        assert_equal(ours.grad, theirs.grad)

    def test_dtype_and_out(self) -> None:
        values = numpy.array([3.0, 4.0], "float32")
        assert_equal(
            minitorch.norm(to_ours(values), dtype=minitorch.float64),
            oracle.norm(to_torch(values), dtype=oracle.float64),
        )
        out = minitorch.zeros(())
        assert minitorch.norm(to_ours(values), out=out) is out
        assert out.item() == 5

    def test_renorm_in_place(self) -> None:
        values = numpy.array([[3.0, 4.0], [0.3, 0.4]])
        ours, theirs = to_ours(values.copy()), to_torch(values)
        assert ours.renorm_(2, 0, 1.0) is ours
        assert_equal(ours, theirs.renorm_(2, 0, 1.0))

    def test_dist_of_order_0_counts(self) -> None:
        x, y = numpy.array([1.0, 2.0, 3.0]), numpy.array([1.0, 5.0, 6.0])
        assert_equal(minitorch.dist(to_ours(x), to_ours(y), 0), oracle.dist(to_torch(x), to_torch(y), 0))

    def test_dist_promotes(self) -> None:
        x, y = numpy.array([1.0, 2.0], "float32"), numpy.array([4, 6])
        assert_equal(minitorch.dist(to_ours(x), to_ours(y)), oracle.dist(to_torch(x), to_torch(y)))
