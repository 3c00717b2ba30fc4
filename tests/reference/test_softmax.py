import numpy as np
import pytest
import torch

from reference import softmax as definitions
from tests.reference.support import assert_same, draw, torch_gradients


@pytest.mark.parametrize(("shape", "dim"), [((4,), 0), ((3, 4), 0), ((3, 4), -1), ((2, 3, 4), 1), ((0, 3), 1)])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_equals_torch(name, shape, dim):
    input = draw(*shape)
    expected, grad_output, (gradient,) = torch_gradients(lambda x: getattr(torch, name)(x, dim), input)
    assert_same(getattr(definitions, name)(input, dim), expected)
    assert_same(getattr(definitions, f"{name}_gradient")(grad_output, input, dim), gradient)


@pytest.mark.parametrize("values", [[1000.0, 999.0], [-1000.0, 1000.0], [0.0, -np.inf], [-np.inf, -np.inf]])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_large_and_infinite_scores(name, values):
    expected = getattr(torch, name)(torch.tensor(values, dtype=torch.float64), 0)
    assert_same(getattr(definitions, name)(np.array(values), 0), expected)
