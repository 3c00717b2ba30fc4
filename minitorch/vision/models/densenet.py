"""DenseNet: every layer of a block sees the outputs of all layers before it, side by side.

Source: Huang et al., "Densely connected convolutional networks", 2016 (the variant with bottlenecks, DenseNet-BC).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from minitorch.nn import AvgPool2d, BatchNorm2d, Conv2d, Linear, MaxPool2d, Module, ReLU, Sequential, init
from minitorch.nn import functional as F  # noqa: N812
from minitorch.ops.joining import cat
from minitorch.tensor.tensor import Tensor
from minitorch.vision.models.weights import build


class DenseLayer(Module):
    """Norm, ReLU and convolution, 1 × 1 to ``bn_size`` · ``growth_rate`` channels, then 3 × 3 to ``growth_rate``."""

    def __init__(self, num_input_features: int, growth_rate: int, bn_size: int, drop_rate: float) -> None:
        super().__init__()
        self.norm1 = BatchNorm2d(num_input_features)
        self.relu1 = ReLU(inplace=True)
        self.conv1 = Conv2d(num_input_features, bn_size * growth_rate, kernel_size=1, stride=1, bias=False)
        self.norm2 = BatchNorm2d(bn_size * growth_rate)
        self.relu2 = ReLU(inplace=True)
        self.conv2 = Conv2d(bn_size * growth_rate, growth_rate, kernel_size=3, stride=1, padding=1, bias=False)
        self.drop_rate = float(drop_rate)

    def forward(self, features: Sequence[Tensor]) -> Any:
        x = self.conv1(self.relu1(self.norm1(cat(features, 1))))
        x = self.conv2(self.relu2(self.norm2(x)))
        return F.dropout(x, self.drop_rate, self.training) if self.drop_rate > 0 else x


class DenseBlock(Module):
    """Layers that each add ``growth_rate`` channels to what the next one sees."""

    def __init__(
        self, num_layers: int, num_input_features: int, bn_size: int, growth_rate: int, drop_rate: float
    ) -> None:
        super().__init__()
        for index in range(num_layers):
            layer = DenseLayer(num_input_features + index * growth_rate, growth_rate, bn_size, drop_rate)
            self.add_module(f"denselayer{index + 1}", layer)

    def forward(self, init_features: Tensor) -> Any:
        features = [init_features]
        for layer in self.children():
            features.append(layer(features))
        return cat(features, 1)


class Transition(Sequential):
    """Between two blocks: fewer channels, half the image."""

    def __init__(self, num_input_features: int, num_output_features: int) -> None:
        super().__init__()
        self.norm = BatchNorm2d(num_input_features)
        self.relu = ReLU(inplace=True)
        self.conv = Conv2d(num_input_features, num_output_features, kernel_size=1, stride=1, bias=False)
        self.pool = AvgPool2d(kernel_size=2, stride=2)


class DenseNet(Module):
    """A 7 × 7 convolution and dense blocks in ``features``, a linear layer ``classifier``.

    Args: growth_rate: channels that a layer adds; block_config: layers in each block; num_init_features: channels
    of the first convolution; bn_size: width of a bottleneck, in growth rates; drop_rate: dropout behind each layer.
    Raises: NotImplementedError for ``memory_efficient=True`` (recomputing instead of keeping activations).
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: Sequence[int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0,
        num_classes: int = 1000,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        if memory_efficient:
            raise NotImplementedError("DenseNet: memory_efficient=True is not supported; activations are kept")
        self.features = _stem(num_init_features)
        channels = num_init_features
        for index, layers in enumerate(block_config, start=1):
            block = DenseBlock(layers, channels, bn_size, growth_rate, drop_rate)
            self.features.add_module(f"denseblock{index}", block)
            channels += layers * growth_rate
            if index < len(block_config):
                self.features.add_module(f"transition{index}", Transition(channels, channels // 2))
                channels //= 2
        self.features.add_module("norm5", BatchNorm2d(channels))
        self.classifier = Linear(channels, num_classes)
        self._init_weights()

    def _init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight)
            elif isinstance(module, BatchNorm2d):
                init.constant_(module.weight, 1)
                init.constant_(module.bias, 0)
            elif isinstance(module, Linear):
                init.constant_(module.bias, 0)

    def forward(self, x: Tensor) -> Any:
        x = F.relu(self.features(x), inplace=True)
        return self.classifier(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


def _stem(channels: int) -> Sequential:
    return Sequential(
        OrderedDict(
            conv0=Conv2d(3, channels, kernel_size=7, stride=2, padding=3, bias=False),
            norm0=BatchNorm2d(channels),
            relu0=ReLU(inplace=True),
            pool0=MaxPool2d(kernel_size=3, stride=2, padding=1),
        )
    )


_OLD_NAME = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.)")


def _renamed(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The published files call ``norm1`` still ``norm.1``, and so on."""
    return {_OLD_NAME.sub(r"\1\2", name): value for name, value in state.items()}


def _densenet(growth_rate: int, blocks: Sequence[int], first: int, weights: Any, options: dict[str, Any]) -> DenseNet:
    network = partial(DenseNet, growth_rate, blocks, first)
    return build(network, weights, options, _renamed)


def densenet121(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """58 dense layers, 8.0 million parameters. Args: weights: the path of a file with parameters, or None."""
    return _densenet(32, (6, 12, 24, 16), 64, weights, kwargs)


def densenet161(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """78 wider dense layers, 28.7 million parameters; see ``densenet121``."""
    return _densenet(48, (6, 12, 36, 24), 96, weights, kwargs)


def densenet169(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """82 dense layers, 14.1 million parameters; see ``densenet121``."""
    return _densenet(32, (6, 12, 32, 32), 64, weights, kwargs)


def densenet201(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> DenseNet:
    """98 dense layers, 20.0 million parameters; see ``densenet121``."""
    return _densenet(32, (6, 12, 48, 32), 64, weights, kwargs)
