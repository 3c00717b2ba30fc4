"""clamp against torch: number and tensor limits, one side open, limits crossed, NaN, values on a limit."""

from __future__ import annotations

from typing import ClassVar

import numpy
import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from reference import elementwise as reference
from tests.harness.compare import assert_equal
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_broadcastable, draw_shape

INTEGERS = ("int64", "int32", "uint8")
NAN, INF = float("nan"), float("inf")
LIMITS = [(-1, 1), (-0.5, None), (None, 0.5), (0, 1.5), (1, -1), (None, 1)]


def by_numbers(draw: Draw) -> Sample:
    low, high = draw(st.sampled_from(LIMITS))
    return Sample(Spec(draw_shape(draw), kinks=(-1.0, -0.5, 0.0, 0.5, 1.0, 1.5)), low, high)


def by_natural_numbers(draw: Draw) -> Sample:
    low, high = draw(st.sampled_from([(1, 2), (0, None), (None, 1), (2, 1), (0.5, 1.5)]))
    return Sample(Spec(draw_shape(draw)), min=low, max=high)


def by_tensors(draw: Draw) -> Sample:
    """The input has the full shape: torch's gradient fails where both limits together are larger."""
    low, high = draw_broadcastable(draw, 2)
    x = numpy.broadcast_shapes(low, high)
    sides = draw(st.sampled_from(["both", "min", "max"]))
    return Sample(Spec(x), Spec(low) if sides != "max" else None, Spec(high) if sides != "min" else None)


def one_side(draw: Draw) -> Sample:
    x, limit = draw_broadcastable(draw, 2)
    return Sample(Spec(x, kinks=(0.5,)), draw(st.sampled_from([0.5, Spec(limit)])))


class TestClamping(OpContract):
    declarations: ClassVar = [
        Declaration(
            "clamp",
            by_numbers,
            reference=reference.clamp,
            tiny=[Sample(Spec((2, 3), kinks=(-1.0, 1.0)), -1.0, 1.0), Sample(Spec((3,), kinks=(0.5,)), max=0.5)],
            errors=[
                ErrorCase(Sample(Spec((2,))), RuntimeError, "At least one of 'min' or 'max' must not be None"),
                ErrorCase(Sample(Spec((2,)), 0.0, Spec((2,))), TypeError, "both be numbers or both be tensors"),
                ErrorCase(Sample(Spec((2,)), max=300), RuntimeError, "without overflow", dtype="int8"),
                ErrorCase(Sample(Spec((2,)), True), NotImplementedError, "for 'Bool'", dtype="bool"),
            ],
        ),
        Declaration("clamp", by_natural_numbers, integer_dtypes=INTEGERS, differentiable=False),
        Declaration(
            "clip",
            by_tensors,
            integer_dtypes=INTEGERS,
            tiny=[Sample(Spec((2, 3)), Spec((3,)), Spec((2, 1)))],
        ),
        Declaration("clamp_min", one_side, integer_dtypes=INTEGERS),
        Declaration("clamp_max", one_side, integer_dtypes=INTEGERS),
    ]


@pytest.mark.parametrize("limits", [(0.0, 1.0), (0.0, None), (None, 1.0), (1.0, 0.0), (NAN, 1.0), (0.0, NAN)])
@pytest.mark.parametrize("as_tensors", [False, True])
def test_values_on_the_limits_and_nan(limits: tuple[float | None, float | None], as_tensors: bool) -> None:
    values = [-INF, -1.0, 0.0, 0.5, 1.0, 2.0, INF, NAN]
    results = []
    for package in (torch, oracle):
        x = package.tensor(values, requires_grad=True)
        given = [value if value is None or not as_tensors else package.tensor(value) for value in limits]
        result = package.clamp(x, *given)
        results.append([result, *package.autograd.grad(result, x, package.ones(8))])
    for ours, theirs in zip(*results):
        assert_equal(ours, theirs)


def test_limits_that_are_met_or_crossed_share_the_gradient_as_in_torch() -> None:
    results = []
    for package in (torch, oracle):
        x = package.tensor([0.0, 1.0, 2.0, -1.0, 0.5, 3.0], requires_grad=True)
        low = package.tensor([0.0, 1.0, 5.0, 0.0, 1.0, 4.0], requires_grad=True)
        high = package.tensor([1.0, 1.0, 3.0, 0.0, 0.0, 4.0], requires_grad=True)
        result = package.clamp(x, low, high)
        results.append([result, *package.autograd.grad(result, [x, low, high], package.arange(1.0, 7.0))])
    for ours, theirs in zip(*results):
        assert_equal(ours, theirs)


def test_a_fractional_limit_makes_integers_fractional() -> None:
    ours = torch.clamp(torch.tensor([0, 3]), min=0.5)
    assert_equal(ours, oracle.clamp(oracle.tensor([0, 3]), min=0.5))
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type"):
        torch.tensor([0, 3]).clamp_(min=0.5)


def test_grad_fn_names() -> None:
    x, zero = torch.ones(2, requires_grad=True), torch.zeros(2)
    assert torch.clamp(x, 0, 1).grad_fn.name() == "ClampBackward1"
    assert torch.clamp(x, zero, zero).grad_fn.name() == "ClampBackward0"
