"""Whole training steps as graphs: the losses, weights and states of steps without, bit by bit.

Without a GPU the captures are the stand-in's (``tests/harness/stream_capture.py``). With one, the same tests run there
(``-m cuda``).
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy
import pytest

import minitorch as torch
from benchmarks import networks as measured
from minitorch import nn
from minitorch.backend import accelerator, graphs
from minitorch.cuda.graphed_step import GraphedStep
from tests.harness.no_host_copy import no_host_copy

STEPS = 10


def lenet() -> Any:
    """LeNet with batch norm and dropout, for small images."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64, 20), nn.ReLU(), nn.Dropout(0.5), nn.Linear(20, 10)),
    )


def attention() -> Any:
    """A layer of a transformer over the rows of an image."""

    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention, self.norm = nn.MultiheadAttention(8, 2, batch_first=True), nn.LayerNorm(8)
            self.recurrent, self.head = nn.GRU(8, 6, batch_first=True), nn.Linear(6, 10)

        def forward(self, x: Any) -> Any:
            rows = self.norm(x + self.attention(x, x, x, need_weights=False)[0])
            return self.head(self.recurrent(rows)[0][:, -1])

    return Rows()


class Case(NamedTuple):
    """A network, the shape of a batch for it, and what makes its optimizer."""

    build: Callable[[], Any]
    shape: tuple[int, ...]
    optimizer: Callable[[Any], Any]


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.05),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "maximize": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.5, maximize=True),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.01, capturable=True),
    "amsgrad": lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.01, capturable=True),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01, capturable=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True, capturable=True),
    "Adadelta": lambda p: torch.optim.Adadelta(p, capturable=True),
    "Adamax": lambda p: torch.optim.Adamax(p, lr=0.01, capturable=True),
}
CASES = {
    "mlp": Case(lambda: measured.mlp(nn), (8, 784), OPTIMIZERS["momentum"]),
    "lenet": Case(lenet, (4, 1, 14, 14), OPTIMIZERS["Adam"]),
    "small_net": Case(lambda: measured.small_net(nn), (2, 3, 32, 32), OPTIMIZERS["momentum"]),
    "attention": Case(attention, (3, 5, 8), OPTIMIZERS["AdamW"]),
    **{
        name: Case(lambda: nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 10)), (4, 6), optimizer)
        for name, optimizer in OPTIMIZERS.items()
    },
}


def batches(case: Case, steps: int = STEPS) -> Iterator[tuple[Any, Any]]:
    generator = numpy.random.default_rng(0)
    for _ in range(steps):
        yield (
            torch.from_numpy(generator.standard_normal(case.shape).astype("float32")).to("cuda"),
            torch.from_numpy(generator.integers(0, 10, case.shape[0])).to("cuda"),
        )


