"""How many floating-point operations a layer does: one formula a kind of layer.

A multiplication, an addition, a comparison and a call of a function such as exp count as one operation each,
so a multiply-add counts as two. For a batch; in eval mode. |x| is the number of elements, K that of a window.

    convolution            2 · |output| · C_in/groups · K        (the bias: the addition that a sum of products
    transposed convolution 2 · |input| · C_out/groups · K         spares; not counted apart)
    linear                 2 · |output| · in_features
    bilinear               2 · |output| · (in1_features + 1) · in2_features
    recurrent              2 · |weights| · steps                  (matrix products alone; steps = Σ lengths)
    attention              2 · projections + 4 · N · L · S · E    (scores QKᵀ and their product with V)
    batch-norm             2 · |input|, + 2 · |input| if affine, + 4 · |input| where the statistics are computed
    layer, group norm      6 · |input|, + 2 · |input| if affine   (mean 1, variance 3, normalisation 2)
    RMS norm               3 · |input|, + 1 · |input| if affine
    pooling                |output| · K                           (adaptive: the exact sizes of its windows)
    activation             |output|, for softmax and its relatives 5 · |output| (max, −, exp, Σ, ÷), GLU 2 ·
    shape, padding, dropout, embedding: 0
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from minitorch import nn
from minitorch.nn.convolution import as_tuple
from minitorch.tensor.tensor import Tensor
from minitorch.utils.observation import tensors_in

Count = Callable[[Any, list[Tensor], Tensor], int]  # (layer, its input tensors, its first output)


def layer_flops(layer: nn.Module, inputs: Any, output: Any) -> int | None:
    """The operations of one call of ``layer``; None for a layer that has no formula here.

    Args: inputs: what it was called with; output: what it returned; both may be nested.

    >>> import minitorch as torch
    >>> layer_flops(torch.nn.Linear(3, 4), torch.zeros(2, 3), torch.zeros(2, 4))
    48
    """
    formula = next((FORMULAS[kind] for kind in type(layer).__mro__ if kind in FORMULAS), None)
    given, returned = tensors_in(inputs), tensors_in(output)
    return formula(layer, given, returned[0]) if formula is not None and given and returned else None


def _convolution(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
    return 2 * output.numel() * (layer.in_channels // layer.groups) * math.prod(layer.kernel_size)


def _transposed_convolution(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
    return 2 * inputs[0].numel() * (layer.out_channels // layer.groups) * math.prod(layer.kernel_size)


def _linear(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
    return 2 * output.numel() * layer.in_features


def _bilinear(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
    return 2 * output.numel() * (layer.in1_features + 1) * layer.in2_features


def _recurrent(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
    steps = inputs[0].numel() // layer.input_size
    return 2 * steps * sum(parameter.numel() for parameter in layer.parameters() if parameter.ndim == 2)


def _attention(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
    query, key, value = inputs[:3]
    E, rows = layer.embed_dim, query.numel() // layer.embed_dim  # rows: N · L
    is_turned = layer.batch_first and query.ndim == 3
    S = key.shape[1 if is_turned else 0] + (layer.bias_k is not None) + bool(layer.add_zero_attn)
    projections = E * (query.numel() + key.numel() + value.numel() + rows * E)
    return 2 * projections + 4 * rows * S * E


def _channel_norm(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
    computes_statistics = layer.running_mean is None
    return inputs[0].numel() * (2 + 2 * (layer.weight is not None) + 4 * computes_statistics)


def _own_norm(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
    return inputs[0].numel() * (6 + 2 * (layer.weight is not None))


def _rms_norm(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
    return inputs[0].numel() * (3 + (layer.weight is not None))


def _pool(dimensions: int) -> Count:
    def count(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
        return output.numel() * math.prod(as_tuple(layer.kernel_size, dimensions))

    return count


def _adaptive_pool(dimensions: int) -> Count:
    def count(layer: Any, inputs: list[Tensor], output: Tensor) -> int:
        sizes = zip(inputs[0].shape[-dimensions:], output.shape[-dimensions:])
        return math.prod(output.shape[:-dimensions]) * math.prod(_covered(*pair) for pair in sizes)

    return count


def _covered(length: int, windows: int) -> int:
    """The sum of the sizes of an adaptive pooling's windows, which may overlap."""
    return sum(-(-(i + 1) * length // windows) - i * length // windows for i in range(windows))


def _each(operations: int) -> Count:
    return lambda layer, inputs, output: operations * output.numel()


def _named(names: str, formula: Count) -> dict[type, Count]:
    return {getattr(nn, name): formula for name in names.split()}


FORMULAS: dict[type, Count] = {
    **_named("Conv1d Conv2d", _convolution),
    **_named("ConvTranspose1d ConvTranspose2d", _transposed_convolution),
    **_named("Linear", _linear),
    **_named("Bilinear", _bilinear),
    **_named("RNNBase RNNCell LSTMCell GRUCell", _recurrent),
    **_named("MultiheadAttention", _attention),
    **_named("BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d", _channel_norm),
    **_named("LayerNorm GroupNorm", _own_norm),
    **_named("RMSNorm", _rms_norm),
    **_named("MaxPool1d AvgPool1d", _pool(1)),
    **_named("MaxPool2d AvgPool2d", _pool(2)),
    **_named("AdaptiveAvgPool1d AdaptiveMaxPool1d", _adaptive_pool(1)),
    **_named("AdaptiveAvgPool2d AdaptiveMaxPool2d", _adaptive_pool(2)),
    **_named("ReLU ReLU6 LeakyReLU PReLU RReLU ELU CELU SELU GELU SiLU Mish Sigmoid LogSigmoid", _each(1)),
    **_named("Tanh Tanhshrink Hardtanh Hardsigmoid Hardswish Hardshrink Softshrink Softplus", _each(1)),
    **_named("Softsign Threshold", _each(1)),
    **_named("Softmax Softmin LogSoftmax Softmax2d", _each(5)),
    **_named("GLU", _each(2)),
    **_named("Identity Flatten Unflatten PixelShuffle PixelUnshuffle Unfold Embedding", _each(0)),
    **_named("Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout", _each(0)),
    **_named("UpsamplingNearest2d MaxUnpool1d MaxUnpool2d ZeroPad1d ZeroPad2d ZeroPad3d", _each(0)),
    **_named("ConstantPad1d ConstantPad2d ConstantPad3d CircularPad1d CircularPad2d CircularPad3d", _each(0)),
    **_named("ReflectionPad1d ReflectionPad2d ReflectionPad3d", _each(0)),
    **_named("ReplicationPad1d ReplicationPad2d ReplicationPad3d", _each(0)),
}
