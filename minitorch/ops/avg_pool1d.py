"""Average pooling of sequences: the two-dimensional one over images of a single row (see ``avg_pool2d.py``)."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.variable import raw
from minitorch.ops.avg_pool2d import avg_pool2d
from minitorch.ops.shape import squeeze, unsqueeze
from minitorch.ops.windows import integers


def one_number(op: str, name: str, value: Any) -> int:
    """An argument of a one-dimensional op: an int, or a sequence of one."""
    numbers = integers(op, name, value)
    if len(numbers) != 1:
        raise RuntimeError(f"{op}() argument '{name}' should contain one int (got {len(numbers)})")
    return numbers[0]


def check_sequences(op: str, input: Any) -> None:
    """Raise torch's error unless the input is (N, C, L) or (C, L)."""
    ndim = raw(input).ndim
    if ndim not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {ndim}-dimensional tensor for argument #1 'self' "
            f"(while checking arguments for {op})"
        )


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of every window of a sequence.

    Formula: output[n, c, i] = Σ_u input[n, c, i·s − p + u] / divisor
    Shapes: (N, C, L) or (C, L) → (N, C, L_out), with L_out from ``windows.window_count``.
    Gradient, Args, Raises: as ``avg_pool2d``.

    >>> import minitorch as torch
    >>> torch.nn.functional.avg_pool1d(torch.tensor([[1.0, 3.0, 2.0, 5.0]]), 2)
    tensor([[2.0000, 3.5000]])
    """
    check_sequences("avg_pool1d", input)
    kernel = one_number("avg_pool1d", "kernel_size", kernel_size)
    step = kernel if stride is None or stride in ((), []) else one_number("avg_pool1d", "stride", stride)
    pad = one_number("avg_pool1d", "padding", padding)
    images = unsqueeze(input, -2)
    return squeeze(avg_pool2d(images, (1, kernel), (1, step), (0, pad), ceil_mode, count_include_pad), -2)
