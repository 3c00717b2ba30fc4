import numpy as np
import pytest
import torch
from torch.nn import functional

from reference.nll_loss import nll_loss, nll_loss_gradient
from tests.reference.support import assert_same, draw, torch_gradients

WEIGHTS = [None, np.array([0.5, 2.0, 1.5]), np.array([0.0, 0.0, 1.0])]
TARGETS = [
    ((3,), np.array(1)),
    ((4, 3), np.array([0, 2, 1, 2])),
    ((4, 3), np.array([0, -100, 1, 1])),
    ((2, 3), np.array([-100, -100])),
    ((2, 3), np.array([0, 1])),
    ((2, 3, 2), np.array([[0, 2], [-100, 1]])),
    ((1, 3, 2, 2), np.array([[[0, 2], [2, 1]]])),
    ((0, 3), np.zeros(0, dtype=np.int64)),
]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", WEIGHTS, ids=["no weight", "weight", "zero weight"])
@pytest.mark.parametrize(("shape", "target"), TARGETS)
def test_nll_loss_equals_torch(shape, target, weight, reduction):
    input = draw(*shape)
    torch_weight = None if weight is None else torch.tensor(weight)
    expected, grad_output, (gradient,) = torch_gradients(
        lambda x: functional.nll_loss(x, torch.tensor(target), torch_weight, reduction=reduction), input
    )
    assert_same(nll_loss(input, target, weight, reduction=reduction), expected)
    assert_same(nll_loss_gradient(grad_output, input, target, weight, reduction=reduction), gradient)


def test_another_ignore_index():
    input, target = draw(4, 3), np.array([0, 1, 2, 1])
    expected = functional.nll_loss(torch.tensor(input), torch.tensor(target), ignore_index=1)
    assert_same(nll_loss(input, target, ignore_index=1), expected)
