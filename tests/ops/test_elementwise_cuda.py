"""Arithmetic and functions of one operand by kernels that move vectors, run by the emulator or on a GPU."""

from __future__ import annotations

import operator
from typing import Any

import numpy
import pytest

from minitorch.backend import elementwise
from tests.harness.compare import as_numpy, to_torch
from tests.ops.cuda_support import assert_as_torch, channels_last, normal, on_device

DTYPES = ["float16", "float32", "float64"]
OPERATORS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
}
FUNCTIONS = ["neg", "abs", "square", "sqrt", "rsqrt", "reciprocal", "exp", "log", "tanh", "sigmoid", "relu"]
# An element, less and more than a block has, and what is not a multiple of anything
SIZES = [1, 7, 2048, 4099]
SPECIAL = numpy.array([0.0, -0.0, numpy.inf, -numpy.inf, numpy.nan, 1.0, -1.0, 6e4, -6e-5])


@pytest.fixture
def launches(monkeypatch: Any) -> list[str]:
    """The names of the elementwise kernels that are launched."""
    names: list[str] = []
    launch = elementwise.launch
    for module in (elementwise, __import__("minitorch.ops.fused_cuda", fromlist=["launch"])):
        monkeypatch.setattr(
            module, "launch", lambda kernels, name, *rest: (names.append(name), launch(kernels, name, *rest))[1]
        )
    return names


def away_from_zero(*shape: int, seed: int = 0) -> numpy.ndarray:
    """Numbers that can be divided by, and whose roots and logarithms exist."""
    return numpy.abs(normal(*shape, seed=seed)) + 0.5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPERATORS)
def test_two_arrays(to_device: Any, launches: list[str], name: str, dtype: str) -> None:
    for size in SIZES:
        arrays = [normal(size), away_from_zero(size, seed=1)]
        assert_as_torch(lambda package, a, b: OPERATORS[name](a, b), arrays, dtype, to_device)
    assert len(launches) >= len(SIZES)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", OPERATORS)
def test_array_and_number(to_device: Any, launches: list[str], name: str, dtype: str) -> None:
    combine = OPERATORS[name]
    for number in (3, 0.1, -2.5):
        x = away_from_zero(3, 1000)
        assert_as_torch(lambda package, x, n=number: combine(x, n), [x], dtype, to_device)
        assert_as_torch(lambda package, x, n=number: combine(n, x), [x], dtype, to_device)
    assert len(launches) >= 6


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(to_device: Any, launches: list[str], name: str, dtype: str) -> None:
    for size in SIZES:
        assert_as_torch(lambda package, x: getattr(package, name)(x), [away_from_zero(size)], dtype, to_device)
    assert len(launches) >= len(SIZES)


@pytest.mark.parametrize("exponent", [2, 0.5, -0.5, -1, 3, 1.7])
def test_powers(to_device: Any, exponent: float) -> None:
    assert_as_torch(lambda package, x: x**exponent, [away_from_zero(3, 700)], "float32", to_device)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("name", [*FUNCTIONS, "leaky_relu"])
def test_functions_of_special_numbers(to_device: Any, name: str, dtype: str) -> None:
    x = numpy.tile(SPECIAL, 300).astype(dtype)  # in vectors, and at the end one by one
    ours, theirs = (
        getattr(package.nn.functional, name, None) or getattr(package, name)
        for package in (__import__("minitorch"), __import__("torch"))
    )
    actual, expected = as_numpy(ours(on_device(x, to_device))), as_numpy(theirs(to_torch(x)))
    numpy.testing.assert_allclose(actual, expected, *((2e-3, 1e-7) if dtype == "float16" else (1e-6, 1e-7)))
    zeros = expected == 0
    if name in ("neg", "abs", "sqrt", "reciprocal", "tanh"):
        numpy.testing.assert_array_equal(numpy.signbit(actual[zeros]), numpy.signbit(expected[zeros]))


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_extremes(to_device: Any, launches: list[str], name: str) -> None:
    """nan wins, whichever operand has it."""
    a, b = numpy.tile(SPECIAL, 9).astype("float32"), numpy.repeat(SPECIAL, 9).astype("float32")
    ours, theirs = (
        getattr(__import__(package), name)(place(a), place(b))
        for package, place in (("minitorch", lambda array: on_device(array, to_device)), ("torch", to_torch))
    )
    numpy.testing.assert_array_equal(as_numpy(ours), as_numpy(theirs))
    assert launches == [name]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_sums_of_products(to_device: Any, launches: list[str], dtype: str) -> None:
    a, b, c = normal(3, 700), normal(3, 700, seed=1), away_from_zero(3, 700, seed=2)
    for program, kernel in (
        (lambda package, a, b, c: package.add(a, b, alpha=0.3), "add_scaled"),
        (lambda package, a, b, c: package.sub(a, b, alpha=3), "subtract_scaled"),
        (lambda package, a, b, c: package.addcmul(a, b, c, value=0.7), "addcmul"),
        (lambda package, a, b, c: package.addcdiv(a, b, c, value=-2), "addcdiv"),
        (lambda package, a, b, c: package.nn.functional.leaky_relu(a, 0.2), "leaky_relu"),
    ):
        launches.clear()
        assert_as_torch(program, [a, b, c], dtype, to_device)
        assert launches[0] == kernel


