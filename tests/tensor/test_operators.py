"""Python's operators and the methods in place: each as in torch, on tensors, numbers and what is neither."""

from __future__ import annotations

import operator
from typing import Any

import pytest
import torch as oracle

import minitorch as torch
from tests.harness.compare import assert_equal

ARITHMETIC = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
COMPARISON = ["eq", "ne", "lt", "le", "gt", "ge"]
BITS = ["and_", "or_", "xor", "lshift", "rshift"]


def operands(package: Any, dtype: str) -> list[Any]:
    kind = getattr(package, dtype)
    return [package.tensor([1, 2, 3], dtype=kind), package.tensor([[2], [1]], dtype=kind), 2, 3]


@pytest.mark.parametrize("name", ARITHMETIC + COMPARISON)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint8"])
def test_operators_on_tensors_and_numbers(name: str, dtype: str) -> None:
    function = getattr(operator, name)
    ours, theirs = operands(torch, dtype), operands(oracle, dtype)
    for first, second in [(0, 1), (0, 2), (3, 0), (1, 0)]:
        assert_equal(function(ours[first], ours[second]), function(theirs[first], theirs[second]))


@pytest.mark.parametrize("name", BITS)
@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_operators_on_bits(name: str, dtype: str) -> None:
    function = getattr(operator, name)
    ours, theirs = operands(torch, dtype), operands(oracle, dtype)
    for first, second in [(0, 1), (0, 2), (3, 0), (1, 0)]:
        assert_equal(function(ours[first], ours[second]), function(theirs[first], theirs[second]))


@pytest.mark.parametrize("name", ["neg", "pos", "invert"])
def test_operators_of_one_operand(name: str) -> None:
    function = getattr(operator, name)
    assert_equal(function(torch.tensor([1, -2])), function(oracle.tensor([1, -2])))
    if name == "invert":
        assert_equal(~torch.tensor([True, False]), ~oracle.tensor([True, False]))
        with pytest.raises(TypeError, match="only implemented on integer and Boolean-type tensors"):
            ~torch.tensor([1.0])


NAMES = """
    add sub subtract mul multiply div divide true_divide floor_divide remainder fmod pow neg negative maximum
    minimum clamp clip clamp_min clamp_max lerp addcmul addcdiv where fmax fmin hypot copysign xlogy logaddexp
    logaddexp2 atan2 arctan2 float_power heaviside positive gcd lcm nextafter ldexp eq ne lt le gt ge equal
    allclose isclose logical_and logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_xor
    bitwise_not isnan isinf isfinite isposinf isneginf bitwise_left_shift bitwise_right_shift greater less
    greater_equal less_equal not_equal"""


@pytest.mark.parametrize("name", ARITHMETIC + COMPARISON[2:] + BITS)
@pytest.mark.parametrize("foreign", [None, "text", [1, 2], object()])
def test_foreign_operands_are_a_type_error_that_names_both(name: str, foreign: Any) -> None:
    function, value = getattr(operator, name), torch.tensor([1, 2])
    with pytest.raises(TypeError, match=r"[Tt]ensor"):
        function(value, foreign)
    if foreign is None or type(foreign) is object:  # str and list have + and * of their own, with their own text
        with pytest.raises(TypeError, match=r"[Tt]ensor"):
            function(foreign, value)


def test_equality_with_foreign_objects_is_plain_python() -> None:
    x = torch.ones(2)
    assert (x == None) is False  # noqa: E711
    assert (x != "text") is True


def test_another_class_may_answer() -> None:
    class Other:
        def __radd__(self, value: Any) -> str:
            return "other"

    assert torch.ones(2) + Other() == "other"


def test_tensors_are_keys_by_identity() -> None:
    first, second = torch.ones(2), torch.ones(2)
    assert {first: 1, second: 2}[second] == 2
    assert hash(first) == id(first)
    assert len({first, first, second}) == 2


