"""A whole training run beside torch: the same weights from the same seed, the same losses for 100 steps."""

from __future__ import annotations

from typing import Any

import numpy
import torch as oracle

import minitorch


def lenet(torch: Any) -> Any:
    """LeNet-5 for 32×32 images, with batch-norm and dropout so that buffers and masks count, too."""
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def test_a_network_starts_with_torch_s_weights_bit_for_bit() -> None:
    states = []
    for torch in (minitorch, oracle):
        torch.manual_seed(0)
        states.append(lenet(torch).state_dict())
    ours, theirs = states
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        numpy.testing.assert_array_equal(ours[name].numpy(), value.numpy(), err_msg=name)


def test_100_steps_follow_torch_s_losses() -> None:
    generator = numpy.random.default_rng(0)
    batches = [_batch(generator) for _ in range(10)]
    losses = {package.__name__: _train(package, batches) for package in (minitorch, oracle)}
    numpy.testing.assert_allclose(losses["minitorch"], losses["torch"], rtol=1e-4, atol=1e-4)
    assert losses["minitorch"][-1] < losses["minitorch"][0] / 2, "the network learns"


def _batch(generator: numpy.random.Generator) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Eight noisy images: a bright stripe whose place is the label."""
    labels = generator.integers(0, 10, 8)
    images = generator.standard_normal((8, 1, 32, 32)).astype("float32")
    for image, label in zip(images, labels):
        image[0, 3 * label : 3 * label + 3] += 2
    return images, labels


def _train(torch: Any, batches: Any) -> list[float]:
    torch.manual_seed(0)
    model = lenet(torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    criterion = torch.nn.CrossEntropyLoss()
    losses = []
    for step in range(100):
        images, labels = batches[step % len(batches)]
        optimizer.zero_grad()
        loss = criterion(model(torch.from_numpy(images)), torch.from_numpy(labels))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