def training_step(model: Any, optimizer: Any) -> Callable[[Any, Any], Any]:
    def step(images: Any, labels: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def losses_of(step: Callable[..., Any], case: Case) -> list[float]:
    return [step(*batch).item() for batch in batches(case)]


def tensors_of(model: Any, optimizer: Any) -> dict[str, numpy.ndarray]:
    """Everything that a step changes."""
    found = {name: value.cpu().numpy() for name, value in model.state_dict().items()}
    for name, parameter in model.named_parameters():
        found[f"{name}.grad"] = parameter.grad.cpu().numpy()
        for key, value in optimizer.state[parameter].items():
            found[f"{name}.{key}"] = value.cpu().numpy()
    return found


@pytest.mark.parametrize("name", CASES)
def test_losses_are_those_of_steps_without_a_graph(where: str, name: str) -> None:
    case = CASES[name]
    torch.manual_seed(0)
    model = case.build().to("cuda")
    twin = copy.deepcopy(model)
    optimizer, other = case.optimizer(model.parameters()), case.optimizer(twin.parameters())
    torch.manual_seed(1)
    with graphs.own_products():
        expected = losses_of(training_step(model, optimizer), case)
    drawn = torch.rand(1).item()

    torch.manual_seed(1)
    graphed = torch.cuda.make_graphed_step(training_step(twin, other), *next(batches(case)))
    assert isinstance(graphed, GraphedStep)
    assert losses_of(graphed, case) == expected
    assert torch.rand(1).item() == drawn, "the warm-up drew numbers"
    assert len(set(expected)) > 1
    found = tensors_of(twin, other)
    for key, value in tensors_of(model, optimizer).items():
        numpy.testing.assert_array_equal(found[key], value, err_msg=key)


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.Adam])
def test_mixed_precision(where: str, make: Any) -> None:
    """Autocast, a scale that grows and shrinks, and steps that are left out on the device."""
    case = CASES["momentum"]

    def run(graphed: bool) -> list[float]:
        torch.manual_seed(0)
        model, scaler = case.build().to("cuda"), torch.amp.GradScaler("cuda", init_scale=2.0**20, growth_interval=2)
        options: dict[str, Any] = {"capturable": True} if make is torch.optim.Adam else {"momentum": 0.9}
        optimizer = make(model.parameters(), lr=0.01, fused=True, **options)

        def step(images: Any, labels: Any) -> Any:
            optimizer.zero_grad()
            with torch.autocast("cuda"):
                loss = nn.functional.cross_entropy(model(images), labels)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            return loss

        if graphed:
            step = torch.cuda.make_graphed_step(step, *next(batches(case)))
            assert scaler.get_scale() == 2.0**20
        return [*losses_of(step, case), scaler.get_scale()]

    with graphs.own_products():
        expected = run(False)
    assert run(True) == expected
    assert expected[-1] < 2.0**20


def test_losses_are_near_those_with_cublas(where: str) -> None:
    case = CASES["mlp"]
    torch.manual_seed(0)
    model = case.build().to("cuda")
    twin = copy.deepcopy(model)
    expected = losses_of(training_step(model, case.optimizer(model.parameters())), case)
    graphed = torch.cuda.make_graphed_step(
        training_step(twin, case.optimizer(twin.parameters())), *next(batches(case)), warmup=1
    )
    numpy.testing.assert_allclose(losses_of(graphed, case), expected, 1e-4)


def test_what_was_there_before_is_there_afterwards(where: str) -> None:
    """Weights, gradients, averages, states of a run that has begun, and of optimizers whose counts were on the host."""
    torch.manual_seed(0)
    model = lenet().to("cuda")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    case = CASES["lenet"]
    step = training_step(model, optimizer)
    for batch in batches(case, 2):
        step(*batch)
    optimizer.param_groups[0]["capturable"] = True
    before, state = tensors_of(model, optimizer), torch.get_rng_state()
    grads = [parameter.grad for parameter in model.parameters()]

    def with_numbers(*batch: Any) -> Any:
        torch.rand(3)
        return step(*batch)

    graphed = torch.cuda.make_graphed_step(with_numbers, *next(batches(case)))
    after = tensors_of(model, optimizer)
    for key, value in before.items():
        if not key.endswith(".grad"):
            numpy.testing.assert_array_equal(after[key], value, err_msg=key)
    assert optimizer.state[model[0].weight]["step"].is_cuda
    assert all(parameter.grad is not grad for parameter, grad in zip(model.parameters(), grads))
    for grad, (name, _) in zip(grads, model.named_parameters()):
        numpy.testing.assert_array_equal(grad.cpu().numpy(), before[f"{name}.grad"], err_msg=name)
    assert torch.equal(torch.get_rng_state(), state)
    graphed()
    assert optimizer.state[model[0].weight]["step"].item() == 3
    assert model[1].num_batches_tracked.item() == 3


def test_tensors_of_nobody_are_restored_on_demand(where: str) -> None:
    total, x = torch.zeros(2, device="cuda"), torch.ones(2, device="cuda")
    graphed = torch.cuda.make_graphed_step(lambda x: total.add_(x), x, restore=[total])
    assert total.tolist() == [0, 0]
    graphed(x)
    graphed(x * 2)
    assert total.tolist() == [3, 3]
    torch.cuda.make_graphed_step(lambda x: total.add_(x), x, warmup=2)
    assert total.tolist() == [5, 5]


