import numpy as np
import pytest
import torch

from reference.sgd import sgd_step
from tests.reference.support import assert_same, draw

OPTIONS = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.4},
    {"momentum": 0.9, "nesterov": True},
    {"weight_decay": 0.1},
    {"weight_decay": 0.1, "maximize": True},
    {"momentum": 0.5, "dampening": 0.2, "weight_decay": 0.3, "maximize": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_three_steps_equal_torch(options):
    parameter, momentum_buffer = draw(2, 3), None
    weight = torch.tensor(parameter, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1, **options)
    for step in range(3):
        grad = draw(2, 3, seed=step + 1)
        weight.grad = torch.tensor(grad)
        optimizer.step()
        parameter, momentum_buffer = sgd_step(parameter, grad, momentum_buffer, lr=0.1, **options)
        assert_same(parameter, weight.detach())
        if options.get("momentum"):
            assert_same(momentum_buffer, optimizer.state[weight]["momentum_buffer"])
        else:
            assert momentum_buffer is None


def test_arguments_are_left_alone():
    parameter, grad, momentum_buffer = np.ones(2), np.ones(2), np.ones(2)
    sgd_step(parameter, grad, momentum_buffer, lr=0.1, momentum=0.9)
    assert parameter.tolist() == grad.tolist() == momentum_buffer.tolist() == [1, 1]
