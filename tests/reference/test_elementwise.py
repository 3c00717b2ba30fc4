import numpy as np
import pytest
import torch
from torch.nn import functional

from reference import elementwise
from tests.reference.support import assert_same, draw, torch_gradients

SHAPES = [
    ((3, 4), (3, 4)),
    ((2, 3, 4), (3, 1)),
    ((2, 1, 4), (3, 1)),
    ((), (2, 3)),
    ((0, 3), (1, 3)),
    ((), ()),
]
BINARY = ["add", "sub", "mul", "div", "maximum", "minimum"]
UNARY = {
    "exp": torch.exp,
    "abs": torch.abs,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "clamp": torch.clamp,
}
SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 800.0, -800.0])


def as_tuple(gradients):
    return gradients if isinstance(gradients, tuple) else (gradients,)


def check(name, torch_function, *arrays, **options):
    expected, grad_output, gradients = torch_gradients(lambda *t: torch_function(*t, **options), *arrays)
    assert_same(getattr(elementwise, name)(*arrays, **options), expected)
    actual = as_tuple(getattr(elementwise, f"{name}_gradient")(grad_output, *arrays, **options))
    assert len(actual) == len(gradients)
    for one, other in zip(actual, gradients):
        assert_same(one, other)


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("name", BINARY)
def test_binary_equals_torch_with_broadcasting(name, shapes):
    check(name, getattr(torch, name), draw(*shapes[0], seed=1), draw(*shapes[1], seed=2))


@pytest.mark.parametrize("shape", [(3, 4), (), (0, 2)])
@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "abs", "sigmoid", "tanh", "relu", "leaky_relu"])
def test_unary_equals_torch(name, shape):
    values = draw(*shape)
    check(name, UNARY.get(name) or getattr(torch, name), np.abs(values) if name in ("log", "sqrt") else values)


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "abs", "relu", "leaky_relu"])
def test_unary_at_special_values(name):
    check(name, UNARY.get(name) or getattr(torch, name), SPECIAL)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_saturating_functions_at_special_values(name):
    assert_same(getattr(elementwise, name)(SPECIAL), getattr(torch, name)(torch.tensor(SPECIAL)))


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_maximum_at_ties_and_nan(name):
    nan = np.nan
    check(name, getattr(torch, name), np.array([1.0, 2.0, nan, 1.0, nan]), np.array([1.0, 3.0, 1.0, nan, nan]))


def test_div_by_zero():
    check("div", torch.div, np.array([1.0, -1.0, 0.0]), np.zeros(3))


@pytest.mark.parametrize("shapes", SHAPES)
def test_pow_equals_torch(shapes):
    check("pow", torch.pow, np.abs(draw(*shapes[0])), draw(*shapes[1], seed=2))


def test_pow_at_zero_and_below():
    check("pow", torch.pow, np.array([0.0, 0.0, 0.0, -2.0, -2.0]), np.array([0.0, 2.0, -1.0, 2.0, 0.5]))


@pytest.mark.parametrize("slope", [0.2, 0.0, -1.5])
def test_leaky_relu_slope(slope):
    check("leaky_relu", functional.leaky_relu, np.array([-2.0, 0.0, 3.0]), negative_slope=slope)


@pytest.mark.parametrize("limits", [{"min": -1.0}, {"max": 0.5}, {"min": -1.0, "max": 1.0}, {"min": 2.0, "max": 1.0}])
def test_clamp_equals_torch_limits_included(limits):
    check("clamp", torch.clamp, np.array([-2.0, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, np.nan]), **limits)


@pytest.mark.parametrize("shapes", SHAPES)
def test_where_equals_torch(shapes):
    condition = draw(4) > 0 if shapes[0][-1:] == (4,) else np.array(True)
    input, other = draw(*shapes[0], seed=1), draw(*shapes[1], seed=2)
    expected, grad_output, gradients = torch_gradients(
        lambda x, y: torch.where(torch.tensor(condition), x, y), input, other
    )
    assert_same(elementwise.where(condition, input, other), expected)
    for actual, gradient in zip(elementwise.where_gradient(grad_output, condition, input, other), gradients):
        assert_same(actual, gradient)


def test_broadcast_shape():
    assert elementwise.broadcast_shape((2, 1, 4), (3, 1)) == (2, 3, 4)
    assert elementwise.broadcast_shape((), (0, 1), (1, 5)) == (0, 5)
    with pytest.raises(ValueError, match="sizes"):
        elementwise.broadcast_shape((2, 3), (2, 4))
