import pytest
from torch.nn import functional

from reference.linear import linear, linear_gradient
from tests.reference.support import assert_same, draw, torch_gradients


@pytest.mark.parametrize("shape", [(2, 3), (3,), (2, 4, 3), (0, 3)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_linear_equals_torch(shape, has_bias):
    arrays = [draw(*shape), draw(5, 3), draw(5)][: 3 if has_bias else 2]
    expected, grad_output, gradients = torch_gradients(functional.linear, *arrays)
    assert_same(linear(*arrays), expected)
    for actual, gradient in zip(linear_gradient(grad_output, *arrays[:2]), gradients):
        assert_same(actual, gradient)
