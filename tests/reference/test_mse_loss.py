import pytest
from torch.nn import functional

from reference.mse_loss import mse_loss, mse_loss_gradient
from tests.reference.support import assert_same, draw, torch_gradients

SHAPES = [((3, 4), (3, 4)), ((), ()), ((3, 4), (4,)), ((3, 1), (1, 4)), ((0,), (0,))]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("input_shape", "target_shape"), SHAPES)
@pytest.mark.filterwarnings("ignore:Using a target size")
def test_mse_loss_equals_torch(input_shape, target_shape, reduction):
    input, target = draw(*input_shape, seed=1), draw(*target_shape, seed=2)
    expected, grad_output, gradients = torch_gradients(
        lambda x, t: functional.mse_loss(x, t, reduction=reduction), input, target
    )
    assert_same(mse_loss(input, target, reduction), expected)
    for actual, gradient in zip(mse_loss_gradient(grad_output, input, target, reduction), gradients):
        assert_same(actual, gradient)
