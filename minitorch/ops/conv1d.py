"""One-dimensional convolution: the two-dimensional one over images of a single row (see ``conv2d.py``)."""

from __future__ import annotations

from typing import Any

from minitorch.ops.autocast import autocasts
from minitorch.ops.conv2d import convolve
from minitorch.ops.conv_transpose2d import convolve_transposed


@autocasts
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Convolve sequences with C_out kernels.

    Formula: output[n, o, i] = bias[o] + Σ_{c,u} input[n, first + c, i·s − p + u·d] · weight[o, c, u], where ``first``
      is the first input channel of the group that o belongs to.
    Shapes: input (N, C_in, L) or (C_in, L), weight (C_out, C_in / groups, K), bias (C_out) → (N, C_out, L_out).
    Gradient, Args, Raises: as ``conv2d``.

    >>> import minitorch as torch
    >>> torch.nn.functional.conv1d(torch.tensor([[[1.0, 2.0, 4.0]]]), torch.tensor([[[-1.0, 1.0]]]))
    tensor([[[1., 2.]]])
    """
    return convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@autocasts
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Scatter every element of the input over a window of the output, weighted by the kernel.

    Formula: output[n, o, y] = bias[o] + Σ input[n, c, i] · weight[c, o, u] over all c, i, u with y = i·s − p + u·d
    Shapes: input (N, C_in, L) or (C_in, L), weight (C_in, C_out / groups, K), bias (C_out) → (N, C_out, L_out).
    Gradient, Args, Raises: as ``conv_transpose2d``.

    >>> import minitorch as torch
    >>> torch.nn.functional.conv_transpose1d(torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[1.0, 10.0]]]), stride=2)
    tensor([[[ 1., 10.,  2., 20.]]])
    """
    arguments = (input, weight, bias, stride, padding, output_padding, groups, dilation)
    return convolve_transposed("conv_transpose1d", 1, *arguments)
