"""Parts of a network as graphs, in a training loop that is none.

Without a GPU the captures are the stand-in's (``tests/harness/stream_capture.py``). With one, the same tests run there
(``-m cuda``).
"""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy
import pytest
import torch as oracle

import minitorch as torch
from minitorch import nn
from minitorch.backend import graphs


def features() -> Any:
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten())


def train(first: Any, second: Any, parameters: Any, steps: int = 5) -> list[float]:
    """The losses of steps through both parts, with an optimizer that no graph would take."""
    generator, losses = numpy.random.default_rng(0), []
    optimizer = torch.optim.Adagrad(parameters, lr=0.1)
    for _ in range(steps):
        images = torch.from_numpy(generator.standard_normal((4, 1, 6, 6)).astype("float32")).to("cuda")
        labels = torch.from_numpy(generator.integers(0, 5, 4)).to("cuda")
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(second(first(images)), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_losses_are_those_of_the_originals(where: str) -> None:
    torch.manual_seed(0)
    first, second = features().to("cuda"), nn.Linear(48, 5).to("cuda")
    twins = copy.deepcopy(first), copy.deepcopy(second)
    with graphs.own_products():
        expected = train(first, second, [*first.parameters(), *second.parameters()])
        samples = (torch.zeros(4, 1, 6, 6, device="cuda"),), (torch.zeros(4, 48, device="cuda", requires_grad=True),)
        graphed = torch.cuda.make_graphed_callables(twins, samples)
        assert graphed == twins
        assert graphed[0][1].num_batches_tracked.item() == 0
        assert train(*graphed, [*graphed[0].parameters(), *graphed[1].parameters()]) == expected
    for (name, ours), theirs in zip(graphed[0].state_dict().items(), first.state_dict().values()):
        numpy.testing.assert_array_equal(ours.cpu().numpy(), theirs.cpu().numpy(), err_msg=name)
    graphed[0].eval()
    first.eval()
    x = torch.randn(2, 1, 6, 6).to("cuda")  # the original forward takes any batch
    numpy.testing.assert_array_equal(graphed[0](x).detach().cpu().numpy(), first(x).detach().cpu().numpy())


def test_functions_of_nested_tensors(where: str) -> None:
    """Results in the same tuples and dictionaries; gradients for what wants them, and copies."""
    a, b = torch.ones(3, device="cuda", requires_grad=True), torch.ones(3, device="cuda")
    function = lambda pair, c: {"product": pair[0] * c, "rest": (pair[1] + 1, None)}  # noqa: E731
    graphed = torch.cuda.make_graphed_callables(function, ((a, b), torch.ones(3, device="cuda", requires_grad=True)))
    x = torch.full((3,), 2.0, device="cuda", requires_grad=True)
    y = torch.full((3,), 5.0, device="cuda", requires_grad=True)
    for count in (1, 2):
        result = graphed((x, torch.full((3,), 3.0, device="cuda")), y)
        assert result["product"].tolist() == [10] * 3
        assert result["rest"][0].tolist() == [4] * 3
        assert result["rest"][1] is None
        result["product"].sum().backward()
        assert x.grad.tolist() == [5 * count] * 3
        assert y.grad.tolist() == [2 * count] * 3
    assert b.tolist() == [3] * 3, "the graph reads its inputs in the memory of the samples"


def test_unused_inputs(where: str) -> None:
    samples = tuple(torch.ones(2, device="cuda", requires_grad=True) for _ in range(2))
    with pytest.raises(RuntimeError, match="not have been used in the graph"):
        torch.cuda.make_graphed_callables(lambda a, b: a * 2, samples)
    graphed = torch.cuda.make_graphed_callables(lambda a, b: a * 2, samples, allow_unused_input=True)
    x, y = (torch.ones(2, device="cuda", requires_grad=True) for _ in range(2))
    graphed(x, y).sum().backward()
    assert x.grad.tolist() == [2, 2]
    assert y.grad is None or not any(y.grad.tolist())


def test_without_gradients(where: str) -> None:
    graphed = torch.cuda.make_graphed_callables(lambda x: x.sum(), (torch.ones(2, device="cuda"),), num_warmup_iters=1)
    assert graphed(torch.full((2,), 3.0, device="cuda")).item() == 6
    with pytest.raises(ValueError, match=r"input 0 of shape \(2,\)"):
        graphed(torch.ones(3, device="cuda"))


def test_what_cannot_be_captured_is_named(where: str) -> None:
    with pytest.raises(RuntimeError, match=r"^Tensor\.item cannot be captured"):
        torch.cuda.make_graphed_callables(lambda x: x * x.sum().item(), (torch.ones(2, device="cuda"),))
    assert not graphs.is_capturing()


def test_errors_are_torchs() -> None:
    hooked, trainable = nn.Linear(2, 1), nn.Linear(2, 1)
    hooked.register_forward_hook(lambda *_: None)
    trainable.register_buffer("extra", torch.ones(2, requires_grad=True))
    x = torch.ones(1, 2)
    with pytest.raises(AssertionError, match="Modules must not have hooks registered"):
        torch.cuda.make_graphed_callables(hooked, (x,))
    with pytest.raises(AssertionError, match="only parameters may be trainable"):
        torch.cuda.make_graphed_callables(trainable, (x,))
    with pytest.raises(AssertionError, match="must contain only Tensors"):
        torch.cuda.make_graphed_callables(nn.Linear(2, 1), (x, 3))
    ours, theirs = (inspect.signature(each.cuda.make_graphed_callables).parameters for each in (torch, oracle))
    assert [(each.name, each.default) for each in ours.values()] == [
        (each.name, each.default) for each in theirs.values()
    ]


def test_the_cache_of_autocast_is_refused(where: str) -> None:
    samples = (torch.ones(2, device="cuda"),)
    with torch.autocast("cuda"), pytest.raises(RuntimeError, match="does not support the autocast caching"):
        torch.cuda.make_graphed_callables(torch.relu, samples)
    with torch.autocast("cuda", cache_enabled=False):
        graphed = torch.cuda.make_graphed_callables(lambda x: x @ x, samples)
    assert graphed(samples[0]).dtype is torch.float16


def test_on_the_cpu_they_stay_as_they_are() -> None:
    model, function = nn.Linear(2, 1), torch.relu
    x = torch.ones(1, 2)
    assert torch.cuda.make_graphed_callables((model, function), ((x,), (x,))) == (model, function)
