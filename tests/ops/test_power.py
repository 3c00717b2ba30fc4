"""Powers against torch: number and tensor on either side, integers, and the corners 0⁰, 0ᵉ, eˣ with NaN."""

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
from tests.harness.strategies import Draw, binary, draw_shape
from tests.ops.test_arithmetic import MISMATCH

POSITIVE = {"low": 0.2, "high": 3.0}
INF, NAN = float("inf"), float("nan")
NEGATIVE_POWER = "Integers to negative integer powers are not allowed."


def by_number(draw: Draw) -> Sample:
    exponent = draw(st.sampled_from([0, 1, 2, 3, 4, 0.5, 2.5, 0.0, 2.0]))
    return Sample(Spec(draw_shape(draw), **POSITIVE), exponent)


def by_negative_number(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw), **POSITIVE), draw(st.sampled_from([-1, -2, -0.5, -3.0])))


def of_signed_base(draw: Draw) -> Sample:
    return Sample(Spec(draw_shape(draw)), draw(st.sampled_from([0, 1, 2, 3, 4, 5])))


def of_number(draw: Draw) -> Sample:
    return Sample(draw(st.sampled_from([2, 3.0, 0.5, 1, 0, 0.0])), Spec(draw_shape(draw), low=0.1, high=3))


class TestPower(OpContract):
    declarations: ClassVar = [
        Declaration(
            "pow",
            binary(POSITIVE, {}),
            reference=reference.pow,
            tiny=[Sample(Spec((2, 3), **POSITIVE), Spec((3,))), Sample(Spec((2,), **POSITIVE), 3)],
            errors=[
                MISMATCH,
                ErrorCase(Sample(Spec((2,)), -1), RuntimeError, NEGATIVE_POWER, dtype="int64"),
                ErrorCase(Sample(Spec((2,)), -2), RuntimeError, NEGATIVE_POWER, dtype="uint8"),
                ErrorCase(Sample(Spec((2,)), Spec((2,))), NotImplementedError, "for 'Bool'", dtype="bool"),
                ErrorCase(Sample(2, 3), TypeError, "must be Tensor"),
            ],
        ),
        Declaration(
            "pow",
            binary({"low": 0, "high": 4}, {"low": -3, "high": 4}),
            dtypes=("float64",),
            integer_dtypes=("int64", "int32", "int8"),
            differentiable=False,
        ),
        Declaration("pow", by_number, integer_dtypes=("int64", "uint8")),
        Declaration("pow", by_negative_number),
        Declaration("pow", of_signed_base, integer_dtypes=("int64", "int8")),
        Declaration("pow", of_number, integer_dtypes=("int64", "uint8")),
        Declaration("float_power", by_number, integer_dtypes=("int64",)),
        Declaration("float_power", by_negative_number),
        Declaration("float_power", of_number),
    ]


def test_negative_integer_powers_in_a_tensor_round_to_whole_numbers() -> None:
    results = []
    for package in (torch, oracle):
        base = package.tensor([[-2], [-1], [0], [1], [2]])
        results.append(base ** package.tensor([-3, -2, -1, 0, 1, 2]))
    assert_equal(*results)


@pytest.mark.parametrize("base", [[0.0, 0.0, 0.0, 0.0], [-1.5, -1.5, 2.0, NAN], [INF, -INF, NAN, 0.0]])
def test_gradients_at_the_corners_are_those_of_torch(base: list[float]) -> None:
    results = []
    for package in (torch, oracle):
        x = package.tensor(base, requires_grad=True)
        e = package.tensor([0.0, 1.0, 2.5, -1.0], requires_grad=True)
        result = x**e
        results.append([result, *package.autograd.grad(result.sum(), [x, e])])
    for ours, theirs in zip(*results):
        assert_equal(ours, theirs)


@pytest.mark.parametrize("base", [0, 0.0, -2.0, 1.0, 3])
def test_gradient_of_the_exponent_of_a_number(base: float) -> None:
    results = []
    for package in (torch, oracle):
        e = package.tensor([0.0, 1.0, 2.0, -1.0], requires_grad=True)
        results.append(package.autograd.grad((base**e).sum(), e)[0])
    assert_equal(*results)


@pytest.mark.parametrize("exponent", [0, 0.5, -1, 2, 3, -0.5])
def test_special_values_to_a_number(exponent: float) -> None:
    values = [0.0, -0.0, 1.0, -1.0, INF, -INF, NAN]
    results = []
    for package in (torch, oracle):
        x = package.tensor(values, requires_grad=True)
        results.append([x**exponent, *package.autograd.grad((x**exponent).sum(), x)])
    for ours, theirs in zip(*results):
        assert_equal(ours, theirs)


def test_float_power_refuses_an_out_of_another_dtype() -> None:
    for package in (torch, oracle):
        with pytest.raises(RuntimeError):
            package.float_power(package.ones(2), 2, out=package.ones(2))


def test_grad_fn_names() -> None:
    x = torch.tensor([2.0], requires_grad=True)
    names = [(x**2).grad_fn.name(), (x**x).grad_fn.name(), (2**x).grad_fn.name()]
    assert names == ["PowBackward0", "PowBackward1", "PowBackward2"]