def test_layouts_and_places(to_device: Any, launches: list[str]) -> None:
    """Views that begin within 16 bytes, and arrays that lie in another order without gaps, are for kernels, too."""
    x, y = normal(4001), normal(4001, seed=1)
    assert_as_torch(lambda package, a, b: a[1:] + b[1:], [x, y], "float32", to_device)
    assert_as_torch(lambda package, a, b: a[1:] * b[:-1], [x, y], "float32", to_device)
    images, others = channels_last(normal(2, 3, 5, 7)), channels_last(normal(2, 3, 5, 7, seed=1))
    (total,) = assert_as_torch(lambda package, a, b: a + b, [images, others], "float32", to_device)
    assert total.is_contiguous(memory_format=__import__("minitorch").channels_last)
    assert_as_torch(lambda package, a, b: a.T * b.T, [normal(30, 40), normal(30, 40, seed=1)], "float32", to_device)
    assert launches.count("add") == 2
    assert launches.count("multiply") >= 2


@pytest.mark.parametrize(
    "program",
    [
        lambda package, a, b: a + b[0],  # broadcast
        lambda package, a, b: a[:, ::2] * b[:, ::2],  # with gaps
        lambda package, a, b: a.T + b.reshape(40, 30),  # in unlike orders
        lambda package, a, b: a - b.double(),  # of unlike dtypes
        lambda package, a, b: a.expand(2, 30, 40) / 3,  # one number for several elements
        lambda package, a, b: a[:0] + b[:0],  # nothing
        lambda package, a, b: package.relu(a[:0]) * 2,
        lambda package, a, b: (a * 9).long() + (b * 9).long(),
        lambda package, a, b: a.sum() * b.sum(),  # without dimensions
    ],
)
def test_everything_else(to_device: Any, program: Any) -> None:
    arrays = [normal(30, 40).astype("float32"), (away_from_zero(30, 40, seed=1)).astype("float32")]
    ours = program(__import__("minitorch"), *[on_device(array, to_device) for array in arrays])
    theirs = program(__import__("torch"), *map(to_torch, arrays))
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype).split(".")[-1] == str(theirs.dtype).split(".")[-1]
    numpy.testing.assert_allclose(as_numpy(ours), as_numpy(theirs), 1e-5, 1e-5)


IN_PLACE = {
    "add_": lambda package, x, y: x.add_(y),
    "add_ of a multiple": lambda package, x, y: x.add_(y, alpha=-0.1),
    "sub_": lambda package, x, y: x.sub_(y),
    "sub_ of a multiple": lambda package, x, y: x.sub_(y, alpha=3),
    "mul_": lambda package, x, y: x.mul_(y),
    "div_": lambda package, x, y: x.div_(y),
    "numbers": lambda package, x, y: x.add_(1).mul_(0.5).sub_(2.5).div_(3),
    "operators": lambda package, x, y: operator.itruediv(operator.imul(operator.iadd(x, y), y), 3.0),
    "relu_": lambda package, x, y: package.relu_(x),
    "relu": lambda package, x, y: package.nn.functional.relu(x, inplace=True),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(to_device: Any, name: str, dtype: str) -> None:
    """With gradients: x * 1 is no leaf, and may be changed. The other operand's need the old value of x."""

    def program(package: Any, x: Any, y: Any) -> Any:
        changed = x * 1
        result = IN_PLACE[name](package, changed, y)
        assert result is changed
        return result * changed

    assert_as_torch(program, [normal(3, 700), away_from_zero(3, 700, seed=1)], dtype, to_device)


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_needs_no_memory(to_device: Any, name: str) -> None:
    """The result takes the place of the operand in one launch, and whoever looks at the same memory sees it."""
    arrays = [normal(3, 700).astype("float32"), away_from_zero(3, 700, seed=1).astype("float32")]
    x, y = (on_device(array, to_device) for array in arrays)
    before, address, version = x.detach(), x.data_ptr(), x._version
    result = IN_PLACE[name](__import__("minitorch"), x, y)
    expected = as_numpy(IN_PLACE[name](__import__("torch"), *map(to_torch, arrays)))
    assert x.data_ptr() == address
    assert x._version > version
    for each in (result, x, before):
        numpy.testing.assert_allclose(as_numpy(each), expected, 1e-5, 1e-6)


def test_in_place_with_other_parts_of_the_same_memory(to_device: Any) -> None:
    """What the other operand says must be read before it is overwritten."""
    array = normal(5000).astype("float32")
    x = on_device(array, to_device)
    x[1:].add_(x[:-1])
    numpy.testing.assert_array_equal(as_numpy(x), numpy.concatenate([array[:1], array[1:] + array[:-1]]))
    y = on_device(array, to_device)
    y.add_(y)
    numpy.testing.assert_array_equal(as_numpy(y), array * 2)


def test_in_place_change_of_a_saved_value_is_found(to_device: Any) -> None:
    x = on_device(normal(100).astype("float32"), to_device, requires_grad=True)
    y = x * 1
    z = y * y
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


@pytest.mark.parametrize("name", ["add_", "sub_", "mul_", "div_"])
def test_a_refused_change_changes_nothing(to_device: Any, name: str) -> None:
    """One of several views must not be changed in place where that would be recorded."""
    x, weight = (on_device(normal(2, 100).astype("float32"), to_device, requires_grad=each) for each in (False, True))
    first, _ = x.unbind()
    before = as_numpy(first).copy()
    with pytest.raises(RuntimeError, match="view"):
        getattr(first, name)(weight[0])
    numpy.testing.assert_array_equal(as_numpy(first), before)
