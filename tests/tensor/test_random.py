"""The same seed gives torch's numbers, through every public door."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

import minitorch
from tests.harness.both import Program, same

PROGRAMS: dict[str, Program] = {
    "layouts that are not contiguous": lambda torch: _transposed(torch),
    "fork_rng": lambda torch: _forked(torch),
    "torch.random": lambda torch: _under_the_other_address(torch),
    "rand": lambda torch: [torch.rand(3), torch.rand(2, 5), torch.rand((20,), dtype=torch.float64), torch.rand(())],
    "randn": lambda torch: [torch.randn(3), torch.randn(17), torch.randn(2, 30, dtype=torch.float64), torch.randn(5)],
    "randint": lambda torch: [torch.randint(10, (5,)), torch.randint(-3, 4, (2, 2)), torch.randint(5, (2,)).dtype],
    "randint dtype": lambda torch: torch.randint(0, 9, (4,), dtype=torch.uint8),
    "randperm": lambda torch: [torch.randperm(10), torch.randperm(0), torch.randperm(3, dtype=torch.int32)],
    "like": lambda torch: [
        torch.rand_like(torch.ones(3)),
        torch.randn_like(torch.ones(20, dtype=torch.float64)),
        torch.randint_like(torch.ones(4), 7),
        torch.randint_like(torch.ones(4), 3, 7, dtype=torch.int64),
    ],
    "normal": lambda torch: [
        torch.normal(2.0, 3.0, (4,)),
        torch.normal(torch.arange(4.0), 2.0),
        torch.normal(1.0, torch.tensor([1.0, 0.5, 0.0])),
        torch.normal(torch.zeros(2, 1), torch.ones(3)),
    ],
    "bernoulli": lambda torch: [
        torch.bernoulli(torch.full((8,), 0.3)),
        torch.bernoulli(torch.zeros(3), 0.5),
        torch.ones(4).bernoulli(0.5),
        torch.empty(6).bernoulli_(0.25),
        torch.empty(3).bernoulli_(torch.tensor([0.1, 0.5, 0.9])),
    ],
    "in place": lambda torch: [
        torch.empty(5).uniform_(-1, 2),
        torch.empty(20).normal_(1, 3),
        torch.empty(5, dtype=torch.int64).random_(7),
        torch.empty(5).random_(3),
        torch.empty(5, dtype=torch.int32).random_(),
        torch.empty(5).exponential_(2.0),
        torch.empty(5).geometric_(0.4),
        torch.empty(5).log_normal_(),
        torch.empty(5).cauchy_(),
    ],
    "multinomial": lambda torch: [
        torch.multinomial(torch.tensor([0.1, 0.0, 0.7, 0.2]), 3),
        torch.multinomial(torch.tensor([[0.1, 0.9], [0.5, 0.5]]), 5, replacement=True),
    ],
    "generator": lambda torch: _generator(torch),
    "state": lambda torch: _state(torch),
    "in-place numbers end a history": lambda torch: _history(torch),
}

ERRORS: dict[str, Program] = {
    "rand of integers": lambda torch: torch.rand(2, dtype=torch.int64),
    "empty range": lambda torch: torch.randint(5, 3, (2,)),
    "size is a number": lambda torch: torch.randint(0, 3, 2),
    "negative permutation": lambda torch: torch.randperm(-1),
    "probability above 1": lambda torch: torch.bernoulli(torch.tensor([2.0])),
    "probability above 1, in place": lambda torch: torch.empty(2).bernoulli_(1.5),
    "uniform bounds": lambda torch: torch.empty(1).uniform_(1, 0),
    "negative std": lambda torch: torch.empty(1).normal_(0, -1),
    "negative std tensor": lambda torch: torch.normal(torch.zeros(1), torch.tensor([-1.0])),
    "too many samples": lambda torch: torch.multinomial(torch.ones(3), 5),
    "leaf that requires grad": lambda torch: torch.ones(2, requires_grad=True).normal_(),
}


def _transposed(torch: Any) -> Any:
    x = torch.empty(5, 4).t()
    filled = [torch.empty(8, 4)[:, ::2].normal_(), x.clone().uniform_(), x.clone().bernoulli_(0.5), x.bernoulli(0.5)]
    filled += [torch.bernoulli(x.fill_(0.5)), x.bernoulli(), torch.bernoulli(x, 0.3)]
    return torch.rand_like(x), torch.randn_like(x), torch.randint_like(x, 9), x.normal_(), filled


def _generator(torch: Any) -> Any:
    generator = torch.Generator().manual_seed(7)
    first = torch.rand(3, generator=generator)
    between = torch.rand(2)
    return first, between, torch.randn(3, generator=generator), generator.initial_seed()


def _state(torch: Any) -> Any:
    torch.randn(3)
    state = torch.get_rng_state()
    first = torch.randn(5)
    torch.set_rng_state(state)
    return first, torch.randn(5), state


def _history(torch: Any) -> Any:
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.uniform_()
    y.backward(torch.ones(2))
    return x.grad, y.requires_grad


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    same(PROGRAMS[name])


@pytest.mark.parametrize("name", ERRORS)
def test_error(name: str) -> None:
    same(ERRORS[name])


@pytest.mark.parametrize("name", ["fill", "zero", "copy"])
def test_filling_in_a_graph(name: str) -> None:
    def program(torch: Any) -> Any:
        x, source = torch.ones(2, 2, requires_grad=True), torch.tensor([3.0, 4.0], requires_grad=True)
        y = x * 2
        {"fill": lambda: y.fill_(5), "zero": y.zero_, "copy": lambda: y.copy_(source)}[name]()
        y.backward(torch.ones(2, 2))
        return x.grad, source.grad, y.detach()

    same(program)


def _forked(torch: Any) -> Any:
    torch.manual_seed(3)
    with torch.random.fork_rng():
        inside = torch.rand(3)
    with torch.random.fork_rng(devices=[], device_type="cuda"):
        again = torch.randn(2)
    with torch.random.fork_rng(enabled=False):
        counts = torch.rand(1)
    with contextlib.suppress(ZeroDivisionError), torch.random.fork_rng(devices=()):
        torch.rand(5)
        raise ZeroDivisionError
    return [inside, again, counts, torch.rand(2)]


def _under_the_other_address(torch: Any) -> Any:
    torch.random.manual_seed(5)
    state = torch.random.get_rng_state()
    first = torch.rand(2)
    torch.random.set_rng_state(state)
    return [first, torch.rand(2), torch.random.initial_seed()]


def test_forks_of_other_devices() -> None:
    with (
        pytest.raises(RuntimeError, match="types 'cpu' and 'cuda', not of 'cpu'"),
        minitorch.random.fork_rng(device_type="cpu"),
    ):
        pass
    with minitorch.random.fork_rng(device_type="meta"):
        minitorch.manual_seed(1)
    drawn = minitorch.rand(1)
    assert drawn.item() == minitorch.rand(1, generator=minitorch.Generator().manual_seed(1)).item()
