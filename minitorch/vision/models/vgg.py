"""VGG: nothing but 3 × 3 convolutions, in five stages that double the channels and halve the image.

Source: Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from minitorch.nn import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Linear,
    MaxPool2d,
    Module,
    ReLU,
    Sequential,
    init,
)
from minitorch.tensor.tensor import Tensor
from minitorch.vision.models.weights import build

# Output channels of each convolution; "M" is a max pooling. The letters are the columns of the paper's table 1.
CONFIGURATIONS: dict[str, list[int | str]] = {
    "A": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "B": [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "D": [64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"],
    "E": [64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"],
}


def make_layers(cfg: Sequence[int | str], batch_norm: bool = False) -> Sequential:
    """The convolutions of a configuration, each with a ReLU behind it, and a batch norm between if wanted.

    >>> len(make_layers([8, "M", 16], batch_norm=True))
    7
    """
    layers: list[Module] = []
    channels = 3
    for width in cfg:
        if isinstance(width, str):
            layers.append(MaxPool2d(kernel_size=2, stride=2))
            continue
        layers.append(Conv2d(channels, width, kernel_size=3, padding=1))
        if batch_norm:
            layers.append(BatchNorm2d(width))
        layers.append(ReLU(inplace=True))
        channels = width
    return Sequential(*layers)


class VGG(Module):
    """Convolutions in ``features``, three linear layers in ``classifier``; images of at least 32 × 32.

    Args: features: the convolutions, with 512 channels at their end; init_weights: draw the start values that
    torchvision draws, instead of leaving each layer's own.
    """

    def __init__(
        self, features: Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = AdaptiveAvgPool2d((7, 7))
        self.classifier = Sequential(
            Linear(512 * 7 * 7, 4096),
            ReLU(True),
            Dropout(p=dropout),
            Linear(4096, 4096),
            ReLU(True),
            Dropout(p=dropout),
            Linear(4096, num_classes),
        )
        if init_weights:
            self._init_weights()

    def _init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    init.constant_(module.bias, 0)
            elif isinstance(module, BatchNorm2d):
                init.constant_(module.weight, 1)
                init.constant_(module.bias, 0)
            elif isinstance(module, Linear):
                init.normal_(module.weight, 0, 0.01)
                init.constant_(module.bias, 0)

    def forward(self, x: Tensor) -> Any:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _vgg(configuration: str, batch_norm: bool, weights: Any, options: dict[str, Any]) -> VGG:
    if weights is not None:
        options = {"init_weights": False, **options}  # they would be overwritten
    network = partial(VGG, make_layers(CONFIGURATIONS[configuration], batch_norm))
    return build(network, weights, options)


def vgg11(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Eight convolutions, 133 million parameters. Args: weights: the path of a file with parameters, or None."""
    return _vgg("A", False, weights, kwargs)


def vgg11_bn(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """``vgg11`` with batch norm."""
    return _vgg("A", True, weights, kwargs)


def vgg13(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Ten convolutions, 133 million parameters; see ``vgg11``."""
    return _vgg("B", False, weights, kwargs)


def vgg13_bn(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """``vgg13`` with batch norm."""
    return _vgg("B", True, weights, kwargs)


def vgg16(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Thirteen convolutions, 138 million parameters; see ``vgg11``."""
    return _vgg("D", False, weights, kwargs)


def vgg16_bn(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """``vgg16`` with batch norm."""
    return _vgg("D", True, weights, kwargs)


def vgg19(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """Sixteen convolutions, 144 million parameters; see ``vgg11``."""
    return _vgg("E", False, weights, kwargs)


def vgg19_bn(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VGG:
    """``vgg19`` with batch norm."""
    return _vgg("E", True, weights, kwargs)
