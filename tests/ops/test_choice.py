"""where, maximum and minimum against torch: dtypes, ties, NaN."""

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

INTEGERS = ("int64", "int32", "uint8", "bool")
APART = [Sample(Spec((2, 3), distinct=True), Spec((3,), low=2, high=3)), Sample(Spec(()), Spec((2,)))]
NAN, INF = float("nan"), float("inf")


def where_samples(draw: Draw) -> Sample:
    condition, a, b = draw_broadcastable(draw, 3)
    return Sample(Spec(condition, dtype="bool"), Spec(a), Spec(b))


def where_numbers(draw: Draw) -> Sample:
    condition, a = draw_broadcastable(draw, 2)
    number = st.sampled_from([2, -1.5, 0, True])
    choices = draw(st.sampled_from(["first", "second", "both"]))
    input = Spec(a) if choices == "second" else draw(number)
    return Sample(Spec(condition, dtype="bool"), input, Spec(a) if choices == "first" else draw(number))


def refuse_number(name: str) -> ErrorCase:
    text = rf"{name}\(\): argument 'other' \(position 2\) must be Tensor, not float"
    return ErrorCase(Sample(Spec((2,)), 1.0), TypeError, text)


class TestChoice(OpContract):
    declarations: ClassVar = [
        Declaration(
            "where",
            where_samples,
            reference=reference.where,
            tiny=[Sample(Spec((2, 3), dtype="bool"), Spec((3,)), Spec((2, 1)))],
            integer_dtypes=INTEGERS,
            errors=[
                ErrorCase(
                    Sample(Spec((2,)), Spec((2,)), Spec((2,))),
                    RuntimeError,
                    "where expected condition to be a boolean tensor, but got a tensor with dtype Float",
                ),
                ErrorCase(
                    Sample(Spec((2,), dtype="bool"), Spec((2,)), Spec((3,))), RuntimeError, "must match the size"
                ),
                ErrorCase(Sample(Spec((2,), dtype="bool"), Spec((2,))), TypeError, "where"),
            ],
        ),
        Declaration("where", where_numbers, integer_dtypes=INTEGERS),
        Declaration("where", lambda draw: Sample(Spec(draw_shape(draw))), integer_dtypes=INTEGERS),
    ] + [
        Declaration(
            name,
            binary(),
            reference=getattr(reference, name, None),
            tiny=APART,
            integer_dtypes=INTEGERS,
            errors=[MISMATCH, refuse_number(name)],
        )
        for name in ("maximum", "minimum", "fmax", "fmin")
    ]


@pytest.mark.parametrize("name", ["maximum", "minimum", "fmax", "fmin"])
def test_ties_nan_and_infinities_in_value_and_gradient(name: str) -> None:
    a, b = [1.0, 1.0, NAN, 2.0, NAN, INF, -0.0], [1.0, 3.0, 1.0, NAN, NAN, INF, 0.0]
    results = []
    for package in (torch, oracle):
        x, y = package.tensor(a, requires_grad=True), package.tensor(b, requires_grad=True)
        result = getattr(package, name)(x, y)
        weights = package.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
        results.append([result, *package.autograd.grad(result, [x, y], weights)])
    for ours, theirs in zip(*results):
        assert_equal(ours, theirs)


def test_what_is_not_chosen_cannot_leak_into_the_gradient() -> None:
    for package in (torch, oracle):
        x = package.tensor([-1.0, 4.0], requires_grad=True)
        package.where(x > 0, x**0.5, 0.0).backward(package.tensor([INF, 1.0]))
        assert x.grad.tolist()[1] == 0.25


def test_a_uint8_condition_warns_and_counts_as_boolean() -> None:
    condition = torch.tensor([0, 2], dtype=torch.uint8)
    with pytest.warns(UserWarning, match="uint8 condition"):
        result = torch.where(condition, torch.tensor([1.0, 2.0]), 5.0)
    assert result.tolist() == [5.0, 2.0]


def test_where_of_mixed_dtypes_promotes() -> None:
    for values in ([1, 2], [1.0, 2.0]):
        for other in (2, 2.5, True):
            ours = torch.where(torch.tensor([True, False]), torch.tensor(values), other)
            assert_equal(ours, oracle.where(oracle.tensor([True, False]), oracle.tensor(values), other))


def test_method_where_puts_the_tensor_first() -> None:
    x = torch.tensor([1.0, 2.0])
    assert x.where(torch.tensor([True, False]), 9).tolist() == [1.0, 9.0]