INPLACE = {
    "add_": [2.0],
    "sub_": [2.0],
    "subtract_": [0.5],
    "mul_": [3.0],
    "multiply_": [0.5],
    "div_": [2.0],
    "divide_": [4.0],
    "true_divide_": [2.0],
    "pow_": [2],
    "neg_": [],
    "negative_": [],
    "clamp_": [0.5, 1.5],
    "clip_": [0.5, 1.5],
    "clamp_min_": [0.5],
    "clamp_max_": [1.5],
    "remainder_": [0.7],
    "fmod_": [0.7],
    "floor_divide_": [0.7],
    "copysign_": [-1.0],
    "xlogy_": [2.0],
    "float_power_": [2.0],
}
TERNARY = {"lerp_": 2, "addcmul_": 2, "addcdiv_": 2, "atan2_": 1, "hypot_": 1, "heaviside_": 1, "ldexp_": 1}


@pytest.mark.parametrize("name", [*INPLACE, *TERNARY])
def test_inplace_methods_change_the_tensor_itself(name: str) -> None:
    results = []
    for package in (torch, oracle):
        x = package.tensor([0.25, 1.0, 2.0, -3.0], dtype=package.float64)
        others = [package.tensor([0.5, 2.0, -1.0, 1.5], dtype=package.float64)] * TERNARY.get(name, 0)
        version = x._version
        assert getattr(x, name)(*INPLACE.get(name, []), *others) is x
        assert x._version > version
        results.append(x)
    assert_equal(*results)


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow"])
def test_inplace_arithmetic_operators(name: str) -> None:
    results = []
    for package in (torch, oracle):
        x = package.tensor([5.0, -7.0])
        alias = x
        x = getattr(operator, name)(x, package.tensor(2.0))
        assert x is alias
        results.append(x)
    assert_equal(*results)


@pytest.mark.parametrize("name", ["iand", "ior", "ixor", "ilshift", "irshift"])
def test_inplace_bit_operators(name: str) -> None:
    results = []
    for package in (torch, oracle):
        x = package.tensor([5, -7])
        alias = x
        x = getattr(operator, name)(x, 3)
        assert x is alias
        results.append(x)
    assert_equal(*results)


@pytest.mark.parametrize("name", ["bitwise_and_", "bitwise_or_", "bitwise_xor_", "gcd_", "lcm_"])
def test_inplace_integer_methods(name: str) -> None:
    results = [getattr(package.tensor([12, 5]), name)(package.tensor([18, 6])) for package in (torch, oracle)]
    assert_equal(*results)


@pytest.mark.parametrize("name", ["logical_and_", "logical_or_", "logical_xor_"])
def test_inplace_logic_keeps_the_dtype(name: str) -> None:
    results = [getattr(package.tensor([0.0, 5.0]), name)(package.tensor([1.0, 1.0])) for package in (torch, oracle)]
    assert_equal(*results)


def test_inplace_results_must_fit_the_tensor() -> None:
    with pytest.raises(RuntimeError, match="result type Float can't be cast to the desired output type Long"):
        torch.tensor([1, 2]).div_(2)
    with pytest.raises(RuntimeError, match="result type Long can't be cast to the desired output type Bool"):
        torch.tensor([True]).add_(1)
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        torch.ones(2).add_(torch.ones(3, 2))


def test_gradients_flow_through_inplace_arithmetic() -> None:
    results = []
    for package in (torch, oracle):
        x = package.tensor([1.0, 2.0], requires_grad=True)
        y = x * 1
        y += x
        y *= x
        y[0] -= 3 * x[1]
        y **= 2
        y.sum().backward()
        results.append(x.grad)
    assert_equal(*results)


def test_methods_exist_under_every_name_of_torch() -> None:
    for name in NAMES.split():
        assert hasattr(oracle.Tensor, name)
        assert hasattr(torch.Tensor, name), name
    for name in (*NAMES.split(), "rsub", "isin"):
        if hasattr(oracle, name):
            assert hasattr(torch, name), name
