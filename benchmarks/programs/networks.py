"""The networks of the programs, each built from the layers of one library: ``nn`` is minitorch's or torch's."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any


def lenet5(nn: Any, classes: int) -> Any:
    """LeNet-5 for grey images of 32 × 32, with rectifiers."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),  # 32 → 28 → 14
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),  # → 10 → 5
        *(nn.Flatten(), nn.Linear(16 * 5 * 5, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes)),
    )


def lenet_with_sigmoids(nn: Any, classes: int) -> Any:
    """LeNet for grey images of 28 × 28, with the sigmoids of its time."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.Sigmoid(), nn.MaxPool2d(2, 2)),  # 28 → 24 → 12
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.MaxPool2d(2, 2)),  # → 8 → 4
        *(nn.Flatten(), nn.Linear(16 * 4 * 4, 120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, classes)),
    )


def mlp(nn: Any, classes: int) -> Any:
    """784-256-128-64-classes for grey images of 28 × 28, with dropout; its outputs are log-probabilities."""
    layers = [nn.Flatten()]
    for inputs, outputs in ((784, 256), (256, 128), (128, 64)):
        layers += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(p=0.2)]
    return nn.Sequential(*layers, nn.Linear(64, classes), nn.LogSoftmax(dim=1))


def alexnet(nn: Any, classes: int) -> Any:
    """AlexNet for grey images of 224 × 224: 47 million weights."""
    return nn.Sequential(
        *(nn.Conv2d(1, 96, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2)),  # 224 → 54 → 26
        *(nn.Conv2d(96, 256, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),  # → 12
        *(nn.Conv2d(256, 384, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2)),  # → 5
        *(nn.Flatten(), nn.Linear(256 * 5 * 5, 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4096, classes)),
    )


def small_cifar_net(nn: Any, classes: int) -> Any:
    """LeNet's layers for colour images of 32 × 32."""
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2, 2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2, 2)),
        *(nn.Flatten(), nn.Linear(16 * 5 * 5, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes)),
    )


def linear_cifar_net(nn: Any, classes: int) -> Any:
    """Three convolutions of 5 × 5 with pooling, two linear layers, and no activation but the pooling's maximum."""
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64 * 4 * 4, 64), nn.Linear(64, classes)),
    )


def cifar_features(nn: Any) -> Any:
    """3-32-64-128 channels, each convolution normalised and rectified: colour images of 32 × 32 to 128 × 4 × 4."""
    layers = []
    for C_in, C_out in ((3, 32), (32, 64), (64, 128)):
        # No bias: batch normalisation would take it out again.
        layers += [nn.Conv2d(C_in, C_out, 3, padding=1, bias=False), nn.BatchNorm2d(C_out), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers)


def batch_norm_cifar_net(nn: Any, classes: int) -> Any:
    """Three normalised convolutions and three linear layers."""
    return nn.Sequential(
        *(cifar_features(nn), nn.Flatten(), nn.Linear(128 * 4 * 4, 120), nn.ReLU()),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes)),
    )


def dropout_cifar_net(nn: Any, classes: int) -> Any:
    """The same with dropout after the first linear layer only: it comes after all normalisation."""
    return nn.Sequential(
        *(cifar_features(nn), nn.Flatten(), nn.Linear(128 * 4 * 4, 120), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, classes)),
    )


def features_and_classifier(nn: Any, classes: int) -> Any:
    """A network in two named parts, as published ones are: ``features`` and ``classifier``."""
    parts = [("features", cifar_features(nn)), ("flatten", nn.Flatten()), ("classifier", new_head(nn, 2048, classes))]
    return nn.Sequential(OrderedDict(parts))


def new_head(nn: Any, inputs: int, classes: int, hidden: int = 500) -> Any:
    """Two linear layers under a pretrained network; the outputs are log-probabilities."""
    layers = [("fc1", nn.Linear(inputs, hidden)), ("relu", nn.ReLU()), ("fc2", nn.Linear(hidden, classes))]
    return nn.Sequential(OrderedDict([*layers, ("output", nn.LogSoftmax(dim=1))]))
