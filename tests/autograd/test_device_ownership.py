"""Gradients on a GPU: which become ``grad`` without a copy, and that none shares memory with anything else."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest

import minitorch as torch
from minitorch.autograd.variable import wrap
from minitorch.backend import memory_object
from minitorch.nn import functional
from tests.harness.fake_cupy import installed


@pytest.fixture(autouse=True)
def cupy() -> Iterator[Any]:
    """Arrays that know the memory they lie in, as CuPy's do."""
    with installed() as module:
        yield module


def leaf(*shape: int, seed: int = 0) -> Any:
    values = numpy.random.default_rng(seed).standard_normal(shape)
    return torch.from_numpy(values).to("cuda").requires_grad_()


PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    "a sum hands one gradient to both": lambda x, y: x + y,
    "twice the same": lambda x, y: x + x + y,
    "views of it": lambda x, y: x.t().reshape(3, 3).t() + y.flatten().view(3, 3),
    "parts of it": lambda x, y: torch.cat([x[:2], y[1:2]]),
    "an expanded one": lambda x, y: (x + y).sum().expand(3, 3),
    "a saved value": lambda x, y: x * y,
    "its own output": lambda x, y: torch.exp(x) + torch.sqrt(torch.exp(y)),
    "in place": lambda x, y: (x * 2).mul_(y).add_(x),
    "products": lambda x, y: functional.linear(x, y) @ y,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_share_no_memory(name: str) -> None:
    x, y = leaf(3, 3), leaf(3, 3, seed=1)
    cotangent = torch.from_numpy(numpy.random.default_rng(2).standard_normal((3, 3))).to("cuda")
    PROGRAMS[name](x, y).backward(cotangent)
    arrays = [x.array, y.array, cotangent.array, x.grad.array, y.grad.array]
    for first, second in itertools.combinations(arrays, 2):
        assert memory_object(first) is not memory_object(second)
    on_host = [torch.from_numpy(each.array.get()).requires_grad_() for each in (x, y)]
    PROGRAMS[name](*on_host).backward(torch.from_numpy(cotangent.array.get()))
    for ours, expected in zip((x, y), on_host):
        numpy.testing.assert_allclose(ours.grad.array.get(), expected.grad.numpy(), 1e-12, 1e-12)


def test_a_fresh_gradient_becomes_grad_itself(monkeypatch: Any, cupy: Any) -> None:
    x, y = leaf(3, 3), leaf(3, 3, seed=1)
    made: list[Any] = []
    product = x @ y
    backward = product.grad_fn.backward

    def watched(*grads: Any) -> Any:
        made.extend(results := backward(*grads))
        return results

    monkeypatch.setattr(product.grad_fn, "backward", watched)
    product.backward(wrap(cupy.ones((3, 3)), torch.Tensor))
    assert x.grad.array is made[0]
    assert y.grad.array is made[1]
