"""Quotients and remainders against torch, over all signs, and what happens at zero."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from reference import elementwise as reference
from tests.harness.compare import assert_equal
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, binary, draw_broadcastable, draw_shape
from tests.ops.test_arithmetic import MISMATCH

AWAY_FROM_ZERO = {"kinks": (0.0,), "gap": 0.3}
INTEGERS = ("int64", "int32", "int8", "uint8")
POSITIVE = {"low": 1, "high": 5}
INF, NAN = float("inf"), float("nan")
ZERO_DIVISOR = ErrorCase(Sample(Spec((2,)), Spec(values=[1, 0])), RuntimeError, "^ZeroDivisionError$", dtype="int64")
BOOLEAN = ErrorCase(
    Sample(Spec((2,)), Spec(values=[True])), NotImplementedError, "not implemented for 'Bool'", dtype="bool"
)
COMMON = [MISMATCH, ZERO_DIVISOR, BOOLEAN]


def by_number(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw), low=-9, high=9), draw(st.sampled_from([2, -3, 2.5, 0.7])))


def rounded(draw: Draw) -> Sample:
    a, b = draw_broadcastable(draw, 2)
    mode = draw(st.sampled_from(["floor", "trunc"]))
    return Sample(Spec(a, low=-9, high=9), Spec(b, **POSITIVE), rounding_mode=mode)


def signed(draw: Draw) -> Sample:
    """Dividends and divisors of either sign; no divisor is zero."""
    a, b = draw_broadcastable(draw, 2)
    sign = draw(st.sampled_from([1, -1]))
    low, high = sorted((sign * 1.0, sign * 5.0))
    return Sample(Spec(a, low=-9, high=9), Spec(b, low=low, high=high))


class TestDivision(OpContract):
    declarations: ClassVar = [
        Declaration(
            "div",
            binary(second=AWAY_FROM_ZERO),
            reference=reference.div,
            tiny=[Sample(Spec((2, 3)), Spec((3,), **AWAY_FROM_ZERO))],
            errors=[
                MISMATCH,
                ErrorCase(
                    Sample(Spec((2,)), 2.0, rounding_mode="up"),
                    RuntimeError,
                    "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'up'",
                ),
            ],
        ),
        Declaration("div", signed, integer_dtypes=(*INTEGERS[:3],)),
        Declaration("true_divide", by_number, integer_dtypes=(*INTEGERS, "bool")),
        Declaration("divide", rounded, integer_dtypes=INTEGERS, errors=[]),
        Declaration("floor_divide", signed, integer_dtypes=INTEGERS[:3], differentiable=False, errors=COMMON),
        Declaration("floor_divide", by_number, integer_dtypes=INTEGERS, differentiable=False),
        Declaration(
            "remainder",
            signed,
            integer_dtypes=INTEGERS[:3],
            errors=COMMON,
            tiny=[Sample(Spec(values=[1.2, -3.4]), Spec(values=[0.7, 1.1]))],
        ),
        Declaration("remainder", by_number, integer_dtypes=INTEGERS),
        Declaration(
            "fmod",
            signed,
            integer_dtypes=INTEGERS[:3],
            errors=COMMON,
            tiny=[Sample(Spec(values=[1.2, -3.4]), Spec(values=[0.7, 1.1]))],
        ),
        Declaration("fmod", by_number, integer_dtypes=INTEGERS),
    ]


SPECIAL = [0.0, -0.0, 1.0, -2.5, 3.0, INF, -INF, NAN]


@pytest.mark.parametrize("name", ["div", "floor_divide", "remainder", "fmod"])
def test_zeros_infinities_and_nan(name: str) -> None:
    ours = getattr(torch, name)(torch.tensor(SPECIAL).reshape(-1, 1), torch.tensor(SPECIAL))
    assert_equal(ours, getattr(oracle, name)(oracle.tensor(SPECIAL).reshape(-1, 1), oracle.tensor(SPECIAL)))


@pytest.mark.parametrize("mode", [None, "floor", "trunc"])
@pytest.mark.parametrize("dtype", ["int64", "int8"])
def test_every_small_integer_quotient(mode: str | None, dtype: str) -> None:
    dividends, divisors = list(range(-7, 8)), [-3, -2, -1, 1, 2, 3]
    results = []
    for package in (torch, oracle):
        a = package.tensor(dividends, dtype=getattr(package, dtype)).reshape(-1, 1)
        b = package.tensor(divisors, dtype=getattr(package, dtype))
        results.append(package.div(a, b, rounding_mode=mode))
    assert_equal(*results)


@pytest.mark.parametrize("name", ["floor_divide", "remainder", "fmod"])
def test_integer_division_by_the_number_zero_is_refused(name: str) -> None:
    with pytest.raises(RuntimeError, match=r"^ZeroDivisionError$"):
        getattr(torch, name)(torch.tensor([1]), 0)
    assert getattr(torch, name)(torch.zeros(0, dtype=torch.int64), 0).shape == (0,)


def test_floor_divide_has_no_derivative_but_rounded_div_has_zero() -> None:
    x = torch.tensor([3.0, 7.0], requires_grad=True)
    result = x // 2
    assert result.requires_grad
    with pytest.raises(RuntimeError, match="derivative for aten::floor_divide is not implemented"):
        result.sum().backward()
    torch.div(x, 2, rounding_mode="floor").sum().backward()
    assert x.grad.tolist() == [0.0, 0.0]


def test_true_division_of_integers_follows_the_default_dtype() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert (torch.tensor([1, 2]) / 2).dtype is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert (torch.tensor([1, 2]) / 2).dtype is torch.float32
