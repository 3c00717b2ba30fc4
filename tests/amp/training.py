"""A training run in mixed precision, for both libraries and all devices."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy

IMAGES = numpy.random.default_rng(0).standard_normal((8, 1, 28, 28)).astype("float32")
LABELS = numpy.random.default_rng(1).integers(0, 10, 8)


def lenet(package: Any) -> Any:
    """LeNet with the same weights in both libraries."""
    package.manual_seed(0)
    nn = package.nn
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def train(
    package: Any,
    device: str,
    is_mixed: bool = True,
    steps: int = 6,
    init_scale: float = 1024.0,
    guard: Callable[[], Any] = contextlib.nullcontext,
    **options: Any,
) -> tuple[list[float], list[float], Any]:
    """Losses and scales of some steps of SGD with momentum, and the network. Each step runs under ``guard``."""
    model = lenet(package).to(device)
    images, labels = (package.from_numpy(array.copy()).to(device) for array in (IMAGES, LABELS))
    optimizer = package.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, **options)
    scaler = package.amp.GradScaler(device, init_scale=init_scale, enabled=is_mixed)
    losses, scales = [], []
    for _ in range(steps):
        with guard():
            optimizer.zero_grad()
            with package.autocast(device, dtype=package.float16, enabled=is_mixed):
                output = model(images)
                loss = package.nn.functional.cross_entropy(output, labels)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        assert str(output.dtype) == ("torch.float16" if is_mixed else "torch.float32")
        losses.append(loss)
        scales.append(scaler.get_scale())
    return [loss.item() for loss in losses], scales, model
