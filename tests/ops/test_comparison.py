"""Comparisons and logic against torch: dtypes on either side, numbers, NaN, tolerances."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch as oracle
from hypothesis import strategies as st

import minitorch as torch
from tests.harness.compare import assert_equal
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw, binary, draw_broadcastable, draw_shape, unary
from tests.ops.test_arithmetic import MISMATCH

INTEGERS = ("int64", "int32", "uint8", "bool")
NAN, INF = float("nan"), float("inf")
WHOLE = {"low": -2, "high": 2}
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")


def few_values(draw: Draw) -> Sample:
    """Operands that are often equal, of one dtype or two, or a tensor and a number."""
    a, b = draw_broadcastable(draw, 2)
    number = st.sampled_from([0, 1, 1.5, -1, True, 300])
    other = draw(st.one_of(number, st.sampled_from([Spec(b, dtype=name) for name in ("float64", *INTEGERS)])))
    return Sample(Spec(a, dtype=draw(st.sampled_from(["float32", "float64", "int8", *INTEGERS]))), other)


def close_values(draw: Draw) -> Sample:
    shape = draw_shape(draw)
    tolerances = draw(st.sampled_from([{}, {"rtol": 0.5}, {"atol": 1.0}, {"rtol": 0, "atol": 0}]))
    return Sample(Spec(shape), Spec(shape), **tolerances)


def membership(draw: Draw) -> Sample:
    options = draw(st.sampled_from([{}, {"invert": True}]))
    wanted = Spec(draw_shape(draw, max_dims=2), dtype="int64", low=0, high=3)
    elements = Spec(draw_shape(draw, max_dims=3), dtype="int64", low=0, high=5)
    return Sample(*draw(st.sampled_from([(elements, wanted), (elements, 2), (2, wanted)])), **options)


def declare(name: str, samples: Any, **options: Any) -> Declaration:
    return Declaration(name, samples, differentiable=False, **options)


NOT_A_TENSOR = ErrorCase(Sample(Spec((2,)), 1), TypeError, "must be Tensor, not int")


class TestComparison(OpContract):
    declarations: ClassVar = [
        *(declare(name, few_values, errors=[MISMATCH]) for name in COMPARISONS),
        *(
            declare(name, binary(), integer_dtypes=INTEGERS)
            for name in ("greater", "greater_equal", "less", "less_equal", "not_equal")
        ),
        *(declare(name, unary(), integer_dtypes=INTEGERS) for name in ("isnan", "isinf", "isfinite")),
        *(declare(name, unary(), integer_dtypes=INTEGERS) for name in ("isposinf", "isneginf")),
        *(
            declare(name, binary(WHOLE, WHOLE), integer_dtypes=INTEGERS, errors=[MISMATCH, NOT_A_TENSOR])
            for name in ("logical_and", "logical_or", "logical_xor")
        ),
        declare("logical_not", unary(), integer_dtypes=INTEGERS),
        declare(
            "isclose",
            close_values,
            integer_dtypes=INTEGERS,
            errors=[
                ErrorCase(Sample(Spec((2,)), Spec((2,), dtype="float64")), RuntimeError, "Float did not match Double"),
                ErrorCase(Sample(Spec((2,)), Spec((2,)), rtol=-1.0), RuntimeError, "rtol must be greater than or"),
                ErrorCase(Sample(Spec((2,)), Spec((2,)), atol=-1.0), RuntimeError, "atol must be greater than or"),
            ],
        ),
        declare("allclose", close_values, integer_dtypes=INTEGERS),
        declare("isin", membership, check_layouts=False),  # torch refuses transposed tensors
    ]


SPECIAL = [0.0, -0.0, 1.0, INF, -INF, NAN]


@pytest.mark.parametrize("name", [*COMPARISONS, "isclose", "logical_and", "logical_or", "logical_xor"])
def test_nan_and_infinities(name: str) -> None:
    results = [
        getattr(package, name)(package.tensor(SPECIAL).reshape(-1, 1), package.tensor(SPECIAL))
        for package in (torch, oracle)
    ]
    assert_equal(*results)


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite", "isposinf", "isneginf", "logical_not"])
def test_single_special_values(name: str) -> None:
    assert_equal(getattr(torch, name)(torch.tensor(SPECIAL)), getattr(oracle, name)(oracle.tensor(SPECIAL)))


@pytest.mark.parametrize("options", [{}, {"equal_nan": True}, {"rtol": 0.0}, {"rtol": 0.0, "atol": 0.0}])
def test_isclose_of_special_values(options: dict[str, Any]) -> None:
    results = [
        package.isclose(package.tensor(SPECIAL).reshape(-1, 1), package.tensor(SPECIAL), **options)
        for package in (torch, oracle)
    ]
    assert_equal(*results)


def test_isclose_does_not_wrap_around() -> None:
    for dtype, values in (("uint8", [250, 1]), ("int8", [-128, 127])):
        results = [
            package.isclose(
                package.tensor(values, dtype=getattr(package, dtype)),
                package.tensor(values[::-1], dtype=getattr(package, dtype)),
                atol=10.0,
            )
            for package in (torch, oracle)
        ]
        assert_equal(*results)


@pytest.mark.parametrize(
    ("first", "second"),
    [([1, 2], [1, 2]), ([1, 2], [1, 3]), ([1, 2], [1]), ([1.0, NAN], [1.0, NAN]), ([], []), ([1], [1.0])],
)
def test_equal_is_one_python_bool(first: list[float], second: list[float]) -> None:
    ours = torch.equal(torch.tensor(first), torch.tensor(second))
    assert ours is oracle.equal(oracle.tensor(first), oracle.tensor(second))


def test_results_are_outside_the_graph() -> None:
    x = torch.ones(2, requires_grad=True)
    for result in (x > 0, torch.eq(x, x), torch.isnan(x), torch.logical_and(x, x)):
        assert not result.requires_grad
        assert result.is_leaf


def test_out_may_have_another_dtype() -> None:
    out = torch.zeros(2)
    assert torch.gt(torch.tensor([1, 5]), 2, out=out) is out
    assert out.tolist() == [0.0, 1.0]


def test_isin_of_fractions_and_nan() -> None:
    for wanted in ([NAN], [1.0, INF], []):
        assert_equal(
            torch.isin(torch.tensor(SPECIAL), torch.tensor(wanted)),
            oracle.isin(oracle.tensor(SPECIAL), oracle.tensor(wanted)),
        )
