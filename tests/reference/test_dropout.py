import numpy as np
import pytest
import torch
from torch.nn import functional

from reference.dropout import dropout, dropout_gradient
from tests.reference.support import assert_same, draw, torch_gradients


@pytest.mark.parametrize("p", [0.0, 0.3, 0.9, 1.0])
def test_dropout_equals_torch_with_the_same_mask(p):
    def function(x):
        torch.manual_seed(0)
        return functional.dropout(x, p)

    input = draw(4, 5)
    mask = function(torch.ones(4, 5, dtype=torch.float64)).numpy() != 0
    expected, grad_output, (gradient,) = torch_gradients(function, input)
    assert_same(dropout(input, mask, p), expected)
    assert_same(dropout_gradient(grad_output, mask, p), gradient)


def test_nothing_dropped_is_the_identity():
    input = draw(3, 2)
    assert_same(dropout(input, np.ones((3, 2)), p=0.0), input)
