"""Layers, losses and optimizers on a device: the CPU's numbers, where they belong, and nothing hidden on the way.

The ops below them are tested one by one in the contract (``tests/harness/contract.py``); here is what layers add:
state, buffers, packed sequences, step counts. ``BatchNorm2d(momentum=None)`` is not here: it asks the device for the
number of batches, as torch's does; nor is LBFGS, which decides by values.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import numpy
import pytest

import minitorch as torch
from minitorch import nn
from tests.harness.no_host_copy import no_host_copy

Build = Callable[[], Any]
Shapes = tuple[tuple[int, ...], ...]

LAYERS: dict[str, tuple[Build, Shapes]] = {
    "linear": (lambda: nn.Linear(4, 3), ((2, 4),)),
    "bilinear": (lambda: nn.Bilinear(4, 3, 2), ((2, 4), (2, 3))),
    "conv1d": (lambda: nn.Conv1d(2, 3, 3, padding=1), ((2, 2, 6),)),
    "conv2d with padding of its own kind": (
        lambda: nn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect"),
        ((1, 2, 5, 5),),
    ),
    "conv2d in groups": (lambda: nn.Conv2d(4, 4, 3, groups=2, bias=False), ((2, 4, 5, 5),)),
    "conv_transpose2d": (lambda: nn.ConvTranspose2d(2, 3, 3, stride=2), ((1, 2, 4, 4),)),
    "batch_norm1d": (lambda: nn.BatchNorm1d(3), ((4, 3),)),
    "batch_norm2d": (lambda: nn.BatchNorm2d(3), ((2, 3, 4, 4),)),
    "layer_norm": (lambda: nn.LayerNorm(5), ((3, 5),)),
    "group_norm": (lambda: nn.GroupNorm(2, 4), ((2, 4, 3, 3),)),
    "instance_norm": (lambda: nn.InstanceNorm2d(2, affine=True, track_running_stats=True), ((2, 2, 3, 3),)),
    "local_response_norm": (lambda: nn.LocalResponseNorm(2), ((2, 4, 3, 3),)),
    "prelu": (lambda: nn.PReLU(3), ((2, 3, 4),)),
    "max_pool2d": (lambda: nn.MaxPool2d(3, 2, 1), ((2, 2, 7, 7),)),
    "avg_pool2d": (lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), ((2, 2, 7, 7),)),
    "adaptive_avg_pool2d": (lambda: nn.AdaptiveAvgPool2d((2, 3)), ((2, 2, 7, 7),)),
    "adaptive_max_pool2d": (lambda: nn.AdaptiveMaxPool2d(2), ((2, 2, 7, 7),)),
    "upsample": (lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), ((1, 2, 3, 3),)),
    "pixel_shuffle": (lambda: nn.PixelShuffle(2), ((1, 4, 3, 3),)),
    "unfold": (lambda: nn.Unfold(2), ((1, 2, 4, 4),)),
    "rnn": (lambda: nn.RNN(3, 4), ((5, 2, 3),)),
    "lstm": (lambda: nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True), ((2, 5, 3),)),
    "gru": (lambda: nn.GRU(3, 4), ((5, 2, 3),)),
    "attention": (lambda: nn.MultiheadAttention(4, 2, batch_first=True), ((2, 3, 4),) * 3),
    "softmax": (lambda: nn.Softmax(1), ((2, 5),)),
    "gelu": (lambda: nn.GELU(), ((2, 5),)),
}

LOSSES: dict[str, tuple[Build, str]] = {
    "cross_entropy": (lambda: nn.CrossEntropyLoss(label_smoothing=0.1), "classes"),
    "nll": (lambda: nn.NLLLoss(ignore_index=1), "classes"),
    "multi_margin": (lambda: nn.MultiMarginLoss(), "classes"),
    "mse": (lambda: nn.MSELoss(), "numbers"),
    "l1": (lambda: nn.L1Loss(), "numbers"),
    "smooth_l1": (lambda: nn.SmoothL1Loss(), "numbers"),
    "huber": (lambda: nn.HuberLoss(), "numbers"),
    "kl_div": (lambda: nn.KLDivLoss(reduction="batchmean"), "numbers"),
    "bce_with_logits": (lambda: nn.BCEWithLogitsLoss(), "numbers"),
    "poisson": (lambda: nn.PoissonNLLLoss(), "numbers"),
}

OPTIMIZERS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "Adam": {"lr": 0.01, "amsgrad": True},
    "AdamW": {"lr": 0.01},
    "Adamax": {"lr": 0.01},
    "NAdam": {"lr": 0.01},
    "RAdam": {"lr": 0.01},
    "Adagrad": {"lr": 0.01},
    "Adadelta": {},
    "RMSprop": {"lr": 0.01, "momentum": 0.5, "centered": True},
    "Rprop": {},
    "ASGD": {},
}


@pytest.fixture(params=["emulator", pytest.param("GPU", marks=pytest.mark.cuda)])
def watched(request: Any, monkeypatch: Any) -> Any:
    """A context in which hidden copies are errors, where that can be known."""
    if request.param == "emulator":
        request.getfixturevalue("emulated")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    return no_host_copy if request.param == "emulator" else contextlib.nullcontext


def tensors(result: Any) -> list[Any]:
    if isinstance(result, (tuple, list)):
        return [tensor for each in result for tensor in tensors(each)]
    return [] if result is None else [result]


def assert_same(on_device: Any, on_cpu: Any, what: str = "") -> None:
    assert on_device.is_cuda, f"{what} came back to the host"
    assert on_device.dtype == on_cpu.dtype
    numpy.testing.assert_allclose(on_device.detach().cpu().numpy(), on_cpu.detach().numpy(), 2e-5, 2e-5, err_msg=what)


@pytest.mark.parametrize("name", LAYERS)
def test_layers(watched: Any, name: str) -> None:
    torch.manual_seed(0)
    build, shapes = LAYERS[name]
    on_cpu = build()
    on_device = copy.deepcopy(on_cpu).to("cuda")
    inputs = [torch.randn(*shape, requires_grad=True) for shape in shapes]
    moved = [each.detach().to("cuda").requires_grad_() for each in inputs]
    expected = tensors(on_cpu(*inputs))
    expected[0].square().sum().backward()
    with watched():
        actual = tensors(on_device(*moved))
        actual[0].square().sum().backward()
        on_device.eval()(*moved)
    for ours, theirs in zip(actual, expected, strict=True):
        assert_same(ours, theirs, "output")
    for ours, theirs in zip(moved, inputs):
        assert_same(ours.grad, theirs.grad, "gradient")
    for (path, ours), theirs in zip(on_device.named_parameters(), on_cpu.parameters()):
        if theirs.grad is not None:
            assert_same(ours.grad, theirs.grad, path)
    for (path, ours), theirs in zip(on_device.named_buffers(), on_cpu.buffers()):
        assert_same(ours, theirs, path)


@pytest.mark.parametrize("name", LOSSES)
def test_losses(watched: Any, name: str) -> None:
    torch.manual_seed(0)
    build, kind = LOSSES[name]
    input = torch.randn(4, 3, requires_grad=True)
    target = torch.randint(0, 3, (4,)) if kind == "classes" else torch.rand(4, 3)
    moved, moved_target = input.detach().to("cuda").requires_grad_(), target.to("cuda")
    expected = build()(input, target)
    expected.backward()
    with watched():
        actual = build().to("cuda")(moved, moved_target)
        actual.backward()
    assert_same(actual, expected)
    assert_same(moved.grad, input.grad)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(watched: Any, name: str) -> None:
    torch.manual_seed(0)
    weights = [torch.randn(3, 4), torch.randn(4)]
    on_cpu = [nn.Parameter(each.clone()) for each in weights]
    on_device = [nn.Parameter(each.to("cuda")) for each in weights]
    optimizers = [getattr(torch.optim, name)(each, **OPTIMIZERS[name]) for each in (on_cpu, on_device)]
    for _ in range(3):
        for ours, theirs in zip(on_device, on_cpu):
            theirs.grad = torch.randn(*theirs.shape)
            ours.grad = theirs.grad.to("cuda")
        optimizers[0].step()
        with watched():
            torch.nn.utils.clip_grad_norm_(on_device, 1e9)
            optimizers[1].step()
            optimizers[1].zero_grad()
    for ours, theirs in zip(on_device, on_cpu):
        assert_same(ours, theirs)


def test_packed_sequences(watched: Any) -> None:
    torch.manual_seed(0)
    on_cpu = nn.LSTM(3, 4)
    on_device = copy.deepcopy(on_cpu).to("cuda")
    batch, lengths = torch.randn(5, 2, 3), torch.tensor([5, 3])
    pack, pad = nn.utils.rnn.pack_padded_sequence, nn.utils.rnn.pad_packed_sequence
    expected, _ = pad(on_cpu(pack(batch, lengths))[0])
    moved = batch.to("cuda")
    with watched():
        actual, sizes = pad(on_device(pack(moved, lengths))[0])
    assert_same(actual, expected)
    assert sizes.tolist() == [5, 3]


def test_a_checkpoint_goes_from_device_to_host_and_back(watched: Any, tmp_path: Any) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).to("cuda")
    torch.save(model.state_dict(), tmp_path / "model.pt")
    loaded = torch.load(tmp_path / "model.pt", map_location="cpu")
    assert not any(each.is_cuda for each in loaded.values())
    again = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).to("cuda")
    again.load_state_dict(loaded)
    for ours, theirs in zip(again.state_dict().values(), loaded.values()):
        assert_same(ours, theirs)
    assert all(each.is_cuda for each in torch.load(tmp_path / "model.pt").values())
