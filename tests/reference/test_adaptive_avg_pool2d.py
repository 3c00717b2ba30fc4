import pytest
from torch.nn import functional

from reference.adaptive_avg_pool2d import adaptive_avg_pool2d, adaptive_avg_pool2d_gradient
from tests.reference.support import assert_same, draw, torch_gradients


@pytest.mark.parametrize("output_size", [(1, 1), (3, 2), (5, 7), (4, 3), (6, 9)])
def test_adaptive_avg_pool2d_equals_torch(output_size):
    input = draw(2, 3, 5, 7)
    expected, grad_output, (gradient,) = torch_gradients(
        lambda x: functional.adaptive_avg_pool2d(x, output_size), input
    )
    assert_same(adaptive_avg_pool2d(input, output_size), expected)
    assert_same(adaptive_avg_pool2d_gradient(grad_output, input), gradient)
