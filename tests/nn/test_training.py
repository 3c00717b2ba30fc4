"""A small network from seed to trained weights: start values, dropout masks and losses follow torch's."""

from __future__ import annotations

from typing import Any

import numpy
import torch as oracle

import minitorch
from tests.nn.support import as_numpy


def train(library: Any) -> tuple[list[float], list[numpy.ndarray]]:
    """Losses of a few steps, and the state at the end."""
    nn = library.nn
    library.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 8, kernel_size=5, padding=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=2),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(8 * 4 * 4, 16),
        nn.Sigmoid(),
        nn.Linear(16, 10),
    )
    images, labels = library.randn(16, 3, 8, 8), library.randint(0, 10, (16,))
    loss_function = nn.CrossEntropyLoss()
    optimizer = library.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    scheduler = library.optim.lr_scheduler.StepLR(optimizer, 3, 0.5)
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        loss = loss_function(net(images), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses, [as_numpy(value) for value in net.state_dict().values()]


def test_training_follows_torch():
    (our_losses, ours), (their_losses, theirs) = train(minitorch), train(oracle)
    numpy.testing.assert_allclose(our_losses, their_losses, 1e-4)
    assert our_losses[-1] < our_losses[0]
    for mine, expected in zip(ours, theirs):
        # rounding differs from the first convolution on, and comes back through every step
        numpy.testing.assert_allclose(mine, expected, 1e-3, 1e-4)
