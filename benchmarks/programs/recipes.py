"""The programs by name: each is a network with its images, loss, optimizer, schedule and number of epochs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.programs import networks
from minitorch.vision import transforms


@dataclass(frozen=True)
class Recipe:
    """All that makes up a program. Functions take ``torch``, which is either library."""

    title: str
    network: Callable[[Any, int], Any]
    optimizer: Callable[[Any, Any, float], Any]
    learning_rate: float
    batch_size: int
    epochs: int
    size: int
    channels: int
    dataset: str  # the data set of the notes, looked for first in the folder given
    gives_log_probabilities: bool = False  # then the loss is NLLLoss, else CrossEntropyLoss
    milestones: tuple[int, ...] = ()  # after so many epochs the learning rate falls to a fifth
    validation: float = 0.0  # share of the training images kept to watch; 0: the test images are watched
    framing: Callable[[int, bool], list[Any]] = lambda size, varied: [transforms.Resize((size, size))]
    transfers: bool = False

    def loss(self, torch: Any) -> Any:
        """The criterion for the network's outputs."""
        return torch.nn.NLLLoss() if self.gives_log_probabilities else torch.nn.CrossEntropyLoss()

    def schedule(self, torch: Any, optimizer: Any) -> Any:
        """Steps at fixed epochs, so that a longer run begins just like a shorter one."""
        return torch.optim.lr_scheduler.MultiStepLR(optimizer, list(self.milestones), gamma=0.2)


def sgd(torch: Any, parameters: Any, learning_rate: float) -> Any:
    """Plain gradient descent."""
    return torch.optim.SGD(parameters, lr=learning_rate)


def momentum(torch: Any, parameters: Any, learning_rate: float) -> Any:
    """Gradient descent with momentum 0.9."""
    return torch.optim.SGD(parameters, lr=learning_rate, momentum=0.9)


def adam(torch: Any, parameters: Any, learning_rate: float) -> Any:
    """Adam with its defaults."""
    return torch.optim.Adam(parameters, lr=learning_rate)


def turned_and_shifted(size: int, varied: bool) -> list[Any]:
    """A digit is the same digit a little turned or moved."""
    if not varied:
        return [transforms.Resize((size, size))]
    bilinear = transforms.InterpolationMode.BILINEAR
    return [
        transforms.Resize((size, size)),
        transforms.RandomRotation(10, interpolation=bilinear),
        transforms.RandomCrop(size, padding=size // 10, padding_mode="edge"),
    ]


def photographs(size: int, varied: bool) -> list[Any]:
    """Parts of photographs, turned and mirrored, for training; their middle otherwise."""
    if not varied:
        return [transforms.Resize(size * 255 // 224), transforms.CenterCrop(size)]
    return [
        transforms.RandomRotation(30),
        transforms.RandomResizedCrop(size),
        transforms.RandomHorizontalFlip(),
    ]


RECIPES = {
    "lenet-digits": Recipe(
        *("LeNet, digits", networks.lenet5, momentum, 0.03, 64, 25, 32, 1, "MNIST"),
        milestones=(17, 22),
        framing=turned_and_shifted,
    ),
    "mlp": Recipe(
        *("MLP with dropout", networks.mlp, adam, 0.003, 64, 30, 28, 1, "FashionMNIST"),
        gives_log_probabilities=True,
        validation=0.1,
    ),
    "lenet": Recipe("LeNet with sigmoids", networks.lenet_with_sigmoids, adam, 0.003, 64, 40, 28, 1, "FashionMNIST"),
    "alexnet": Recipe("AlexNet", networks.alexnet, adam, 0.0001, 32, 5, 224, 1, "FashionMNIST"),
    "cifar": Recipe("CIFAR net", networks.small_cifar_net, momentum, 0.001, 4, 10, 32, 3, "CIFAR10"),
    "cifar-linear": Recipe("CIFAR net 32-32-64", networks.linear_cifar_net, sgd, 0.01, 64, 30, 32, 3, "CIFAR10"),
    "cifar-bn": Recipe("BatchNorm net", networks.batch_norm_cifar_net, momentum, 0.01, 64, 10, 32, 3, "CIFAR10"),
    "cifar-dropout": Recipe(
        "BatchNorm + dropout", networks.dropout_cifar_net, momentum, 0.01, 64, 10, 32, 3, "CIFAR10"
    ),
    "transfer": Recipe(
        *("transfer", networks.features_and_classifier, adam, 0.003, 64, 10, 32, 3, "ImageFolder"),
        gives_log_probabilities=True,
        transfers=True,
    ),
}
