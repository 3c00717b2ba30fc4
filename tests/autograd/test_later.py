"""Gradients of weights that another thread computes: the same, there when anyone looks, and errors are not lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest

import minitorch
from minitorch.autograd.engine import _BackwardTask
from minitorch.backend import threads
from minitorch.backend.threads import Later
from minitorch.ops.conv2d import KernelCorrelation


@pytest.fixture(autouse=True)
def everything_is_put_off(monkeypatch: Any) -> list[Any]:
    """However small; the list names the leaves that were left to another thread."""
    monkeypatch.setattr(threads, "LEAST_FLOP_LATER", 1.0)
    monkeypatch.setattr(threads, "_requested", 2)
    leaves: list[Any] = []
    usual = _BackwardTask._leave_unfinished

    def leave(task: Any, target: Any, gradient: Any) -> Any:
        result = usual(task, target, gradient)
        leaves.extend([target] if result is None else [])
        return result

    monkeypatch.setattr(_BackwardTask, "_leave_unfinished", leave)
    return leaves


@pytest.fixture
def left(everything_is_put_off: list[Any]) -> list[Any]:
    return everything_is_put_off


def network() -> Any:
    minitorch.manual_seed(0)
    nn = minitorch.nn
    convolutions = [layer for _ in range(4) for layer in (nn.Conv2d(2, 2, 3, padding=1), nn.ReLU())]
    others = nn.ConvTranspose2d(2, 2, 3, padding=1), nn.Flatten(), nn.Linear(32, 5), nn.Linear(5, 3, bias=False)
    return nn.Sequential(*convolutions, *others)


def loss_of(model: Any) -> Any:
    images = minitorch.from_numpy(numpy.random.default_rng(0).standard_normal((3, 2, 4, 4)).astype("float32"))
    return model(images).square().sum()


def gradients(model: Any, backward: Callable[[Any], Any] = lambda loss: loss.backward()) -> list[Any]:
    """Of all parameters, bit for bit."""
    model.zero_grad()
    backward(loss_of(model))
    return [parameter.grad.tolist() for parameter in model.parameters()]


def test_the_same_gradients(left: list[Any]) -> None:
    model = network()
    found = gradients(model)
    assert len(left) == 11  # all weights but the first (its input needs no gradient), and biases of convolutions
    minitorch.set_num_threads(1)
    assert gradients(model) == found
    assert len(left) == 11


def test_a_second_pass_adds_up(left: list[Any]) -> None:
    model = network()
    once = [2 * numpy.array(each) for each in gradients(model)]
    loss_of(model).backward()
    assert len(left) == 22
    for expected, parameter in zip(once, model.parameters()):
        numpy.testing.assert_array_equal(expected, parameter.grad.numpy())


def test_a_shared_weight(left: list[Any]) -> None:
    nn = minitorch.nn
    x, weight = minitorch.randn(2, 2, 4, 4), minitorch.randn(2, 2, 3, 3, requires_grad=True)
    once = nn.functional.conv2d(x, weight, padding=1)
    nn.functional.conv2d(nn.functional.conv2d(once, weight, padding=1), weight, padding=1).sum().backward()
    assert left == [weight, weight]
    minitorch.set_num_threads(1)
    found, weight.grad = weight.grad, None
    once = nn.functional.conv2d(x, weight, padding=1)
    nn.functional.conv2d(nn.functional.conv2d(once, weight, padding=1), weight, padding=1).sum().backward()
    numpy.testing.assert_allclose(found.numpy(), weight.grad.numpy(), 1e-5, 1e-5)


def test_a_factor_that_is_no_leaf(left: list[Any]) -> None:
    """Its gradient is waited for, and goes on as if it had been computed there."""
    a, b = (minitorch.randn(4, 4, requires_grad=True) for _ in range(2))
    expected = [each.tolist() for each in minitorch.autograd.grad(((2 * a) @ (3 * b)).sum(), [a, b])]
    ((2 * a) @ (3 * b)).sum().backward()
    assert not left
    assert [a.grad.tolist(), b.grad.tolist()] == expected


def test_autograd_grad_leaves_nothing(left: list[Any]) -> None:
    model = network()
    parameters = list(model.parameters())
    found = [each.tolist() for each in minitorch.autograd.grad(loss_of(model), parameters)]
    assert not left
    assert found == gradients(model)


def test_second_derivatives(left: list[Any]) -> None:
    model = network()
    (first, *_) = minitorch.autograd.grad(loss_of(model), list(model.parameters()), create_graph=True)
    assert not left
    first.square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


HOOKS: dict[str, Callable[[Any, Any, Callable[[], None]], Any]] = {
    "of a tensor": lambda model, x, look: x.register_hook(lambda gradient: look()),
    "of a module": lambda model, x, look: model[0].register_full_backward_hook(lambda *_: look()),
    "after accumulation": lambda model, x, look: model[0].weight.register_post_accumulate_grad_hook(lambda _: look()),
    "of a leaf": lambda model, x, look: model[0].weight.register_hook(lambda _: look()),
}


@pytest.mark.parametrize("kind", HOOKS)
def test_a_hook_sees_what_is_complete(left: list[Any], kind: str) -> None:
    model = network()
    expected = model.zero_grad() or gradients(model)[2:]
    x = minitorch.randn(3, 2, 4, 4, requires_grad=True)
    seen: list[Any] = []
    HOOKS[kind](model, x, lambda: seen.extend(p.grad is not None for p in [*model.parameters()][2:]))
    model.zero_grad()
    model(x).square().sum().backward()
    assert left
    assert seen == [True] * len(expected)


def test_a_users_function_sees_what_is_complete() -> None:
    model, seen = network(), []

    class Look(minitorch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x.clone()

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            seen.append(all(parameter.grad is not None for parameter in model.parameters()))
            return gradient

    x = minitorch.randn(3, 2, 4, 4, requires_grad=True)
    model(Look.apply(x)).sum().backward()
    assert seen == [True]


def test_a_hook_on_the_weight_itself(left: list[Any]) -> None:
    model = network()
    expected = gradients(model)
    model[2].weight.register_hook(lambda gradient: 3 * gradient)
    left.clear()
    found = gradients(model)
    assert not any(leaf is model[2].weight for leaf in left)
    numpy.testing.assert_allclose(found[2], 3 * numpy.array(expected[2]), 1e-6)


def test_an_error_is_raised_by_backward(monkeypatch: Any) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ValueError("no gradient today")

    monkeypatch.setattr(KernelCorrelation, "forward", fail)
    with pytest.raises(ValueError, match="no gradient today"):
        loss_of(network()).backward()
    assert threads.parallel([1, 2], abs) == [1, 2]  # the threads are still there


def test_what_was_computed_before_an_error_is_kept(left: list[Any]) -> None:
    model = network()
    x = minitorch.randn(3, 2, 4, 4, requires_grad=True)

    def fail(gradient: Any) -> Any:
        raise ValueError("no")

    x.register_hook(fail)
    with pytest.raises(ValueError, match="no"):
        model(x).sum().backward()
    assert all(leaf.grad is not None for leaf in left)


def test_anomaly_detection_looks_at_it() -> None:
    weight = minitorch.ones(2, 2, 3, 3, requires_grad=True)
    x = minitorch.full((1, 2, 4, 4), float("nan"), requires_grad=True)
    with (
        minitorch.autograd.detect_anomaly(),
        pytest.raises(RuntimeError, match="'ConvolutionBackward0' returned nan values in its 1th output"),
    ):
        minitorch.nn.functional.conv2d(x, weight).sum().backward()


@pytest.fixture
def let_go(monkeypatch: Any) -> Iterator[Callable[[], None]]:
    """The only other thread is busy until this is called."""
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)
    job = threads.later(lambda: (begun.release(), go_on.acquire()))
    assert begun.acquire(timeout=20)
    yield go_on.release
    go_on.release()
    job.get()


@pytest.mark.usefixtures("let_go")
def test_later_is_run_by_who_asks_if_no_one_has_begun() -> None:
    job: Later[int] = threads.later(threading.get_ident)
    assert job.get() == job.get() == threading.get_ident()


@pytest.mark.usefixtures("let_go")
def test_shares_that_no_one_has_begun() -> None:
    assert set(threads.parallel([1, 2, 3], lambda _: threading.get_ident())) == {threading.get_ident()}


def test_later_is_run_by_another_thread(let_go: Callable[[], None]) -> None:
    done = threading.Event()
    job: Later[int] = threads.later(lambda: done.set() or threading.get_ident())
    let_go()
    assert done.wait(20)
    assert job.get() != threading.get_ident()
