"""Bits against torch: every integer dtype, signs, and shifts by too much."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.compare import assert_equal
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, draw_broadcastable, draw_shape, unary
from tests.ops.test_arithmetic import MISMATCH

INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
FLOATING = ErrorCase(Sample(Spec((2,)), Spec((2,))), NotImplementedError, "not implemented for 'Float'")
FRACTION = ErrorCase(Sample(Spec((2,)), 1.5), NotImplementedError, "for 'Float'", dtype="int64")


def bits(draw: Draw) -> Sample:
    a, b = draw_broadcastable(draw, 2)
    other = draw(st.sampled_from([Spec(b, low=-100, high=100), Spec(b, dtype="int16"), 5, True, -1]))
    return Sample(Spec(a, low=-100, high=100), other)


def number_first(draw: Draw) -> Sample:
    return Sample(draw(st.sampled_from([5, True])), Spec(draw_shape(draw)))


def shifts(draw: Draw) -> Sample:
    a, b = draw_broadcastable(draw, 2)
    by = draw(st.sampled_from([Spec(b, low=0, high=7), 3]))
    return Sample(Spec(a, low=-100, high=100), by)


def declare(name: str, samples: Any, dtypes: tuple[str, ...], errors: Any = ()) -> Declaration:
    return Declaration(name, samples, dtypes=dtypes, differentiable=False, errors=errors)


class TestBitwise(OpContract):
    declarations: ClassVar = [
        *(
            declare(name, bits, (*INTEGERS, "bool"), [FLOATING, FRACTION])
            for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
        ),
        *(declare(name, number_first, (*INTEGERS, "bool")) for name in ("bitwise_and", "bitwise_or", "bitwise_xor")),
        declare(
            "bitwise_not",
            unary(low=-100, high=100),
            (*INTEGERS, "bool"),
            [ErrorCase(Sample(Spec((2,))), NotImplementedError, "not implemented for 'Float'")],
        ),
        declare("bitwise_left_shift", shifts, INTEGERS, [FLOATING, FRACTION]),
        declare("bitwise_right_shift", shifts, INTEGERS, [FLOATING, FRACTION]),
    ]


@pytest.mark.parametrize("name", ["bitwise_left_shift", "bitwise_right_shift"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_shifts_beyond_the_width_and_below_zero(name: str, dtype: str) -> None:
    width = 64 if dtype == "int64" else int("".join(filter(str.isdigit, dtype)))
    amounts = [0, 1, width - 1, width, min(width + 3, 127)] + ([] if dtype == "uint8" else [-1, -5])
    values = [0, 1, 5, 100] + ([] if dtype == "uint8" else [-1, -100])
    results = []
    for package in (torch, oracle):
        kind = getattr(package, dtype)
        shifted = getattr(package, name)(
            package.tensor(values, dtype=kind).reshape(-1, 1), package.tensor(amounts, dtype=kind)
        )
        results.append(shifted)
    assert_equal(*results)


def test_shapes_that_do_not_broadcast() -> None:
    assert MISMATCH.error is RuntimeError
    for package in (torch, oracle):
        with pytest.raises(RuntimeError, match="must match the size of tensor"):
            package.bitwise_and(package.tensor([1, 2]), package.tensor([1, 2, 3]))
