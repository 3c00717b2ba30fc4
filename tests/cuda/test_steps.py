"""Whole training steps on a GPU, or on the emulator's: the CPU's losses, and no wait for the device."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy
import pytest

import minitorch
from minitorch import nn
from minitorch.nn import functional
from tests.harness.strict_array import strict

OPTIMIZERS = {"SGD": {"lr": 0.05, "momentum": 0.9}, "Adam": {"lr": 0.02}, "AdamW": {"lr": 0.02}}
IMAGES = numpy.random.default_rng(0).standard_normal((4, 3, 16, 16)).astype("float32")
LABELS = numpy.random.default_rng(1).integers(0, 5, 4)


@pytest.fixture(autouse=True)
def _float32(monkeypatch: Any) -> None:
    monkeypatch.setattr(minitorch.backends.cudnn, "allow_tf32", False)  # the CPU has no such digits to lose


def network() -> nn.Module:
    """A layer of each kind that has a kernel."""
    minitorch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(4, 6, 3), nn.GroupNorm(2, 6), nn.GELU(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(54, 10), nn.LayerNorm(10), nn.Tanh(), nn.Linear(10, 5)),
    )


def losses(device: str, optimizer_name: str, guard: Any = contextlib.nullcontext) -> list[float]:
    """Of three steps; the steps run under ``guard``."""
    model = network().to(device)
    images, labels = (minitorch.from_numpy(array.copy()).to(device) for array in (IMAGES, LABELS))
    optimizer = getattr(minitorch.optim, optimizer_name)(model.parameters(), **OPTIMIZERS[optimizer_name])
    found = []
    for _ in range(3):
        with guard():
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels, label_smoothing=0.1)
            loss.backward()
            nn.utils.clip_grad_norm_(list(model.parameters()), 1.0)
            optimizer.step()
        found.append(loss)
    return [float(loss.item()) for loss in found]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_in_the_emulator(emulated: Any, name: str) -> None:
    """With every wait for the device, and every hidden copy to the host, forbidden."""
    on_device = losses("cuda", name, strict.forbid_synchronization)
    numpy.testing.assert_allclose(on_device, losses("cpu", name), 1e-5)


@pytest.mark.cuda
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_on_a_gpu(name: str) -> None:
    numpy.testing.assert_allclose(losses("cuda", name), losses("cpu", name), 1e-4)
