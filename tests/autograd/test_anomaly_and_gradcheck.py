"""Finding the op that is to blame, and checking gradients by differences."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import minitorch
from minitorch.autograd.function import Function
from tests.harness.both import same


class WrongSquare(Function):
    """x² with a gradient that forgets the factor 2."""

    def forward(self, x: Any) -> Any:
        self.save(x)
        return x * x

    def backward(self, grad_output: Any) -> Any:
        (x,) = self.saved
        return grad_output * x


def test_nan_is_reported_with_the_op_s_name() -> None:
    def program(torch: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with torch.autograd.detect_anomaly():
                x = torch.tensor([-1.0], requires_grad=True)
                torch.sqrt(x).backward(torch.ones(1))

    same(program, message=True)


def test_the_forward_call_is_shown() -> None:
    def blamed_function(x: Any) -> Any:
        return minitorch.sqrt(x)

    x = minitorch.tensor([-1.0], requires_grad=True)
    with minitorch.autograd.detect_anomaly(), pytest.raises(RuntimeError) as caught:
        blamed_function(x).backward()
    shown = str(caught.value) + "".join(getattr(caught.value, "__notes__", []))
    assert "blamed_function" in shown
    assert "SqrtBackward0" in shown


def test_detection_ends_with_its_block() -> None:
    x = minitorch.tensor([-1.0], requires_grad=True)
    with minitorch.autograd.set_detect_anomaly(True):
        pass
    minitorch.sqrt(x).backward()
    assert x.grad.isnan().all()


def test_gradcheck_finds_a_wrong_gradient() -> None:
    x = minitorch.tensor([1.0, 2.0], dtype=minitorch.float64, requires_grad=True)
    assert minitorch.autograd.gradcheck(lambda x: x * x, x)
    with pytest.raises(minitorch.autograd.GradcheckError, match="Jacobian mismatch for output 0"):
        minitorch.autograd.gradcheck(WrongSquare.apply, x)
    assert not minitorch.autograd.gradcheck(WrongSquare.apply, x, raise_exception=False)


def test_gradgradcheck() -> None:
    x = minitorch.tensor([1.0, 2.0], dtype=minitorch.float64, requires_grad=True)
    y = minitorch.tensor([3.0], dtype=minitorch.float64, requires_grad=True)
    assert minitorch.autograd.gradgradcheck(lambda x, y: x * x * x * y, (x, y))

    class WrongCube(Function):
        """x³, right in its gradient, wrong in its second: the saved square counts as a constant."""

        def forward(self, x: Any) -> Any:
            self.save(x * x)
            return x * x * x

        def backward(self, grad_output: Any) -> Any:
            (square,) = self.saved
            return grad_output * square * 3

    assert minitorch.autograd.gradcheck(WrongCube.apply, x)
    with pytest.raises(minitorch.autograd.GradcheckError):
        minitorch.autograd.gradgradcheck(WrongCube.apply, x)


def test_gradcheck_needs_an_input_with_grad() -> None:
    with pytest.raises(ValueError, match="at least one input tensor to require gradient"):
        minitorch.autograd.gradcheck(lambda x: x, minitorch.ones(1))
