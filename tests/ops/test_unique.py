"""unique and unique_consecutive."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
from tests.harness.compare import assert_equal, flatten, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_dim, draw_shape


def unique_samples(draw: Draw) -> Sample:
    along = draw(st.booleans())
    shape = draw_shape(draw, 1 if along else 0, 3, min_size=1 if along else 0, max_size=4)
    options: dict[str, Any] = {"return_inverse": draw(st.booleans()), "return_counts": draw(st.booleans())}
    if along:
        options["dim"] = draw_dim(draw, len(shape))
    dtype = draw(st.sampled_from(["int64", "uint8", "bool", "float32"]))
    values = numpy.random.default_rng(draw(st.integers(0, 99))).integers(0, 3, shape)
    return Sample(Spec(values=values, dtype=dtype), **options)


ERRORS = [
    ErrorCase(Sample(Spec(()), dim=0), IndexError, "Dimension specified as 0 but tensor has no dimensions"),
    ErrorCase(Sample(Spec((0, 3)), dim=1), RuntimeError, "There are 0 sized dimensions, and they aren't selected"),
    ErrorCase(Sample(Spec((2, 3)), dim=2), IndexError, "Dimension out of range"),
]


class TestUnique(OpContract):
    declarations = [
        Declaration(name, unique_samples, errors=ERRORS, differentiable=False)
        for name in ("unique", "unique_consecutive")
    ]

    @pytest.mark.parametrize("name", ["unique", "unique_consecutive"])
    @pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0)])
    def test_few_or_no_elements(self, name: str, shape: tuple[int, ...]) -> None:
        values = numpy.ones(shape, "float32")
        ours = getattr(minitorch, name)(to_ours(values), return_inverse=True, return_counts=True)
        theirs = getattr(oracle, name)(to_torch(values), return_inverse=True, return_counts=True)
        for actual, expected in zip(flatten(ours), flatten(theirs)):
            assert_equal(actual, expected)

    def test_no_two_nans_are_equal(self) -> None:
        values = numpy.array([[1.0, numpy.nan, 3.0], [numpy.nan, numpy.nan, 2.0]])
        ours = minitorch.unique(to_ours(values), return_inverse=True, return_counts=True)
        theirs = oracle.unique(to_torch(values), return_inverse=True, return_counts=True)
        for actual, expected in zip(ours, theirs):
            assert_equal(actual, expected)

    def test_rows_keep_their_order_in_the_inverse(self) -> None:
        values = numpy.random.default_rng(0).integers(0, 3, (50, 2))
        found, inverse, counts = to_ours(values).unique(dim=0, return_inverse=True, return_counts=True)
        assert (found.numpy()[inverse.numpy()] == values).all()
        assert counts.sum().item() == 50

    def test_the_result_is_a_copy(self) -> None:
        x = minitorch.tensor([[1.0, 2.0]])
        x.unique(dim=0).zero_()
        x.unique_consecutive(dim=0).zero_()
        assert x.tolist() == [[1.0, 2.0]]
