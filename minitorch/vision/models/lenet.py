"""LeNet: two convolutions and three linear layers, the first network to read handwritten digits for a living.

Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998. As in most courses, plain
max pooling and linear layers stand where the paper has trainable pooling and Gaussian connections.
"""

from __future__ import annotations

from typing import Any

from minitorch.nn import Conv2d, Linear, MaxPool2d, Module, Sequential, Sigmoid
from minitorch.nn import functional as F  # noqa: N812
from minitorch.tensor.tensor import Tensor
from minitorch.vision.models.weights import build


class LeNet(Module):
    """For grey images of 28 × 28 (MNIST as it is), with sigmoids: convolutions in ``conv``, linear layers in ``fc``."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv = Sequential(
            Conv2d(1, 6, 5),  # 28 → 24
            Sigmoid(),
            MaxPool2d(2, 2),  # → 12
            Conv2d(6, 16, 5),  # → 8
            Sigmoid(),
            MaxPool2d(2, 2),  # → 4
        )
        self.fc = Sequential(
            Linear(16 * 4 * 4, 120),
            Sigmoid(),
            Linear(120, 84),
            Sigmoid(),
            Linear(84, num_classes),
        )

    def forward(self, img: Tensor) -> Any:
        return self.fc(self.conv(img).flatten(1))


class LeNet5(Module):
    """For grey images of 32 × 32, with ReLUs: ``conv1``, ``conv2``, ``fc1``, ``fc2``, ``fc3``."""

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        self.conv1 = Conv2d(1, 6, 5)
        self.conv2 = Conv2d(6, 16, 5)
        self.fc1 = Linear(16 * 5 * 5, 120)
        self.fc2 = Linear(120, 84)
        self.fc3 = Linear(84, num_classes)

    def forward(self, x: Tensor) -> Any:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def lenet(*, weights: Any = None, **kwargs: Any) -> LeNet:
    """LeNet for images of 28 × 28.

    >>> sum(parameter.numel() for parameter in lenet().parameters())
    44426
    """
    return build(LeNet, weights, kwargs)


def lenet5(*, weights: Any = None, **kwargs: Any) -> LeNet5:
    """LeNet for images of 32 × 32."""
    return build(LeNet5, weights, kwargs)
