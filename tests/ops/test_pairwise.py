"""Functions of two operands against torch, with zeros, signed zeros, infinities and NaN on both sides."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.compare import as_numpy, assert_equal
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, binary, draw_broadcastable, draw_shape
from tests.ops.test_arithmetic import MISMATCH

AWAY = {"kinks": (0.0,), "gap": 0.3}
POSITIVE = {"low": 0.2, "high": 3.0}
INTEGERS = ("int64", "int32", "uint8")
NAN, INF = float("nan"), float("inf")


def integers_refused(name: str, dtype: str = "int64") -> ErrorCase:
    kind = {"int64": "Long", "float32": "Float"}[dtype]
    return ErrorCase(Sample(Spec((2,)), Spec((2,))), NotImplementedError, f"not implemented for '{kind}'", dtype=dtype)


def whole_numbers(draw: Draw) -> Sample:
    a, b = draw_broadcastable(draw, 2)
    return Sample(Spec(a, low=-30, high=30), Spec(b, low=-30, high=30))


def with_number(draw: Draw) -> Sample:
    """A tensor and a number, in either place."""
    tensor, number = Spec(draw_shape(draw), **POSITIVE), draw(st.sampled_from([2, 0.5, 0]))
    return Sample(tensor, number) if draw(st.booleans()) else Sample(number, tensor)


def both(name: str, first: dict[str, Any], second: dict[str, Any], **options: Any) -> Declaration:
    tiny = [Sample(Spec((2, 3), **first), Spec((3,), **second))]
    errors = [MISMATCH, *options.pop("errors", [])]
    return Declaration(name, binary(first, second), tiny=tiny, errors=errors, **options)


class TestPairwise(OpContract):
    declarations: ClassVar = [
        both("hypot", AWAY, AWAY, errors=[integers_refused("hypot")]),
        both("atan2", AWAY, AWAY, integer_dtypes=(*INTEGERS, "bool")),
        both("arctan2", AWAY, AWAY),
        both("copysign", AWAY, AWAY, integer_dtypes=INTEGERS),
        Declaration("copysign", lambda draw: Sample(Spec(draw_shape(draw), **AWAY), -1.0), integer_dtypes=INTEGERS),
        both("xlogy", {}, POSITIVE, integer_dtypes=("uint8",)),
        Declaration("xlogy", with_number, integer_dtypes=("uint8",)),
        both("logaddexp", {}, {}, errors=[integers_refused("logaddexp")]),
        both("logaddexp2", {}, {}, errors=[integers_refused("logaddexp2")]),
        both("ldexp", {}, {}, integer_dtypes=("int64", "int32")),
        # no negative integers: torch's gradient takes 2⁻¹ for an integer and makes it 0
        Declaration("ldexp", lambda draw: Sample(Spec(draw_shape(draw)), Spec((), dtype="int64", low=0))),
        Declaration(
            "heaviside",
            binary(),
            differentiable=False,
            integer_dtypes=INTEGERS,
            errors=[MISMATCH, ErrorCase(Sample(Spec((2,)), Spec((2,), dtype="float64")), RuntimeError, "heaviside")],
        ),
        Declaration("nextafter", binary(), differentiable=False, errors=[MISMATCH, integers_refused("nextafter")]),
        Declaration(
            "gcd",
            whole_numbers,
            dtypes=("int64", "int8"),
            differentiable=False,
            errors=[integers_refused("gcd", "float32")],
        ),
        Declaration(
            "lcm",
            whole_numbers,
            dtypes=("int64", "int32"),
            differentiable=False,
            errors=[integers_refused("lcm", "float32")],
        ),
    ]


SPECIAL = [0.0, -0.0, 1.0, -2.5, INF, -INF, NAN]


@pytest.mark.parametrize(
    "name", ["hypot", "atan2", "copysign", "xlogy", "logaddexp", "logaddexp2", "heaviside", "nextafter"]
)
def test_zeros_infinities_and_nan(name: str) -> None:
    results = [
        getattr(package, name)(package.tensor(SPECIAL).reshape(-1, 1), package.tensor(SPECIAL))
        for package in (torch, oracle)
    ]
    assert_equal(*results)


@pytest.mark.parametrize("name", ["hypot", "atan2", "copysign", "xlogy"])
def test_gradients_at_zeros(name: str) -> None:
    results = []
    for package in (torch, oracle):
        x = package.tensor([[0.0], [1.0], [-2.0]], requires_grad=True)
        y = package.tensor([0.0, -1.0, 2.0], requires_grad=True)
        results.append(package.autograd.grad(getattr(package, name)(x, y).sum(), [x, y]))
    for ours, theirs in zip(*results):
        assert_equal(ours, theirs)


def test_nextafter_moves_by_one_bit() -> None:
    x = torch.nextafter(torch.tensor([1.0, -1.0]), torch.tensor([2.0, -2.0]))
    expected = oracle.nextafter(oracle.tensor([1.0, -1.0]), oracle.tensor([2.0, -2.0]))
    assert as_numpy(x).tobytes() == expected.numpy().tobytes()


def test_logaddexp_of_large_numbers_is_finite() -> None:
    assert torch.logaddexp(torch.tensor([1000.0]), torch.tensor([999.0])).tolist() == pytest.approx([1000.3133])


@pytest.mark.parametrize("name", ["heaviside", "nextafter"])
def test_functions_without_a_derivative_say_so_in_backward(name: str) -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=f"derivative for aten::{name} is not implemented"):
        getattr(torch, name)(x, torch.zeros(2)).sum().backward()
