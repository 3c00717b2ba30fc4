"""SGD against torch and against the reference."""

from __future__ import annotations

import itertools

import numpy
import pytest

import minitorch as torch
from minitorch.optim.pieces import PIECE
from minitorch.optim.sgd import sgd_step
from reference.sgd import sgd_step as reference_step
from tests.optim.support import assert_same_trajectory

GRID = [
    {
        "lr": 0.1,
        "momentum": momentum,
        "dampening": dampening,
        "weight_decay": decay,
        "nesterov": nesterov,
        "maximize": maximize,
    }
    for momentum, dampening, decay, nesterov, maximize in itertools.product(
        (0, 0.9), (0, 0.3), (0, 0.01), (False, True), (False, True)
    )
    if not nesterov or (momentum and not dampening)
]


@pytest.mark.parametrize("options", GRID, ids=str)
def test_trajectory_equals_torch(options):
    # ascent grows exponentially: compare it for as long as the numbers stay moderate
    assert_same_trajectory("SGD", options, steps=20 if options["maximize"] else 100, tolerance=1e-12)


@pytest.mark.parametrize("options", [{"foreach": True}, {"foreach": False}, {"fused": True}], ids=str)
def test_choice_of_implementation_changes_nothing(options):
    assert_same_trajectory("SGD", {"momentum": 0.9, **options}, steps=10, tolerance=1e-12)


def test_float32_equals_torch():
    assert_same_trajectory("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}, 50, 2e-6, "float32")


@pytest.mark.parametrize("options", GRID[:12], ids=str)
def test_step_equals_reference(options):
    random = numpy.random.default_rng(1)
    parameter, buffer = random.normal(size=(2, 3)), None
    ours, our_buffer = parameter.copy(), numpy.empty((2, 3)) if options["momentum"] else None
    for step in range(3):
        grad = random.normal(size=(2, 3))
        parameter, buffer = reference_step(parameter, grad, buffer, **options)
        sgd_step(ours, grad, our_buffer, **options, is_first=step == 0)
        numpy.testing.assert_allclose(ours, parameter, 1e-13)


def test_large_arrays_are_covered_to_the_end():
    size = 2 * PIECE + 5
    random = numpy.random.default_rng(2)
    parameter, grad, buffer = random.normal(size=(3, size))
    expected = parameter - 0.1 * (0.9 * buffer + grad)
    options = {"lr": 0.1, "momentum": 0.9, "dampening": 0, "weight_decay": 0, "nesterov": False, "maximize": False}
    sgd_step(parameter, grad, buffer, **options, is_first=False)
    numpy.testing.assert_allclose(parameter, expected, 1e-13)


def test_gradient_is_left_alone():
    weight = torch.nn.Parameter(torch.ones(3))
    weight.grad = torch.full((3,), 2.0)
    torch.optim.SGD([weight], lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1, maximize=True).step()
    assert weight.grad.tolist() == [2, 2, 2]


def test_momentum_buffer_is_not_the_gradient():
    weight = torch.nn.Parameter(torch.ones(3))
    weight.grad = torch.full((3,), 2.0)
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    optimizer.step()
    weight.grad.zero_()
    assert optimizer.state[weight]["momentum_buffer"].tolist() == [2, 2, 2]


NESTEROV = "Nesterov momentum requires a momentum and zero dampening"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr": -1}, "Invalid learning rate: -1"),
        ({"momentum": -1}, "Invalid momentum value: -1"),
        ({"weight_decay": -1}, "Invalid weight_decay value: -1"),
        ({"nesterov": True}, NESTEROV),
        ({"nesterov": True, "momentum": 0.9, "dampening": 0.1}, NESTEROV),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], **options)


def test_unsupported_and_contradictory_options():
    parameters = [torch.nn.Parameter(torch.ones(1))]
    with pytest.raises(RuntimeError, match="`fused` and `foreach` cannot be `True` together"):
        torch.optim.SGD(parameters, fused=True, foreach=True)
    with pytest.raises(RuntimeError, match="`fused` does not support `differentiable`"):
        torch.optim.SGD(parameters, fused=True, differentiable=True)
    with pytest.raises(NotImplementedError, match="differentiable=True"):
        torch.optim.SGD(parameters, differentiable=True)
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        torch.optim.SGD(parameters, lr=torch.ones(2))
