"""searchsorted and bucketize against torch."""

from __future__ import annotations

import math

import numpy
import pytest
import torch as oracle
from hypothesis import given
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.compare import to_ours, to_torch
from tests.harness.contract import SEEDS, OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_shape

VECTOR, MATRIX = Spec((2,)), Spec((2, 3))


def sorted_values(generator: numpy.random.Generator, shape: tuple[int, ...]) -> numpy.ndarray:
    return numpy.sort(generator.integers(-3, 4, shape) / 2, -1)  # with ties, among themselves and with the values


def search_samples(draw: Draw) -> Sample:
    generator = numpy.random.default_rng(draw(st.integers(0, 999)))
    shape = draw_shape(draw, 1, 3, 0, 6)
    rows = shape[:-1] if len(shape) > 1 else draw_shape(draw, 0, 2)
    wanted = (*rows, draw(st.integers(0, 5)))
    values = Spec(wanted, values=generator.integers(-4, 5, wanted) / 2)
    options = draw(st.sampled_from([{}, {"right": True}, {"side": "right"}, {"side": "left"}, {"out_int32": True}]))
    return Sample(Spec(shape, values=sorted_values(generator, shape)), values, **options)


def bucket_samples(draw: Draw) -> Sample:
    generator = numpy.random.default_rng(draw(st.integers(0, 999)))
    shape = draw_shape(draw, 0, 3)
    boundaries = sorted_values(generator, (draw(st.integers(0, 9)),))
    return Sample(
        Spec(shape, values=generator.integers(-4, 5, shape) / 2),
        Spec(boundaries.shape, values=boundaries),
        right=draw(st.booleans()),
    )


class TestSearching(OpContract):
    declarations = [
        Declaration(
            "searchsorted",
            search_samples,
            differentiable=False,
            integer_dtypes=("int64",),
            errors=[
                ErrorCase(Sample(VECTOR, VECTOR, side="left", right=True), RuntimeError, "can't be set to opposites"),
                ErrorCase(
                    Sample(VECTOR, VECTOR, side="foo"), RuntimeError, "can only be 'left' or 'right' but got foo"
                ),
                ErrorCase(
                    Sample(MATRIX, Spec((3, 2))),
                    RuntimeError,
                    r"boundaries tensor \[2, 3\] and input value tensor \[3, 2\]",
                ),
                ErrorCase(Sample(MATRIX, 1.0), RuntimeError, "input value can be a scalar only when"),
                ErrorCase(Sample(VECTOR, VECTOR, sorter=Spec((3,), "int64")), RuntimeError, "must have the same size"),
                ErrorCase(
                    Sample(VECTOR, VECTOR, sorter=Spec((2,), "int64", values=[0, 5])),
                    RuntimeError,
                    "sorter index out of range",
                ),
                ErrorCase(
                    Sample(Spec(()), VECTOR), RuntimeError, "should have positive dimension, but got 0 dimension"
                ),
            ],
        ),
        Declaration(
            "bucketize",
            bucket_samples,
            differentiable=False,
            integer_dtypes=("int64",),
            errors=[ErrorCase(Sample(VECTOR, MATRIX), RuntimeError, r"must be 1 dimension, but got dim\(2\)")],
        ),
    ]


@given(st.data(), SEEDS)
def test_with_a_sorter(data, seed) -> None:
    values = numpy.random.default_rng(seed).uniform(-1, 1, (2, data.draw(st.integers(1, 9))))
    order = numpy.argsort(values, -1)
    results = [
        package.searchsorted(make(values), make(values[:, :1]), sorter=make(order)).tolist()
        for package, make in ((torch, to_ours), (oracle, to_torch))
    ]
    assert results[0] == results[1]


@pytest.mark.parametrize("right", [False, True])
def test_numbers_nan_and_other_dtypes(right) -> None:
    for package in (torch, oracle):
        assert package.searchsorted(package.tensor([1.0, 2.0]), 1.5, right=right).item() == 1
        assert package.searchsorted(package.tensor([1.0, 2.0]), package.tensor([math.nan]), right=right).tolist() == [2]
        assert package.searchsorted(package.tensor([1, 2]), package.tensor([1.5]), right=right).tolist() == [1]
        assert package.bucketize(1, package.tensor([1, 2]), right=right).item() == int(right)
        assert package.bucketize(package.tensor([1, 3]), package.tensor([1.5, 2.0]), right=right).tolist() == [0, 2]
