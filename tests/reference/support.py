"""What the tests of the definitions share: seeded values, and torch's answer with its gradients."""

import numpy as np
import torch


def draw(*shape, seed=0):
    """Return seeded standard-normal float64 values."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape)


def torch_gradients(function, *arrays, seed=99):
    """Return (output, grad_output, gradients) of torch's `function` for a random grad_output."""
    tensors = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]
    output = function(*tensors)
    grad_output = draw(*output.shape, seed=seed)
    gradients = torch.autograd.grad(output, tensors, torch.tensor(grad_output), materialize_grads=True)
    return output.detach().numpy(), grad_output, [gradient.numpy() for gradient in gradients]


def assert_same(actual, expected):
    """Same shape, and the same numbers up to float64 rounding; nan equals nan."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    np.testing.assert_allclose(actual, expected, rtol=1e-10, atol=1e-12)
