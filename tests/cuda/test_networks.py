"""``model.to("cuda")`` trains the networks of the notes: a few steps, with the CPU's losses and weights.

Without a GPU the kernels are emulated (``tests/harness/fake_cupy.py``), and every hidden copy is an error. With one,
the same tests run there (``-m cuda``).
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import pytest

import minitorch as torch
from benchmarks import networks as measured
from minitorch import nn
from tests.harness.cuda_emulator import launched
from tests.harness.no_host_copy import no_host_copy
from tests.notes import networks as notes

STEPS = 2
HAS_KERNELS = any(Path(torch.__file__).parent.rglob("*.cu"))


class Case(NamedTuple):
    """A network, the shape of a batch for it, and what makes its optimizer."""

    build: Callable[[], Any]
    shape: tuple[int, ...]
    optimizer: Callable[[Any], Any]
    classes: int = 10


def momentum(parameters: Any) -> Any:
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)


def adam(parameters: Any) -> Any:
    # With the usual eps a gradient of rounding errors makes a step of lr, in whatever direction they point
    return torch.optim.Adam(parameters, lr=1e-3, eps=1e-4)


def small_vgg() -> Any:
    """VGG's pattern with few channels: in-place rectifiers, adaptive pooling, dropout."""
    layers: list[Any] = []
    for C_in, C_out in ((3, 8), (8, 16)):
        layers += [nn.Conv2d(C_in, C_out, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    head = [nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(144, 32), nn.ReLU(inplace=True), nn.Dropout()]
    return nn.Sequential(*layers, *head, nn.Linear(32, 10))


def residual() -> Any:
    """ResNet's pattern: convolutions without bias, batch norm, a sum, average pooling."""

    class Block(nn.Module):
        def __init__(self, C_in: int, C_out: int, stride: int) -> None:
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(C_in, C_out, 3, stride, 1, bias=False), nn.BatchNorm2d(C_out)
            self.conv2, self.bn2 = nn.Conv2d(C_out, C_out, 3, 1, 1, bias=False), nn.BatchNorm2d(C_out)
            self.shortcut = nn.Sequential(nn.Conv2d(C_in, C_out, 1, stride, bias=False), nn.BatchNorm2d(C_out))

        def forward(self, x: Any) -> Any:
            inside = self.bn2(self.conv2(nn.functional.relu(self.bn1(self.conv1(x)))))
            return nn.functional.relu(inside + self.shortcut(x))

    return nn.Sequential(Block(3, 8, 1), Block(8, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))


def sigmoid_network() -> Any:
    """LeNet of its time: sigmoids and average pooling."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Flatten(), nn.Linear(256, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )


CASES = {
    "cifar_network": Case(lambda: notes.cifar_network(torch), (2, 3, 32, 32), momentum),
    "classifier": Case(lambda: notes.classifier(torch), (3, 1, 28, 28), adam),
    "lenet": Case(lambda: notes.lenet(torch), (2, 1, 32, 32), momentum),
    "alexnet": Case(lambda: notes.alexnet(torch, 16), (1, 1, 224, 224), adam),
    "three_convolutions": Case(lambda: notes.three_convolutions(torch), (1, 3, 32, 32), momentum),
    "mlp": Case(lambda: measured.mlp(nn), (4, 784), momentum),
    "lenet_28": Case(lambda: measured.lenet(nn), (2, 1, 28, 28), adam),
    "batch_norm": Case(lambda: measured.batch_norm_net(nn), (2, 3, 32, 32), momentum),
    "small_vgg": Case(small_vgg, (2, 3, 12, 12), momentum),
    "residual": Case(residual, (2, 3, 8, 8), adam),
    "sigmoids": Case(sigmoid_network, (2, 1, 28, 28), momentum),
}


@pytest.fixture(params=["emulator", pytest.param("GPU", marks=pytest.mark.cuda)])
def hidden_copies(request: Any, monkeypatch: Any) -> Any:
    """A context in which hidden copies are errors, where that can be known; and no rounding to TF32."""
    if request.param == "emulator":
        request.getfixturevalue("emulated")
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    return no_host_copy if request.param == "emulator" else contextlib.nullcontext


def drops_nothing(model: Any) -> Any:
    """The two devices draw different numbers, so that losses can be compared without dropout only."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return model


def batches(case: Case) -> Iterator[tuple[Any, Any]]:
    torch.manual_seed(1)
    for _ in range(STEPS):
        yield torch.randn(*case.shape), torch.randint(0, case.classes, case.shape[:1])


def train(case: Case, model: Any, where: str, hidden_copies: Any) -> list[float]:
    """The losses of a few steps."""
    loss_of, optimizer, losses = nn.CrossEntropyLoss(), case.optimizer(model.parameters()), []
    for images, labels in list(batches(case)):
        images, labels = images.to(where), labels.to(where)
        with hidden_copies():
            optimizer.zero_grad()
            loss = loss_of(model(images), labels)
            loss.backward()
            optimizer.step()
        losses.append(loss)
    return [loss.item() for loss in losses]


@pytest.mark.parametrize("name", CASES)
def test_trains_as_on_the_cpu(hidden_copies: Any, name: str) -> None:
    torch.manual_seed(0)
    case = CASES[name]
    on_cpu = drops_nothing(case.build())
    on_device = copy.deepcopy(on_cpu).to("cuda")
    expected = train(case, on_cpu, "cpu", contextlib.nullcontext)
    before = launched.total()
    actual = train(case, on_device, "cuda", hidden_copies)
    assert (launched.total() > before) == (HAS_KERNELS and hidden_copies is no_host_copy), "no kernels were emulated"
    numpy.testing.assert_allclose(actual, expected, 2e-5)
    for (path, ours), theirs in zip(on_device.state_dict().items(), on_cpu.state_dict().values()):
        assert ours.is_cuda
        assert ours.dtype == theirs.dtype
        numpy.testing.assert_allclose(ours.cpu().numpy(), theirs.numpy(), 1e-3, 2e-5, err_msg=path)
