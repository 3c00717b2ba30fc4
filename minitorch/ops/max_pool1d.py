"""Max pooling of sequences: the two-dimensional one over images of a single row (see ``max_pool2d.py``)."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.variable import raw
from minitorch.ops.max_pool2d import MaxPool2DWithIndices
from minitorch.ops.operand import require
from minitorch.ops.shape import squeeze, unsqueeze
from minitorch.ops.windows import Windows, integers, window_count


def single(op: str, name: str, value: Any) -> int:
    """An argument of a one-dimensional op: an int, or a sequence of one."""
    numbers = integers(op, name, value)
    if len(numbers) != 1:
        raise RuntimeError(
            f"{op}() {name} must be an int, list of ints or tuple of ints of size 1 but got size {len(numbers)}"
        )
    return numbers[0]


def _check(kernel_size: int, stride: int, padding: int, dilation: int) -> None:
    for name, value in (("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation)):
        if value < 1:
            raise RuntimeError(f"max_pool1d() {name} must be greater than zero, but got {value}")
    if padding < 0:
        raise RuntimeError(f"max_pool1d() padding must be non-negative, but got {padding}")
    if padding > kernel_size // 2:
        raise RuntimeError(
            "max_pool1d() padding should be at most half of kernel size, but got "
            f"padding={padding} and kernel_size={kernel_size}"
        )


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of every window of a sequence; with ``return_indices`` also where it was.

    Formula: output[n, c, i] = max_u input[n, c, i·s − p + u·d]
    Shapes: (N, C, L) or (C, L) → (N, C, L_out), with L_out from ``windows.window_count``; indices alike, int64.
    Gradient, Args, Raises, Numerics: as ``max_pool2d``.

    >>> import minitorch as torch
    >>> torch.nn.functional.max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 5.0]]), 2, return_indices=True)
    (tensor([[3., 5.]]), tensor([[1, 3]]))
    """
    require(input, "f", "max_pool1d", "max_pool1d_impl")
    shape = raw(input).shape
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:"
            f"{list(shape)}"
        )
    kernel = single("max_pool1d", "kernel_size", kernel_size)
    step = kernel if stride is None or stride in ((), []) else single("max_pool1d", "stride", stride)
    pad, spread = single("max_pool1d", "padding", padding), single("max_pool1d", "dilation", dilation)
    _check(kernel, step, pad, spread)
    count = window_count(shape[-1], kernel, step, pad, spread, ceil_mode)
    if count < 1:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {count}")
    windows = Windows((1, shape[-1]), (1, kernel), (1, step), (0, pad), (1, spread), (1, count))
    result = MaxPool2DWithIndices.apply(unsqueeze(input, -2), windows=windows, return_indices=bool(return_indices))
    return (squeeze(result[0], -2), squeeze(result[1], -2)) if return_indices else squeeze(result, -2)
