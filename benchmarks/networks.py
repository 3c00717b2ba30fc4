"""The networks whose training steps are measured: those of the notes that the library was written for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Network:
    """A network, built of one library's layers, and the shape of a batch for it."""

    name: str
    build: Callable[[Any], Any]
    shape: tuple[int, ...]
    classes: int = 10


def mlp(nn: Any) -> Any:
    """784-256-10."""
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def lenet(nn: Any) -> Any:
    """LeNet-5 for 28 × 28 digits: the first convolution is padded to what it would see of 32 × 32."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def small_net(nn: Any) -> Any:
    """LeNet's layers for colour images: convolutions with 6 and 16 kernels."""
    return nn.Sequential(
        *(nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def cifar_net(nn: Any) -> Any:
    """Three convolutions of 5 × 5, each followed by pooling, and two linear layers."""
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 5, padding=2), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 32, 5, padding=2), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 5, padding=2), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10)),
    )


def batch_norm_net(nn: Any) -> Any:
    """``cifar_net`` with batch normalisation and a rectifier after each convolution."""
    layers = []
    for C_in, C_out in ((3, 32), (32, 32), (32, 64)):
        layers += [nn.Conv2d(C_in, C_out, 5, padding=2), nn.BatchNorm2d(C_out), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024, 64), nn.Linear(64, 10))


def alexnet(nn: Any) -> Any:
    """AlexNet for one channel and ten classes."""
    return nn.Sequential(
        *(nn.Conv2d(1, 96, 11, 4), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(96, 256, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(256, 384, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, 1, 1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Flatten(), nn.Linear(256 * 5 * 5, 4096), nn.ReLU(), nn.Dropout(0.5)),
        *(nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4096, 10)),
    )


def vgg16(nn: Any) -> Any:
    """VGG16 with ten classes: thirteen convolutions, and 134 million weights, most of them in linear layers."""
    layers: list[Any] = []
    C_in = 3
    for C_out, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += [nn.Conv2d(C_in, C_out, 3, padding=1), nn.ReLU(inplace=True)]
            C_in = C_out
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(
        *layers,
        *(nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(512 * 7 * 7, 4096), nn.ReLU(inplace=True), nn.Dropout()),
        *(nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4096, 10)),
    )


NETWORKS = {
    "mlp": Network("MLP 784-256-10, b64", mlp, (64, 784)),
    "lenet": Network("LeNet 1×28×28, b256", lenet, (256, 1, 28, 28)),
    "small": Network("6-16 net 3×32×32, b4", small_net, (4, 3, 32, 32)),
    "cifar4": Network("CIFAR net, b4", cifar_net, (4, 3, 32, 32)),
    "cifar": Network("CIFAR net, b64", cifar_net, (64, 3, 32, 32)),
    "batch_norm": Network("BatchNorm net, b64", batch_norm_net, (64, 3, 32, 32)),
    "alexnet": Network("AlexNet 1×224×224, b16", alexnet, (16, 1, 224, 224)),
    "vgg16": Network("VGG16 3×64×64, b8", vgg16, (8, 3, 64, 64)),
}
