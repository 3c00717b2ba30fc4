import numpy as np
import pytest
import torch
from torch.nn import functional

from reference.cross_entropy import cross_entropy, cross_entropy_gradient, cross_entropy_target_gradient
from tests.reference.support import assert_same, draw, torch_gradients
from tests.reference.test_nll_loss import TARGETS, WEIGHTS

pytestmark = [
    pytest.mark.parametrize("label_smoothing", [0.0, 0.3]),
    pytest.mark.parametrize("reduction", ["mean", "sum", "none"]),
    pytest.mark.parametrize("weight", WEIGHTS, ids=["no weight", "weight", "zero weight"]),
]


@pytest.mark.parametrize(("shape", "target"), TARGETS)
def test_class_indices_equal_torch(shape, target, weight, reduction, label_smoothing):
    options = {"reduction": reduction, "label_smoothing": label_smoothing}
    input = draw(*shape)
    torch_weight = None if weight is None else torch.tensor(weight)
    expected, grad_output, (gradient,) = torch_gradients(
        lambda x: functional.cross_entropy(x, torch.tensor(target), torch_weight, **options), input
    )
    assert_same(cross_entropy(input, target, weight, **options), expected)
    assert_same(cross_entropy_gradient(grad_output, input, target, weight, **options), gradient)


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 3, 2), (1, 3, 2, 2)])
def test_probabilities_equal_torch(shape, weight, reduction, label_smoothing):
    options = {"reduction": reduction, "label_smoothing": label_smoothing}
    input, target = draw(*shape), np.abs(draw(*shape, seed=1))
    torch_weight = None if weight is None else torch.tensor(weight)
    expected, grad_output, (grad_input, grad_target) = torch_gradients(
        lambda x, t: functional.cross_entropy(x, t, torch_weight, **options), input, target
    )
    assert_same(cross_entropy(input, target, weight, **options), expected)
    assert_same(cross_entropy_gradient(grad_output, input, target, weight, **options), grad_input)
    assert_same(cross_entropy_target_gradient(grad_output, input, target, weight, **options), grad_target)
