import pytest
import torch

from reference.matmul import matmul, matmul_gradient, mm
from tests.reference.support import assert_same, draw, torch_gradients

SHAPES = [
    ((2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((2, 1, 2, 3), (4, 3, 2)),
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((3,), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((2, 0), (0, 3)),
    ((0, 3), (3, 2)),
]


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_matmul_equals_torch(left, right):
    input, other = draw(*left, seed=1), draw(*right, seed=2)
    expected, grad_output, gradients = torch_gradients(torch.matmul, input, other)
    assert_same(matmul(input, other), expected)
    for actual, gradient in zip(matmul_gradient(grad_output, input, other), gradients):
        assert_same(actual, gradient)


def test_mm_equals_torch():
    input, mat2 = draw(2, 3), draw(3, 4)
    assert_same(mm(input, mat2), torch.mm(torch.tensor(input), torch.tensor(mat2)))