def test_gradients_add_up_over_calls(where: str) -> None:
    """A step that removes no gradients adds to those that were there."""
    weight, x = nn.Parameter(torch.ones(2, device="cuda")), torch.ones(2, device="cuda")
    optimizer = torch.optim.SGD([weight])
    weight.grad = torch.ones(2, device="cuda")
    graphed = torch.cuda.make_graphed_step(lambda x: (weight * x).sum().backward(), x)
    assert weight.grad.tolist() == [1, 1]
    for number in (1, 2, 3):
        assert graphed(x * number) is None
    assert weight.grad.tolist() == [7, 7]
    optimizer.zero_grad(set_to_none=False)
    graphed(x)
    assert weight.grad.tolist() == [1, 1]


def test_results(where: str) -> None:
    weight, x = nn.Parameter(torch.ones(2, device="cuda")), torch.ones(2, device="cuda")

    def step(x: Any, flag: bool) -> Any:
        y = weight * x
        return {"y": y, "pair": (y.sum(), [y * 2]), "flag": flag, "nothing": None}

    graphed = torch.cuda.make_graphed_step(step, x, True)
    result = graphed(x * 3, True)
    assert result["y"].tolist() == [3, 3]
    assert not result["y"].requires_grad
    assert result["pair"][0].item() == 6
    assert result["pair"][1][0].tolist() == [6, 6]
    assert result["flag"] is True
    assert result["nothing"] is None
    kept, same = result["y"].clone(), result["y"]
    graphed(torch.ones(2), True)  # from the host
    assert kept.tolist() == [3, 3]
    assert same.tolist() == [1, 1], "the memory is the graph's"
    assert graphed()["y"].tolist() == [1, 1]
    assert x.tolist() == [1, 1]


@pytest.mark.parametrize(
    "make",
    [
        lambda p, rate: torch.optim.SGD(p, lr=rate),
        lambda p, rate: torch.optim.Adam(p, lr=rate, capturable=True),
        lambda p, rate: torch.optim.Adamax(p, lr=rate, capturable=True),
    ],
)
def test_a_learning_rate_on_the_device_can_change(where: str, make: Any) -> None:
    """The gradient is always 1, and with that the step is the learning rate."""
    rate, x = torch.tensor(0.5, device="cuda"), torch.ones(2, device="cuda")
    weight = nn.Parameter(torch.zeros(2, device="cuda"))
    optimizer = make([weight], rate)

    def step(x: Any) -> None:
        optimizer.zero_grad()
        (weight * x).sum().backward()
        optimizer.step()

    graphed = torch.cuda.make_graphed_step(step, x)
    graphed()
    rate.fill_(0.25)
    graphed()
    numpy.testing.assert_allclose(weight.tolist(), [-0.75, -0.75], 1e-6)


def test_inputs_that_do_not_fit(where: str) -> None:
    x = torch.ones(2, device="cuda")
    graphed = torch.cuda.make_graphed_step(lambda x, factor: x * factor, x, 2)
    for inputs, message in (
        ((x,), "the graph takes 2 inputs, not 1"),
        ((torch.ones(3), 2), r"input 0 of shape \(2,\), minitorch.float32|input 0 of shape \(2,\)"),
        ((x.double(), 2), "float64"),
        ((x, 3), "captured with 2 as input 1, not 3"),
        ((1, 2), "as input 0, not 1"),
    ):
        with pytest.raises(ValueError, match=message):
            graphed(*inputs)
    for inputs, message in (((), "not no tensors"), ((x, torch.ones(2)), "not cpu, cuda:0")):
        with pytest.raises(ValueError, match=message):
            torch.cuda.make_graphed_step(lambda *inputs: None, *inputs)
    with pytest.raises(ValueError, match="warmup must be at least 1, not 0"):
        torch.cuda.make_graphed_step(lambda x: x, x, warmup=0)


