"""Max pooling does the rectifier's part of the backward pass, too, where nobody can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch
from minitorch.ops.activation import KeepWhereNonzero

# Some windows without anything positive, some with nan, ties and zeros of both signs.
VALUES = numpy.random.default_rng(0).integers(-6, 4, (2, 3, 6, 8)).astype("float32")
VALUES[0, 0, :2] = -1
VALUES[0, 1, 2, 3] = numpy.nan
VALUES[1, 2, :2, :2] = -0.0


def both(result: Callable[[Any], Any]) -> None:
    """``result`` is the same for this library and for torch."""
    ours, theirs = result(minitorch), result(oracle)
    assert len(ours) == len(theirs)
    for our, their in zip(ours, theirs):
        numpy.testing.assert_allclose(our.detach().numpy(), their.detach().numpy(), 1e-6)


def rectified(torch: Any) -> tuple[Any, Any]:
    x = torch.tensor(VALUES, requires_grad=True)
    return x, torch.relu(x)


def pooled(torch: Any, y: Any, **options: Any) -> Any:
    result = torch.nn.functional.max_pool2d(y, 2, **options)
    return (result * torch.arange(result.numel()).reshape(result.shape)).nansum()


@pytest.fixture
def passes(monkeypatch: Any) -> list[Any]:
    """Filled with a value for each rectifier whose gradient is computed by itself."""
    calls: list[Any] = []
    forward = KeepWhereNonzero.forward

    def counted(self: Any, *arguments: Any, **options: Any) -> Any:
        calls.append(self)
        return forward(self, *arguments, **options)

    monkeypatch.setattr(KeepWhereNonzero, "forward", counted)
    return calls


@pytest.mark.parametrize("options", [{}, {"stride": 1}, {"padding": 1}, {"ceil_mode": True, "stride": 3}])
def test_gradient(passes: list[Any], options: Any) -> None:
    def result(torch: Any) -> Any:
        x, y = rectified(torch)
        pooled(torch, y, **options).backward()
        return (x.grad,)

    both(result)
    assert not passes


def test_in_place_rectifier(passes: list[Any]) -> None:
    def result(torch: Any) -> Any:
        x = torch.tensor(VALUES, requires_grad=True)
        pooled(torch, (x + 1).relu_()).backward()
        return (x.grad,)

    both(result)
    assert not passes


@pytest.mark.parametrize("first", [True, False])
def test_two_readers(passes: list[Any], first: bool) -> None:
    """Another reader's gradient is added before the rectifier's: then it works alone."""

    def result(torch: Any) -> Any:
        x, y = rectified(torch)
        terms = pooled(torch, y), (y * y).nansum()
        (terms[0] + terms[1] if first else terms[1] + terms[0]).backward()
        return (x.grad,)

    both(result)
    assert passes


def test_a_hook_sees_the_gradient(passes: list[Any]) -> None:
    def result(torch: Any) -> Any:
        x, y = rectified(torch)
        seen: list[Any] = []
        y.register_hook(seen.append)
        pooled(torch, y).backward()
        return x.grad, *seen

    both(result)
    assert passes


def test_retained_gradient() -> None:
    def result(torch: Any) -> Any:
        x, y = rectified(torch)
        y.retain_grad()
        pooled(torch, y).backward()
        return x.grad, y.grad

    both(result)


def test_asked_for_gradient() -> None:
    both(lambda torch: torch.autograd.grad(pooled(torch, (y := rectified(torch)[1])), y))


def test_gradients_of_both() -> None:
    def result(torch: Any) -> Any:
        x, y = rectified(torch)
        return torch.autograd.grad(pooled(torch, y), (x, y))

    both(result)


def test_second_derivative() -> None:
    def result(torch: Any) -> Any:
        x = torch.tensor(numpy.nan_to_num(VALUES), requires_grad=True)
        (gradient,) = torch.autograd.grad(pooled(torch, torch.relu(x) ** 2), x, create_graph=True)
        (gradient**2).sum().backward()
        return gradient, x.grad

    both(result)


def test_again_and_by_another_way() -> None:
    """What one backward pass let pass, the next one, from the rectifier itself, does not."""

    def result(torch: Any) -> Any:
        x, y = rectified(torch)
        loss, other = pooled(torch, y), (y * 3).nansum()
        loss.backward(retain_graph=True)
        first = x.grad.clone()
        loss.backward(retain_graph=True)
        second = x.grad.clone()
        other.backward()
        return first, second, x.grad

    both(result)


@pytest.mark.parametrize("torch", [minitorch, oracle])
def test_what_was_changed_in_place_is_noticed(torch: Any) -> None:
    _, y = rectified(torch)
    loss = pooled(torch, y)
    with torch.no_grad():
        y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("torch", [minitorch, oracle])
def test_what_was_freed_is_noticed(torch: Any) -> None:
    _, y = rectified(torch)
    result = torch.nn.functional.max_pool2d(y, 2).sum()
    result.backward()
    with pytest.raises(RuntimeError, match="second time"):
        result.backward()
