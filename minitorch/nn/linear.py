"""Layers that multiply by a weight matrix, and the one that does nothing."""

from __future__ import annotations

import math
from typing import Any

from minitorch.nn import functional as F  # noqa: N812 (as everyone calls it)
from minitorch.nn import init
from minitorch.nn.module import Module
from minitorch.nn.parameter import Parameter
from minitorch.tensor.creation import empty
from minitorch.tensor.tensor import Tensor


class Identity(Module):
    """A layer that returns its input; it takes any arguments and ignores them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """y = x Wᵀ + b, over the last dimension of the input.

    Shapes: input (*, in_features); weight (out_features, in_features); bias (out_features); output (*, out_features).
    Start values: uniform on ±1/√in_features, weight first.

    >>> import minitorch as torch
    >>> layer = torch.nn.Linear(20, 30)
    >>> layer, layer(torch.randn(128, 20)).shape
    (Linear(in_features=20, out_features=30, bias=True), torch.Size([128, 30]))
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in_features), device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new start values."""
        init_weight_and_bias(self.weight, self.bias)

    def forward(self, input: Tensor) -> Any:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """yₖ = x₁ᵀ Wₖ x₂ + bₖ.

    Shapes: inputs (*, in1_features) and (*, in2_features); weight (out_features, in1_features, in2_features);
    bias (out_features); output (*, out_features).
    Start values: uniform on ±1/√in1_features.
    Raises: ValueError if in1_features is not positive.
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(empty((out_features, in1_features, in2_features), device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_features, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new start values."""
        bound = 1 / math.sqrt(self.weight.size(1))
        for parameter in (self.weight, self.bias):
            if parameter is not None:
                init.uniform_(parameter, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Any:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


def init_weight_and_bias(weight: Parameter, bias: Parameter | None) -> None:
    """The start values of linear and convolution layers: uniform on ±1/√fan_in, weight first.

    The weight's bound is written as torch writes it, by way of ``kaiming_uniform_``: √3 · √(2/6) / √fan_in is
    1/√fan_in but for its last bits.
    """
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    if bias is not None:
        fan_in, _ = init._calculate_fan_in_and_fan_out(weight)
        bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
        init.uniform_(bias, -bound, bound)
