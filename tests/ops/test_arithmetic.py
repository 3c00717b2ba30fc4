"""Arithmetic against torch; see ``tests/harness/contract.py`` for what each declaration is put through."""

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
from tests.harness.strategies import Draw, binary, draw_broadcastable, draw_shape, unary

INTEGERS = ("int64", "int32", "uint8", "bool")
NUMBERS = ("int64", "int32", "int8", "uint8")
# Two products, each rounded to float16, meet in a second gradient: their sum can differ by these roundings.
FLOAT16_SUMS = {"float16": (2e-3, 2e-3)}
MISMATCH = ErrorCase(
    Sample(Spec((2, 3)), Spec((2, 4))),
    RuntimeError,
    r"The size of tensor a \(3\) must match the size of tensor b \(4\)",
)
TWO_BOOLEANS = ErrorCase(
    Sample(Spec((2,)), Spec((2,))), RuntimeError, "with two bool tensors is not supported", dtype="bool"
)
ONE_BOOLEAN = ErrorCase(
    Sample(Spec((2,)), Spec((2,), dtype="bool")), RuntimeError, "with a bool tensor is not supported"
)
FRACTIONAL_ALPHA = ErrorCase(
    Sample(Spec((2,)), Spec((2,)), alpha=1.5),
    RuntimeError,
    "For integral input tensors, argument alpha must not be a floating point number.",
    dtype="int64",
)
BOOLEAN_ALPHA = ErrorCase(
    Sample(Spec((2,)), Spec((2,)), alpha=True), RuntimeError, "Boolean alpha only supported for Boolean results."
)
LARGE_ALPHA = ErrorCase(Sample(Spec((2,)), Spec((2,)), alpha=300), RuntimeError, "without overflow", dtype="uint8")
TEXT_ALPHA = ErrorCase(Sample(Spec((2,)), Spec((2,)), alpha="2"), TypeError, "'alpha' must be Number")


def with_alpha(draw: Draw) -> Sample:
    a, b = draw_broadcastable(draw, 2)
    return Sample(Spec(a), Spec(b), alpha=draw(st.sampled_from([1, 2, -3])))


def with_fractional_alpha(draw: Draw) -> Sample:
    a, b = draw_broadcastable(draw, 2)
    return Sample(Spec(a), Spec(b), alpha=draw(st.sampled_from([0.5, 1.0, -2.5, 0])))


def mixed(draw: Draw) -> Sample:
    """A float32 or integer tensor with one of another dtype, or a number."""
    a, b = draw_broadcastable(draw, 2)
    dtype = draw(st.sampled_from(["float32", "int64", "uint8"]))
    other = draw(st.sampled_from([2, -3, 2.5, 300, Spec(b), Spec(b, dtype="int16"), Spec(b, dtype="float16")]))
    return Sample(Spec(a, dtype=dtype), other)


class TestArithmetic(OpContract):
    declarations: ClassVar = [
        Declaration(
            "add",
            with_alpha,
            reference=reference.add,
            tiny=[Sample(Spec((2, 3)), Spec((3,))), Sample(Spec(()), Spec((2, 1)))],
            errors=[MISMATCH, FRACTIONAL_ALPHA, BOOLEAN_ALPHA, LARGE_ALPHA, TEXT_ALPHA],
            integer_dtypes=INTEGERS,
        ),
        Declaration("add", with_fractional_alpha),
        Declaration("add", mixed, tolerance=FLOAT16_SUMS),
        Declaration(
            "sub",
            with_alpha,
            reference=reference.sub,
            tiny=[Sample(Spec((2, 3)), Spec((3,))), Sample(Spec(()), Spec((2, 1)))],
            errors=[MISMATCH, TWO_BOOLEANS, ONE_BOOLEAN, FRACTIONAL_ALPHA, BOOLEAN_ALPHA],
            integer_dtypes=NUMBERS,
        ),
        Declaration("subtract", with_fractional_alpha),
        Declaration("sub", mixed, tolerance=FLOAT16_SUMS),
        Declaration("rsub", with_alpha, errors=[TWO_BOOLEANS, ONE_BOOLEAN], integer_dtypes=NUMBERS),
        Declaration("rsub", lambda draw: Sample(Spec(draw_shape(draw)), 1.5, alpha=2)),
        Declaration(
            "mul",
            binary(),
            reference=reference.mul,
            tiny=[Sample(Spec((2, 3)), Spec((3,)))],
            errors=[MISMATCH],
            integer_dtypes=INTEGERS,
        ),
        Declaration("multiply", mixed, tolerance=FLOAT16_SUMS),
        Declaration(
            "neg",
            unary(),
            integer_dtypes=NUMBERS,
            tiny=[Sample(Spec((2,)))],
            errors=[ErrorCase(Sample(Spec((2,))), RuntimeError, "Negation, the `-` operator", dtype="bool")],
        ),
        Declaration("negative", unary(), integer_dtypes=NUMBERS),
    ]


def test_positive_is_the_tensor_itself() -> None:
    x = torch.tensor([1.0])
    assert torch.positive(x) is x
    with pytest.raises(RuntimeError, match="on a bool tensor is not supported"):
        torch.positive(torch.tensor([True]))


@pytest.mark.parametrize("name", ["add", "sub", "mul"])
def test_out_receives_the_result(name: str) -> None:
    expected = getattr(oracle, name)(oracle.tensor([1.0, 2.0]), oracle.tensor([3.0, 5.0]))
    for dtype in (torch.float32, torch.float64):
        out = torch.zeros(2, dtype=dtype)
        assert getattr(torch, name)(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 5.0]), out=out) is out
        assert out.tolist() == expected.tolist()
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        getattr(torch, name)(torch.tensor([1.0]), 2, out=torch.zeros(1, dtype=torch.int64))


@pytest.mark.parametrize("scalar", [numpy.float64(2.5), numpy.float32(2.5), numpy.int32(2), numpy.int64(3)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8"])
def test_numpy_scalars_count_as_python_numbers(scalar: numpy.generic, dtype: str) -> None:
    ours, theirs = torch.ones(2, dtype=getattr(torch, dtype)), oracle.ones(2, dtype=getattr(oracle, dtype))
    assert_equal(ours * scalar, theirs * scalar)
    assert_equal(scalar * ours, scalar * theirs)


def test_numbers_wrap_around_in_the_dtype_of_the_tensor() -> None:
    values = [3, 4]
    for dtype, number in [("uint8", 300), ("uint8", -5), ("int8", 300), ("int16", 70000)]:
        ours = torch.tensor(values, dtype=getattr(torch, dtype)) + number
        assert_equal(ours, oracle.tensor(values, dtype=getattr(oracle, dtype)) + number)
