import pytest
from torch.nn import functional

from reference.avg_pool2d import avg_pool2d, avg_pool2d_gradient
from tests.reference.support import assert_same, draw, torch_gradients

CASES = [
    # input, kernel_size, stride, padding
    ((2, 3, 6, 5), (2, 2), None, (0, 0)),
    ((1, 2, 7, 8), (3, 2), (2, 3), (1, 1)),
    ((1, 1, 6, 6), (3, 3), (2, 2), (1, 1)),
    ((1, 1, 5, 5), (2, 2), (3, 3), (1, 0)),
    ((1, 1, 5, 4), (3, 4), (1, 3), (0, 2)),
]


@pytest.mark.parametrize("divisor_override", [None, 3])
@pytest.mark.parametrize("count_include_pad", [False, True])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(("shape", "kernel_size", "stride", "padding"), CASES)
def test_avg_pool2d_equals_torch(shape, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override):
    arguments = (kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
    input = draw(*shape)
    expected, grad_output, (gradient,) = torch_gradients(lambda x: functional.avg_pool2d(x, *arguments), input)
    assert_same(avg_pool2d(input, *arguments), expected)
    assert_same(avg_pool2d_gradient(grad_output, input, *arguments), gradient)