def test_optimizers_that_cannot_be_captured(where: str) -> None:
    x = torch.ones(2, device="cuda")

    def attempt(make: Callable[[Any], Any]) -> None:
        weight = nn.Parameter(torch.ones(2, device="cuda"))
        optimizer = make([weight])

        def step(x: Any) -> None:
            optimizer.zero_grad()
            (weight * x).sum().backward()
            optimizer.step()

        try:
            torch.cuda.make_graphed_step(step, x, warmup=1)
        finally:
            assert weight.tolist() == [1, 1]
            assert not graphs.is_capturing()

    with pytest.raises(
        RuntimeError, match=r"Attempting CUDA graph capture of step\(\) for an instance of Adam but param"
    ):
        attempt(torch.optim.Adam)
    with pytest.raises(RuntimeError, match="instance of Adamax but param_groups' capturable is False"):
        attempt(torch.optim.Adamax)
    with pytest.raises(RuntimeError, match=r"Adagrad\.step cannot be captured.*counts its steps on the host"):
        attempt(torch.optim.Adagrad)
    with pytest.raises(RuntimeError, match="dampening is not like the others"):
        attempt(lambda p: torch.optim.SGD(p, momentum=0.9, dampening=0.1))


@pytest.mark.parametrize("name", ["momentum", "Adam"])
def test_states_are_not_made_in_a_capture(where: str, name: str) -> None:
    weight = nn.Parameter(torch.ones(2, device="cuda"))
    optimizer = OPTIMIZERS[name]([weight])
    weight.grad = torch.ones(2, device="cuda")
    with pytest.raises(RuntimeError, match="state must exist before"), torch.cuda.graph(torch.cuda.CUDAGraph()):
        optimizer.step()


def test_an_error_in_the_step_leaves_everything_as_it_was(where: str) -> None:
    case = CASES["momentum"]
    model = case.build().to("cuda")
    optimizer = case.optimizer(model.parameters())
    train = training_step(model, optimizer)
    before = [parameter.tolist() for parameter in model.parameters()]

    def step(*batch: Any) -> Any:
        return train(*batch).item()

    with pytest.raises(RuntimeError, match=r"^Tensor\.item cannot be captured"):
        torch.cuda.make_graphed_step(step, *next(batches(case)))
    assert [parameter.tolist() for parameter in model.parameters()] == before
    assert all(parameter.grad is None for parameter in model.parameters())
    train(*next(batches(case)))
    assert [parameter.tolist() for parameter in model.parameters()] != before


def test_a_call_waits_for_nothing(emulated: Any) -> None:
    case = CASES["momentum"]
    model = case.build().to("cuda")
    graphed = torch.cuda.make_graphed_step(
        training_step(model, case.optimizer(model.parameters())), *next(batches(case))
    )
    others = list(batches(case, 3))
    with no_host_copy():
        for batch in others:
            graphed(*batch)


def test_memory_is_freed_with_the_step(where: str) -> None:
    case = CASES["mlp"]
    model = case.build().to("cuda")
    optimizer = case.optimizer(model.parameters())
    graphed = torch.cuda.make_graphed_step(training_step(model, optimizer), *next(batches(case)))
    handle = graphed.graph.pool()
    assert handle in graphs._pools
    del graphed
    assert handle not in graphs._pools
    assert accelerator.require().cuda.get_current_stream().ptr == 0


def test_on_the_cpu_the_function_is_called() -> None:
    weight = nn.Parameter(torch.ones(2))
    calls = []

    def step(x: Any, factor: float) -> Any:
        calls.append(random.random())
        return (weight * x * factor).sum(), factor

    train = torch.cuda.make_graphed_step(step, torch.ones(2), 2.0)
    assert not calls
    loss, factor = train(torch.ones(2), 3.0)
    assert loss.item() == 6
    assert factor == 3.0
    assert not loss.requires_grad
    assert train()[0].item() == 4
    assert len(calls) == 2
