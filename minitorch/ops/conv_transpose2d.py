"""Transposed convolution: what a convolution does to gradients, used to make images larger.

A convolution gathers a window of the input into one element of the output. Its transpose scatters: every element of
*its* input is multiplied by the whole kernel, and the result is added into the output where the window lies. With
stride s the windows of neighbours lie s apart, so that the output is about s times as large. It is exactly
``TransposedConvolution`` of ``conv2d.py``; it does not undo a convolution.
"""

from __future__ import annotations

from typing import Any

from minitorch.ops.autocast import autocasts
from minitorch.ops.conv2d import TransposedConvolution
from minitorch.ops.conv_arguments import check_arrays, is_unbatched, transposed_windows
from minitorch.ops.shape import squeeze, unsqueeze


def convolve_transposed(
    op: str,
    dims: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Any:
    """The transposed convolution of ``dims`` dimensions that the arguments describe, checked."""
    call = check_arrays(op, dims, input, weight, bias, groups, transposed=True)
    windows = transposed_windows(call, stride, padding, output_padding, dilation)
    if is_unbatched(input, dims):
        batch = unsqueeze(input, 0)
        return squeeze(TransposedConvolution.apply(batch, weight, bias, windows=windows, groups=groups), 0)
    return TransposedConvolution.apply(input, weight, bias, windows=windows, groups=groups)


@autocasts
def conv_transpose2d(
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

    Formula: output[n, o, y, x] = bias[o] + Σ input[n, c, i, j] · weight[c, o, u, v] over all c, i, j, u, v with
      y = i·s_h − p_h + u·d_h and x = j·s_w − p_w + v·d_w
    Shapes: input (N, C_in, H, W) or (C_in, H, W), weight (C_in, C_out / groups, K_h, K_w), bias (C_out)
      → (N, C_out, H_out, W_out) with H_out = (H − 1)·s_h − 2 p_h + d_h (K_h − 1) + output_padding_h + 1.
    Gradient: for ``input`` the convolution of g with the same weight; see ``conv2d.py``.
    Args: as ``conv2d``; ``padding`` *removes* that much from each side of the output; ``output_padding`` adds rows and
      columns behind, since with a stride several sizes of image lead to the same number of windows.
    Raises: RuntimeError if channels, groups, bias or dtypes do not fit, or a number is out of range.

    >>> import minitorch as torch
    >>> x = torch.tensor([[[[1.0, 2.0]]]])
    >>> torch.nn.functional.conv_transpose2d(x, torch.tensor([[[[1.0, 10.0], [100.0, 1000.0]]]]))
    tensor([[[[1.0000e+00, 1.2000e+01, 2.0000e+01],
              [1.0000e+02, 1.2000e+03, 2.0000e+03]]]])
    """
    arguments = (input, weight, bias, stride, padding, output_padding, groups, dilation)
    return convolve_transposed("conv_transpose2d", 2, *arguments)
