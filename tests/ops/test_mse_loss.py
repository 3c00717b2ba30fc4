"""Mean squared error against torch; see ``tests/harness/contract.py`` for the kinds of test."""

from __future__ import annotations

from typing import ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch
import minitorch.nn.functional
from reference import mse_loss as reference
from tests.harness.compare import assert_equal, to_ours, to_torch
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_broadcastable, draw_shape

NAME = "nn.functional.mse_loss"
REDUCTIONS = st.sampled_from(["none", "mean", "sum"])
MISMATCH = r"The size of tensor a \(4\) must match the size of tensor b \(2\) at non-singleton dimension 1"


def samples(draw: Draw) -> Sample:
    first, second = draw_broadcastable(draw, 2)
    return Sample(Spec(first), Spec(second), reduction=draw(REDUCTIONS))


def weighted(draw: Draw) -> Sample:
    shape = draw_shape(draw, 0, 3)
    return Sample(Spec(shape), Spec(shape), weight=Spec(shape, low=0.1), reduction=draw(REDUCTIONS))


PAIR = (Spec((2, 3)), Spec((2, 3)))
ERRORS = [
    ErrorCase(Sample(Spec((3, 4)), Spec((3, 2))), RuntimeError, MISMATCH),
    ErrorCase(Sample(*PAIR, reduction="x"), ValueError, "x is not a valid value for reduction"),
    ErrorCase(Sample(*PAIR), NotImplementedError, "\"mse_cpu\" not implemented for 'Long'", dtype="int64"),
    ErrorCase(Sample(*PAIR, weight=Spec((3,))), ValueError, "Weights and input must have the same size."),
]


@pytest.mark.filterwarnings("ignore:Using a target size")
class TestMseLoss(OpContract):
    declarations: ClassVar = [
        Declaration(
            NAME,
            samples,
            reference=reference.mse_loss,
            tiny=[
                Sample(*PAIR),
                Sample(Spec((2, 3)), Spec((3,)), reduction="none"),
                Sample(Spec((2, 1)), Spec((1, 3)), reduction="sum"),
                Sample(Spec(()), Spec((2,))),
            ],
            errors=ERRORS,
        ),
        Declaration(NAME, weighted),
    ]


def test_unlike_sizes_are_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"Using a target size \(torch.Size\(\[3, 1\]\)\) that is different"):
        minitorch.nn.functional.mse_loss(minitorch.zeros(3, 4), minitorch.zeros(3, 1))


def test_dtypes_are_promoted() -> None:
    array = numpy.random.default_rng(0).uniform(-2, 2, (2, 3))
    for first, second in (("float32", "float64"), ("float32", "int64"), ("int64", "float64")):
        pair = array.astype(first), array.astype(second)
        ours = minitorch.nn.functional.mse_loss(to_ours(pair[0]), to_ours(pair[1]))
        assert_equal(ours, oracle.nn.functional.mse_loss(to_torch(pair[0]), to_torch(pair[1])))


def test_float16_is_averaged_in_float32() -> None:
    pair = numpy.random.default_rng(0).uniform(-2, 2, (2, 5000)).astype("float16")
    ours = minitorch.nn.functional.mse_loss(to_ours(pair[0]), to_ours(pair[1]))
    exact = ((pair[0].astype("float64") - pair[1].astype("float64")) ** 2).mean()
    assert abs(float(ours.array) / exact - 1) < 2**-10


def test_the_nodes_name_is_torchs() -> None:
    array = numpy.zeros((2, 3))
    ours = minitorch.nn.functional.mse_loss(to_ours(array, True), to_ours(array))
    assert ours.grad_fn.name() == oracle.nn.functional.mse_loss(to_torch(array, True), to_torch(array)).grad_fn.name()
