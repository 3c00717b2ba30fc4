import numpy as np
import pytest
import torch
from torch.nn import functional

from reference.conv2d import conv2d, conv2d_gradient, corr2d
from tests.reference.support import assert_same, draw, torch_gradients

CASES = [
    # input, weight, stride, padding, dilation, groups
    ((2, 3, 5, 6), (4, 3, 3, 2), (1, 1), (0, 0), (1, 1), 1),
    ((1, 2, 7, 5), (3, 2, 3, 3), (2, 3), (1, 2), (1, 1), 1),
    ((2, 1, 7, 7), (2, 1, 3, 2), (1, 2), (2, 1), (2, 3), 1),
    ((2, 4, 4, 5), (6, 2, 2, 3), (1, 1), (1, 1), (1, 1), 2),
    ((1, 3, 4, 4), (6, 1, 3, 3), (2, 1), (1, 0), (1, 1), 3),
    ((2, 4, 6, 5), (4, 2, 2, 2), (2, 1), (0, 1), (2, 2), 2),
    ((1, 2, 3, 3), (2, 2, 1, 1), (2, 2), (0, 0), (1, 1), 1),
    ((1, 1, 2, 2), (1, 1, 4, 4), (1, 1), (1, 1), (1, 1), 1),
    ((0, 2, 4, 4), (3, 2, 3, 3), (1, 1), (0, 0), (1, 1), 1),
    ((1, 1, 3, 3), (1, 1, 2, 2), (1, 1), (3, 3), (1, 1), 1),
]


@pytest.mark.parametrize(("input", "weight", "stride", "padding", "dilation", "groups"), CASES)
@pytest.mark.parametrize("has_bias", [True, False])
def test_conv2d_equals_torch(input, weight, stride, padding, dilation, groups, has_bias):
    arrays = [draw(*input), draw(*weight, seed=1), draw(weight[0], seed=2)][: 3 if has_bias else 2]
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    expected, grad_output, gradients = torch_gradients(lambda *tensors: functional.conv2d(*tensors, **options), *arrays)
    assert_same(conv2d(*arrays, **options), expected)
    actual = conv2d_gradient(grad_output, *arrays[:2], **options)
    for one, other in zip(actual, gradients):
        assert_same(one, other)
    assert_same(actual[2], grad_output.sum(axis=(0, 2, 3)))


def test_corr2d_of_the_textbook():
    X, K = np.arange(9.0).reshape(3, 3), np.arange(4.0).reshape(2, 2)
    assert corr2d(X, K).tolist() == [[19, 25], [37, 43]]


def test_conv2d_of_one_channel_is_corr2d():
    X, K = draw(5, 6), draw(2, 3)
    expected = functional.conv2d(torch.tensor(X)[None, None], torch.tensor(K)[None, None])[0, 0]
    assert_same(corr2d(X, K), expected)
    assert_same(conv2d(X[None, None], K[None, None])[0, 0], expected)
