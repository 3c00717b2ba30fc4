"""The backward pass: who gets which gradient, what is kept and freed, and what fails with which words."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch
from tests.harness.both import Program, same

PROGRAMS: dict[str, Program] = {
    "a leaf used twice": lambda torch: _gradients(torch, lambda x, y: x * y + x),
    "the same tensor on both sides": lambda torch: _gradients(torch, lambda x, y: x * x + y),
    "broadcasting": lambda torch: _gradients(torch, lambda x, y: x.reshape(2, 1) * y),
    "a diamond": lambda torch: _gradients(torch, lambda x, y: (x * y) * (x * y + x)),
    "an unused input": lambda torch: _gradients(torch, lambda x, y: x * 2 + 1),
    "accumulation over two passes": lambda torch: _twice(torch),
    "grad with respect to an intermediate value": lambda torch: _intermediate(torch),
    "higher derivatives": lambda torch: _higher(torch),
    "retain_grad": lambda torch: _retain_grad(torch),
    "backward of several tensors": lambda torch: _several(torch),
    "backward with inputs": lambda torch: _with_inputs(torch),
    "dtype of a gradient through promotion": lambda torch: _promoted(torch),
    "hooks": lambda torch: _hooks(torch),
    "hook removed": lambda torch: _hook_removed(torch),
    "post accumulate hook": lambda torch: _post_hook(torch),
    "unused input, allow_unused": lambda torch: torch.autograd.grad(
        _leaf(torch) * 2, [_leaf(torch)], torch.ones(2), allow_unused=True
    ),
    "unused input, materialize_grads": lambda torch: torch.autograd.grad(
        _leaf(torch) * 2, [_leaf(torch)], torch.ones(2), materialize_grads=True
    ),
    "next_functions": lambda torch: [
        f[0].name().split("::")[-1] for f in (_leaf(torch) * 2 + _leaf(torch)).grad_fn.next_functions
    ],
    "is_leaf": lambda torch: [_leaf(torch).is_leaf, (_leaf(torch) * 2).is_leaf, torch.ones(2).is_leaf],
    "second pass through nodes that saved nothing": lambda torch: _second_pass_of_add(torch),
    "requires_grad of results": lambda torch: [
        (_leaf(torch) * 2).requires_grad,
        (_leaf(torch) > 0).requires_grad,
        _leaf(torch).detach().requires_grad,
        (torch.ones(2) * 2).requires_grad,
    ],
}

ERRORS: dict[str, Program] = {
    "no grad needed": lambda torch: torch.ones(2).backward(torch.ones(2)),
    "not a scalar": lambda torch: (_leaf(torch) * 2).backward(),
    "shape of the cotangent": lambda torch: (_leaf(torch) * 2).backward(torch.ones(3)),
    "second backward": lambda torch: _second_backward(torch),
    "unused input": lambda torch: torch.autograd.grad(_leaf(torch) * 2, [_leaf(torch)], torch.ones(2)),
    "input without grad": lambda torch: torch.autograd.grad(_leaf(torch) * 2, [torch.ones(2)], torch.ones(2)),
    "grad of another shape": lambda torch: setattr(_leaf(torch), "grad", torch.ones(3)),
    "grad of another dtype": lambda torch: setattr(_leaf(torch), "grad", torch.ones(2, dtype=torch.float64)),
    "grad that is no tensor": lambda torch: setattr(_leaf(torch), "grad", 1),
    "in-place on a leaf": lambda torch: _leaf(torch).add_(1),
    "integers cannot require grad": lambda torch: torch.ones(2, dtype=torch.int64).requires_grad_(),
    "requires_grad of a result": lambda torch: (_leaf(torch) * 2).requires_grad_(False),
    "retain_grad without grad": lambda torch: torch.ones(2).retain_grad(),
    "hook without grad": lambda torch: torch.ones(2).register_hook(print),
    "materialize and allow_unused": lambda torch: torch.autograd.grad(
        _leaf(torch), _leaf(torch), allow_unused=False, materialize_grads=True
    ),
    "numpy of a tensor that requires grad": lambda torch: _leaf(torch).numpy(),
}


def _leaf(torch: Any) -> Any:
    return torch.tensor([1.0, -2.0], requires_grad=True)


def _gradients(torch: Any, function: Any) -> Any:
    x, y = _leaf(torch), torch.tensor([3.0, 5.0], requires_grad=True)
    output = function(x, y)
    output.backward(torch.arange(1.0, output.numel() + 1).reshape(output.shape))
    return x.grad, y.grad


def _twice(torch: Any) -> Any:
    x = _leaf(torch)
    (x * 3).backward(torch.ones(2))
    first = x.grad
    (x * x).backward(torch.ones(2))
    return x.grad, first is x.grad, first


def _intermediate(torch: Any) -> Any:
    x = _leaf(torch)
    y = x * 3
    z = y * y
    return torch.autograd.grad(z, [y, x], torch.ones(2)), x.grad


def _higher(torch: Any) -> Any:
    x = _leaf(torch)
    value, found = x * x * x * x, []
    for _ in range(4):
        (value,) = torch.autograd.grad(value, x, torch.ones(2), create_graph=True)
        found.append(value.detach())
    return found


def _retain_grad(torch: Any) -> Any:
    x = _leaf(torch)
    y = x * 3
    y.retain_grad()
    (y * y).backward(torch.ones(2))
    return y.grad, y.retains_grad, x.grad


def _several(torch: Any) -> Any:
    x = _leaf(torch)
    torch.autograd.backward([x * 2, x * x], [torch.ones(2), torch.tensor([1.0, 10.0])])
    return x.grad


def _with_inputs(torch: Any) -> Any:
    x, y = _leaf(torch), _leaf(torch)
    (x * y).backward(torch.ones(2), inputs=[x])
    return x.grad, y.grad


def _promoted(torch: Any) -> Any:
    x = _leaf(torch)
    y = torch.ones(2, dtype=torch.float64, requires_grad=True)
    (x * y).backward(torch.ones(2, dtype=torch.float64))
    return x.grad, y.grad


def _hooks(torch: Any) -> Any:
    x, seen = _leaf(torch), []
    y = x * 3
    y.register_hook(lambda grad: seen.append(grad.tolist()))
    y.register_hook(lambda grad: grad * 10)
    x.register_hook(lambda grad: grad + 1)
    (y * y).backward(torch.ones(2))
    return x.grad, seen


def _hook_removed(torch: Any) -> Any:
    x = _leaf(torch)
    handle = x.register_hook(lambda grad: grad * 100)
    handle.remove()
    (x * 2).backward(torch.ones(2))
    return x.grad


def _post_hook(torch: Any) -> Any:
    x, seen = _leaf(torch), []
    x.register_post_accumulate_grad_hook(lambda tensor: seen.append(tensor.grad.tolist()))
    (x * 2).backward(torch.ones(2))
    return seen


def _second_backward(torch: Any) -> None:
    y = _leaf(torch) * _leaf(torch)
    y.backward(torch.ones(2))
    y.backward(torch.ones(2))


def _second_pass_of_add(torch: Any) -> Any:
    x = _leaf(torch)
    y = x + x
    y.backward(torch.ones(2))
    y.backward(torch.ones(2))
    return x.grad


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    same(PROGRAMS[name])


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    """Type and, up to the parts that name shapes in another way, text."""
    same(ERRORS[name], message=name not in ("integers cannot require grad", "grad of another dtype"))


def test_retain_graph_allows_a_second_pass() -> None:
    same(lambda torch: _retained(torch))


def _retained(torch: Any) -> Any:
    x = _leaf(torch)
    y = x * x
    y.backward(torch.ones(2), retain_graph=True)
    y.backward(torch.ones(2))
    return x.grad


@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 12))
def test_random_graphs(seed: int, steps: int) -> None:
    """Random expressions over three leaves, each value used any number of times."""

    def program(torch: Any) -> Any:
        generator = numpy.random.default_rng(seed)
        make = lambda: torch.tensor(generator.uniform(-1, 1, 3).tolist(), dtype=torch.float64, requires_grad=True)  # noqa: E731
        leaves = [make(), make(), make()]
        values = list(leaves)
        for _ in range(steps):
            first, second = generator.integers(0, len(values), 2)
            kind = generator.integers(0, 3)
            a, b = values[first], values[second]
            values.append(a + b if kind == 0 else a * b if kind == 1 else a * 0.5)
        cotangent = torch.tensor(generator.uniform(-1, 1, 3).tolist(), dtype=torch.float64)
        first_grads = torch.autograd.grad(values[-1], leaves, cotangent, create_graph=True, allow_unused=True)
        values[-1].backward(cotangent)
        return [leaf.grad for leaf in leaves], [grad if grad is None else grad.detach() for grad in first_grads]

    same(program)


def test_a_chain_of_100_000_ops_runs_without_recursion() -> None:
    x = minitorch.tensor([1.0], requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    y.backward()
    assert x.grad.tolist() == [1.0]
    del y  # freeing the chain must not recurse either


def test_memory_returns_to_its_level_after_every_step() -> None:
    weight = minitorch.ones(200, 50, requires_grad=True)

    def step() -> None:
        y = weight * 2.0
        (y * y + weight).backward(minitorch.ones(200, 50))
        weight.grad = None

    for _ in range(20):
        step()
    gc.collect()
    tracemalloc.start()
    gc.disable()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(1000):
        step()
    unreachable = gc.collect()  # also empties Python's free lists, which grow to a fixed size
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    gc.enable()
    assert unreachable == 0, "reference counts alone must free a step: a cycle kept objects alive"
    assert after - before < 5_000, f"{after - before} bytes more after 1,000 steps"


def test_gradients_never_alias() -> None:
    x, w = minitorch.ones(3, requires_grad=True), minitorch.ones(3, requires_grad=True)
    cotangent = minitorch.ones(3)
    (x + w).backward(cotangent)
    arrays = [x.grad.array, w.grad.array, cotangent.array]
    for index, first in enumerate(arrays):
        for second in arrays[index + 1 :]:
            assert not numpy.shares_memory(first, second)


def test_a_fresh_gradient_is_handed_over_without_a_copy() -> None:
    """The weight gradient of a large layer is written once."""
    seen = []

    class Spy(minitorch.autograd.function.Function):
        def forward(self, x: Any) -> Any:
            return x * 2

        def backward(self, grad_output: Any) -> Any:
            seen.append(grad_output * 2)
            return seen[-1]

    x = minitorch.ones(3, requires_grad=True)
    Spy.apply(x).backward(minitorch.ones(3))
    assert x.grad.array is seen[0]


def test_modified_saved_value_is_found() -> None:
    def program(torch: Any) -> None:
        x = _leaf(torch)
        y = x * 1.0
        z = y * y
        y.add_(1)
        z.backward(torch.ones(2))

    error = same(program)
    assert "has been modified by an inplace operation" in str(error)
    assert "is at version 1; expected version 0 instead" in str(error)


def test_modified_output_is_found() -> None:
    def program(torch: Any) -> None:
        y = _leaf(torch).exp()
        y.mul_(2)
        y.backward(torch.ones(2))

    same(program)


def test_grad_mode_is_a_thread_s_own() -> None:
    seen = []
    with minitorch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(minitorch.is_grad_enabled()))
        thread.start()
        thread.join()
        assert not minitorch.is_grad_enabled()
    assert seen == [True]


def test_backward_from_threads() -> None:
    x = minitorch.ones(4, dtype=minitorch.float64, requires_grad=True)
    losses = [x * float(index) for index in range(8)]
    threads = [
        threading.Thread(target=loss.backward, args=(minitorch.ones(4, dtype=minitorch.float64),)) for loss in losses
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.grad.tolist() == [28.0] * 4


def test_grad_of_an_intermediate_value_warns() -> None:
    y = minitorch.ones(2, requires_grad=True) * 2
    with pytest.warns(UserWarning, match="not a leaf Tensor"):
        assert y.grad is None
    y.retain_grad()
    y.sum().backward()
    assert y.grad.tolist() == [1.0, 1.0]
