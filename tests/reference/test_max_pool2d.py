import numpy as np
import pytest
import torch
from torch.nn import functional

from reference.max_pool2d import max_pool2d, max_pool2d_gradient, pool2d, pooled_size
from tests.reference.support import assert_same, draw, torch_gradients

CASES = [
    # input, kernel_size, stride, padding, dilation
    ((2, 3, 6, 5), (2, 2), None, (0, 0), (1, 1)),
    ((1, 2, 7, 8), (3, 2), (2, 1), (1, 1), (1, 1)),
    ((1, 1, 7, 7), (3, 3), (2, 2), (1, 1), (2, 1)),
    ((1, 1, 5, 5), (2, 2), (3, 3), (1, 0), (1, 1)),
    ((1, 2, 4, 6), (3, 3), (1, 2), (0, 1), (1, 2)),
    ((1, 1, 1, 1), (2, 2), (2, 2), (1, 1), (1, 1)),
]


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize(("shape", "kernel_size", "stride", "padding", "dilation"), CASES)
def test_max_pool2d_equals_torch(shape, kernel_size, stride, padding, dilation, ceil_mode):
    arguments = (kernel_size, stride, padding, dilation, ceil_mode)
    for input in (draw(*shape), np.round(draw(*shape, seed=1)), -np.ones(shape)):  # the last two have ties
        expected, grad_output, (gradient,) = torch_gradients(lambda x: functional.max_pool2d(x, *arguments), input)
        _, expected_indices = functional.max_pool2d(torch.tensor(input), *arguments, return_indices=True)
        output, indices = max_pool2d(input, *arguments)
        assert_same(output, expected)
        assert_same(indices, expected_indices)
        assert_same(max_pool2d_gradient(grad_output, input, indices), gradient)


def test_nan_and_infinity_equal_torch():
    nan, inf = np.nan, np.inf
    input = np.array([[[[1.0, nan, -inf, -inf], [nan, 2.0, -inf, -inf]]]])
    output, indices = max_pool2d(input, (2, 2))
    expected, expected_indices = functional.max_pool2d(torch.tensor(input), 2, return_indices=True)
    assert_same(output, expected)
    assert_same(indices, expected_indices)


def test_a_window_of_padding_alone_has_no_index():
    output, indices = max_pool2d(np.ones((1, 1, 2, 2)), (2, 2), (1, 1), (1, 1), (3, 3))
    assert output.tolist() == [[[[-np.inf]]]]
    assert indices.tolist() == [[[[-1]]]]
    assert not max_pool2d_gradient(np.ones((1, 1, 1, 1)), np.ones((1, 1, 2, 2)), indices).any()


def test_ceil_mode_drops_a_last_window_that_starts_in_the_padding():
    assert pooled_size(5, 2, 3, 1, ceil_mode=True) == 2
    assert pooled_size(5, 2, 2, 0, ceil_mode=True) == 3
    assert pooled_size(5, 1, 3, 0, ceil_mode=True) == 2  # a third window would start at 6, outside


@pytest.mark.parametrize("mode", ["max", "avg"])
def test_pool2d_of_the_notes(mode):
    X = np.arange(9.0).reshape(3, 3)
    expected = {"max": [[4, 5], [7, 8]], "avg": [[2, 3], [5, 6]]}[mode]
    assert pool2d(X, (2, 2), mode).tolist() == expected
