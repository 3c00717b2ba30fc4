"""lerp, addcmul and addcdiv against torch."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.compare import assert_equal
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_broadcastable

AWAY_FROM_ZERO = {"kinks": (0.0,), "gap": 0.3}
TRIPLE = (Spec((2, 3)), Spec((3,)), Spec((2, 1), **AWAY_FROM_ZERO))


def lerp_samples(draw: Draw) -> Sample:
    a, b, weight = draw_broadcastable(draw, 3)
    return Sample(Spec(a), Spec(b), draw(st.sampled_from([0, 0.25, 0.5, 1, -1.5, Spec(weight)])))


def fused_samples(draw: Draw) -> Sample:
    a, b, c = draw_broadcastable(draw, 3)
    value = draw(st.sampled_from([1, 2, -0.5]))
    return Sample(Spec(a), Spec(b), Spec(c, **AWAY_FROM_ZERO), value=value)


def mixed_samples(draw: Draw) -> Sample:
    """Of three operands one is an integer tensor."""
    shapes = draw_broadcastable(draw, 3)
    integer = draw(st.integers(0, 2))
    specs = [Spec(shape, dtype="int64" if i == integer else None, low=1, high=4) for i, shape in enumerate(shapes)]
    return Sample(*specs, value=1.5)


class TestInterpolation(OpContract):
    declarations: ClassVar = [
        Declaration(
            "lerp",
            lerp_samples,
            dtypes=("float64", "float32", "float16"),
            tiny=[Sample(*TRIPLE), Sample(Spec((2,)), Spec((2,)), 0.25)],
            # one rounding to float16 more or less than torch's
            tolerance={"float16": (2e-3, 2e-3)},
            errors=[
                ErrorCase(
                    Sample(Spec((2,)), Spec((2,), dtype="float64"), 0.5),
                    RuntimeError,
                    "expected dtype float for `end` but got dtype double",
                ),
                ErrorCase(
                    Sample(Spec((2,)), Spec((2,)), Spec((2,), dtype="float64")),
                    RuntimeError,
                    "expected dtype float for `weight` but got dtype double",
                ),
                ErrorCase(Sample(Spec((2,)), Spec((2,)), 0.5), NotImplementedError, "'Long'", dtype="int64"),
                ErrorCase(Sample(Spec((2,)), Spec((3,)), 0.5), RuntimeError, "must match the size of tensor"),
            ],
        ),
        Declaration(
            "addcmul",
            fused_samples,
            dtypes=("float64", "float32", "float16"),
            tolerance={"float16": (2e-3, 2e-3)},  # as lerp
            tiny=[Sample(*TRIPLE, value=0.5)],
            integer_dtypes=("int64", "int32"),
            errors=[
                ErrorCase(Sample(Spec((2,)), 1.0, Spec((2,))), TypeError, "'tensor1'"),
                ErrorCase(Sample(Spec((2,)), Spec((2,)), Spec((3,))), RuntimeError, "must match the size of tensor"),
                ErrorCase(Sample(*TRIPLE, value="1"), TypeError, "'value' must be Number"),
            ],
        ),
        Declaration("addcmul", mixed_samples),
        Declaration(
            "addcdiv",
            fused_samples,
            tiny=[Sample(*TRIPLE, value=0.5)],
            errors=[
                ErrorCase(
                    Sample(Spec((2,)), Spec((2,), dtype="int64"), Spec((2,), dtype="int64")),
                    RuntimeError,
                    "Integer division with addcdiv is no longer supported",
                ),
                ErrorCase(Sample(Spec((2,)), Spec((2,)), Spec((3,))), RuntimeError, "must match the size of tensor"),
            ],
        ),
        Declaration("addcdiv", mixed_samples, differentiable=False),  # torch's gradient fails for an integer divisor
    ]


def test_lerp_reaches_both_ends_exactly() -> None:
    a, b = torch.tensor([0.1, 1e8]), torch.tensor([0.7, 1.0])
    assert torch.lerp(a, b, 0.0).tolist() == a.tolist()
    assert torch.lerp(a, b, 1.0).tolist() == b.tolist()
    assert torch.lerp(a, b, torch.ones(2)).tolist() == b.tolist()


@pytest.mark.parametrize("value", [1.5, 2, -1])
def test_the_factor_of_integers_is_cut_to_an_integer(value: float) -> None:
    results = [package.addcmul(*[package.tensor([3, -4])] * 3, value=value) for package in (torch, oracle)]
    assert_equal(*results)


def test_a_weight_without_dimensions_may_be_of_another_dtype() -> None:
    results = []
    for package in (torch, oracle):
        weight = package.tensor(0.25, dtype=package.float64, requires_grad=True)
        result = package.lerp(package.zeros(2), package.ones(2), weight)
        results.append([result, package.autograd.grad(result.sum(), weight)[0]])
    for ours, theirs in zip(*results):
        assert_equal(ours, theirs)
