import numpy as np
import pytest
import torch
from torch.nn import functional

from reference.batch_norm import batch_norm, batch_norm_gradient, running_statistics
from tests.reference.support import assert_same, draw, torch_gradients


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4), (2, 3, 2, 3)])
def test_batch_norm_equals_torch(shape, training, affine):
    running_mean, running_var = draw(3, seed=5), np.abs(draw(3, seed=6))
    arrays = [draw(*shape), draw(3, seed=1), draw(3, seed=2)] if affine else [draw(*shape)]

    def function(x, weight=None, bias=None):
        mean, var = torch.tensor(running_mean), torch.tensor(running_var)
        return functional.batch_norm(x, mean, var, weight, bias, training, eps=1e-3)

    expected, grad_output, gradients = torch_gradients(function, *arrays)
    input, weight, bias = (*arrays, None, None)[:3]
    assert_same(batch_norm(input, running_mean, running_var, weight, bias, training, eps=1e-3), expected)
    actual = batch_norm_gradient(grad_output, input, running_mean, running_var, weight, training, eps=1e-3)
    for one, other in zip(actual, gradients):
        assert_same(one, other)


@pytest.mark.parametrize("momentum", [0.1, 0.7, 1.0])
def test_running_statistics_equal_torch(momentum):
    input, running_mean, running_var = draw(2, 3, 4), draw(3), np.abs(draw(3))
    expected_mean, expected_var = torch.tensor(running_mean), torch.tensor(running_var)
    functional.batch_norm(torch.tensor(input), expected_mean, expected_var, training=True, momentum=momentum)
    new_mean, new_var = running_statistics(input, running_mean, running_var, momentum)
    assert_same(new_mean, expected_mean)
    assert_same(new_var, expected_var)


def test_momentum_none_is_the_cumulative_average():
    layer = torch.nn.BatchNorm1d(3, momentum=None, dtype=torch.float64)
    running_mean, running_var = np.zeros(3), np.ones(3)
    for k in (1, 2, 3):
        input = draw(4, 3, seed=k)
        layer(torch.tensor(input))
        running_mean, running_var = running_statistics(input, running_mean, running_var, momentum=1 / k)
        assert_same(running_mean, layer.running_mean)
        assert_same(running_var, layer.running_var)
