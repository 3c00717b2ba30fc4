"""Convolution layers, forward and transposed, in one and two dimensions."""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any

from minitorch.nn import functional as F  # noqa: N812
from minitorch.nn.linear import init_weight_and_bias
from minitorch.nn.module import Module
from minitorch.nn.parameter import Parameter
from minitorch.tensor.creation import empty
from minitorch.tensor.tensor import Tensor

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def as_tuple(value: Any, count: int) -> tuple[Any, ...]:
    """One entry a dimension: a number stands for all of them; what is a sequence stays as it is."""
    return tuple(value) if hasattr(value, "__iter__") else (value,) * count


class _Convolution(Module):
    """What all convolution layers share: options, parameters and how they print."""

    weight: Parameter
    bias: Parameter | None
    dimensions: int
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        dilation: Any,
        output_padding: Any,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        _check_channels(in_channels, out_channels, groups)
        _check_padding(padding, as_tuple(stride, self.dimensions), padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = as_tuple(kernel_size, self.dimensions)
        self.stride = as_tuple(stride, self.dimensions)
        self.padding = padding if isinstance(padding, str) else as_tuple(padding, self.dimensions)
        self.dilation = as_tuple(dilation, self.dimensions)
        self.output_padding = as_tuple(output_padding, self.dimensions)
        self.groups = groups
        self.padding_mode = padding_mode
        channels = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (channels[0], channels[1] // groups, *self.kernel_size)
        self.weight = Parameter(empty(shape, device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new start values: uniform on ±1/√fan_in, weight first."""
        if self.weight.numel() > 0:
            init_weight_and_bias(self.weight, self.bias)

    def extra_repr(self) -> str:
        shown = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding != (0,) * len(self.padding):
            shown.append(f"padding={self.padding}")
        if self.dilation != (1,) * len(self.dilation):
            shown.append(f"dilation={self.dilation}")
        if self.output_padding != (0,) * len(self.output_padding):
            shown.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            shown.append(f"groups={self.groups}")
        if self.bias is None:
            shown.append("bias=False")
        if self.padding_mode != "zeros":
            shown.append(f"padding_mode={self.padding_mode}")
        return ", ".join(shown)


class _ForwardConvolution(_Convolution):
    """The options of ``Conv1d`` and ``Conv2d``, and padding that is not with zeros."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            0,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _padded(self, input: Tensor) -> tuple[Any, Any]:
        """The input, and how much zero padding the convolution has still to add."""
        if self.padding_mode == "zeros":
            return input, self.padding
        return F.pad(input, self._widths_for_pad(), mode=self.padding_mode), 0

    def _widths_for_pad(self) -> list[int]:
        """The padding as ``F.pad`` wants it: last dimension first, before and after."""
        widths: list[int] = []
        for axis in reversed(range(self.dimensions)):
            if self.padding == "valid":
                widths += [0, 0]
            elif self.padding == "same":
                total = self.dilation[axis] * (self.kernel_size[axis] - 1)
                widths += [total // 2, total - total // 2]
            else:
                widths += [int(self.padding[axis])] * 2
        return widths


class Conv1d(_ForwardConvolution):
    """Convolution of signals (N, C_in, L) with a weight (C_out, C_in / groups, K); see ``F.conv1d``.

    Args and start values as ``Conv2d``.

    >>> import minitorch as torch
    >>> torch.nn.Conv1d(16, 33, 3, stride=2)
    Conv1d(16, 33, kernel_size=(3,), stride=(2,))
    """

    dimensions = 1

    def forward(self, input: Tensor) -> Any:
        input, padding = self._padded(input)
        return F.conv1d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_ForwardConvolution):
    """Convolution of images (N, C_in, H, W) with a weight (C_out, C_in / groups, K_h, K_w); see ``F.conv2d``.

    Args: in_channels, out_channels, kernel_size; stride, padding, dilation: a number, or one a dimension;
    padding also "same" or "valid"; groups: into how many independent parts the channels are divided; bias:
    whether something is added to each output channel; padding_mode: "zeros", "reflect", "replicate" or
    "circular"; device, dtype: of the parameters.
    Start values: uniform on ±1/√(C_in / groups · K_h · K_w), weight first.
    Raises: ValueError for groups that do not divide the channels, and for an unknown or impossible padding.

    >>> import minitorch as torch
    >>> torch.nn.Conv2d(3, 32, kernel_size=5, padding=2)
    Conv2d(3, 32, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))
    """

    dimensions = 2

    def forward(self, input: Tensor) -> Any:
        input, padding = self._padded(input)
        return F.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class _TransposedConvolution(_Convolution):
    """The options of the transposed convolutions, and the choice among their possible output sizes."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _output_padding_for(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """The output padding that leads to ``output_size``; ValueError if there is none."""
        if output_size is None:
            return self.output_padding
        output_size = list(output_size)
        leading = input.dim() - self.dimensions
        if len(output_size) == input.dim():
            output_size = output_size[leading:]
        if len(output_size) != self.dimensions:
            raise ValueError(
                f"ConvTranspose{self.dimensions}D: for {input.dim()}D input, output_size must have "
                f"{self.dimensions} or {input.dim()} elements (got {len(output_size)})"
            )
        smallest = [
            (input.size(leading + axis) - 1) * self.stride[axis]
            - 2 * self.padding[axis]
            + (self.dilation[axis] * (self.kernel_size[axis] - 1) + 1)
            for axis in range(self.dimensions)
        ]
        largest = [size + stride - 1 for size, stride in zip(smallest, self.stride)]
        if not all(low <= size <= high for low, size, high in zip(smallest, output_size, largest)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {smallest} to {largest} "
                f"(for an input of {input.size()[leading:]})"
            )
        return tuple(size - low for size, low in zip(output_size, smallest))


class ConvTranspose1d(_TransposedConvolution):
    """The adjoint of ``Conv1d``: signals (N, C_in, L) become longer; see ``F.conv_transpose1d``."""

    dimensions = 1

    def forward(self, input: Tensor, output_size: Any = None) -> Any:
        """``output_size`` says which of the shapes that a stride leaves open the output is to have."""
        extra = self._output_padding_for(input, output_size)
        return F.conv_transpose1d(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )


class ConvTranspose2d(_TransposedConvolution):
    """The adjoint of ``Conv2d``: images (N, C_in, H, W) become larger; see ``F.conv_transpose2d``.

    Args: as ``Conv2d``; output_padding: rows and columns added at the lower right edge, because several input
    sizes of a strided convolution lead to one output size. The weight is (C_in, C_out / groups, K_h, K_w).
    Raises: ValueError as ``Conv2d``, and for any padding_mode but "zeros".

    >>> import minitorch as torch
    >>> torch.nn.ConvTranspose2d(16, 33, 3, stride=2)
    ConvTranspose2d(16, 33, kernel_size=(3, 3), stride=(2, 2))
    """

    dimensions = 2

    def forward(self, input: Tensor, output_size: Any = None) -> Any:
        """``output_size`` says which of the shapes that a stride leaves open the output is to have."""
        extra = self._output_padding_for(input, output_size)
        return F.conv_transpose2d(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )


def _check_channels(in_channels: int, out_channels: int, groups: int) -> None:
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups != 0:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups != 0:
        raise ValueError("out_channels must be divisible by groups")


def _check_padding(padding: Any, stride: tuple[int, ...], padding_mode: str) -> None:
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
        if padding == "same" and reduce(operator.mul, stride) != 1:
            raise ValueError("padding='same' is not supported for strided convolutions")
    if padding_mode not in _PADDING_MODES:
        raise ValueError(f"padding_mode must be one of {set(_PADDING_MODES)}, but got padding_mode='{padding_mode}'")
