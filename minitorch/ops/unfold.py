"""``unfold`` copies every window of an image into a column of a matrix (im2col); ``fold`` adds them back (col2im).

    image 3 × 3        windows of 2 × 2, one a column
    a b c              a b d e      first element of each window
    d e f     →        b c e f      second
    g h i              d e g h      third
                       e f h i      fourth

With the windows as columns, a convolution is one matrix product (``conv2d.py``). An element that lies in
several windows is copied several times, so its gradient is the sum over the copies: ``fold`` is the gradient of
``unfold`` and the other way round.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module
from minitorch.ops.operand import require
from minitorch.ops.windows import Pair, Windows, inside, integers, window_count


def unfold_array(input: Array, windows: Windows) -> Array:
    """(N, C, H, W) → (N, C · K_h · K_w, H_out · W_out), on raw arrays.

    A strided view shows every window of the padded image without a copy; the reshape then copies.
    """
    N, C = input.shape[:2]
    (K_h, K_w), (s_h, s_w), (d_h, d_w) = windows.kernel_size, windows.stride, windows.dilation
    H_out, W_out = windows.output_size
    padded = pad_to_windows(input, windows)
    n, c, row, column = padded.strides
    strides = (n, c, d_h * row, d_w * column, s_h * row, s_w * column)
    as_strided = array_module(input).lib.stride_tricks.as_strided
    view = as_strided(padded, (N, C, K_h, K_w, H_out, W_out), strides)
    return view.reshape(N, C * K_h * K_w, H_out * W_out)


def pad_to_windows(input: Array, windows: Windows) -> Array:
    """A copy of the input with zeros around it, of just the size that the windows cover."""
    (H, W), (p_h, p_w) = windows.input_size, windows.padding
    H_padded, W_padded = covered_size(windows)
    rows, input_rows = inside(H_padded, -p_h, 1, H)
    columns, input_columns = inside(W_padded, -p_w, 1, W)
    padded = array_module(input).zeros((*input.shape[:2], H_padded, W_padded), input.dtype)
    padded[:, :, rows, columns] = input[:, :, input_rows, input_columns]
    return padded


def covered_size(windows: Windows) -> Pair:
    """(rows, columns) from the first element of the first window to the last of the last."""
    height, width = [
        (count - 1) * stride + dilation * (kernel_size - 1) + 1
        for count, stride, dilation, kernel_size in zip(
            windows.output_size, windows.stride, windows.dilation, windows.kernel_size
        )
    ]
    return max(height, 0), max(width, 0)


def fold_array(columns: Array, windows: Windows) -> Array:
    """(N, C · K_h · K_w, H_out · W_out) → (N, C, H, W): each window added at its place, on raw arrays."""
    N = len(columns)
    K_h, K_w = windows.kernel_size
    C = columns.shape[1] // (K_h * K_w)
    by_element = columns.reshape(N, C, K_h, K_w, *windows.output_size)
    image = array_module(columns).zeros((N, C, *windows.input_size), columns.dtype)
    for u, v, place, image_place in windows.taps():
        image[image_place] += by_element[:, :, u, v][place]
    return image


class Im2Col(Function):
    """Windows into columns; see ``unfold``."""

    def forward(self, input: Array, *, windows: Windows) -> Array:
        self.windows = windows
        if input.ndim == 3:
            return unfold_array(input[None], windows)[0]
        return unfold_array(input, windows)

    def backward(self, grad_output: Any) -> Any:
        return Col2Im.apply(grad_output, windows=self.windows)


class Col2Im(Function):
    """Columns back to windows; see ``fold``."""

    def forward(self, columns: Array, *, windows: Windows) -> Array:
        self.windows = windows
        if columns.ndim == 2:
            return fold_array(columns[None], windows)[0]
        return fold_array(columns, windows)

    def backward(self, grad_output: Any) -> Any:
        return Im2Col.apply(grad_output, windows=self.windows)


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Every window of the input as a column (im2col).

    Formula: output[n, (c·K_h + u)·K_w + v, i·W_out + j] = input[n, c, i·s_h − p_h + u·d_h, j·s_w − p_w + v·d_w]
    Shapes: (N, C, H, W) → (N, C · K_h · K_w, H_out · W_out); without N also without it there.
    Gradient: ``fold`` of the output's gradient.
    Raises: RuntimeError where sizes are out of range or no window fits.

    >>> import minitorch as torch
    >>> torch.nn.functional.unfold(torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]), (2, 2))
    tensor([[1., 2.],
            [2., 3.],
            [4., 5.],
            [5., 6.]])
    """
    require(input, "fb", "unfold", "im2col_out_cpu")
    shape = raw(input).shape
    options = _options("unfold", kernel_size, dilation, padding, stride)
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
            f"input, but got: {list(shape)}"
        )
    windows = _windows(shape[-2:], *options)
    if min(windows.output_size) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(shape[-2:])}, kernel_size={windows.kernel_size}, "
            f"dilation={windows.dilation}, padding={windows.padding}, calculated shape of the array of sliding "
            f"blocks as {windows.output_size}, but its components must be at least one."
        )
    return Im2Col.apply(input, windows=windows)


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Add every column back at the place of its window (col2im); overlapping windows add up.

    Formula: output[n, c, y, x] = Σ of all input[n, (c·K_h + u)·K_w + v, i·W_out + j] whose window element is (y, x)
    Shapes: (N, C · K_h · K_w, L) → (N, C, *output_size), where L is the number of windows; N may be missing.
    Gradient: ``unfold`` of the output's gradient.
    Raises: RuntimeError where sizes are out of range, or the input has not one column a window.

    >>> import minitorch as torch
    >>> torch.nn.functional.fold(torch.ones(1, 4, 2), (2, 3), (2, 2))
    tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """
    require(input, "fb", "fold", "col2im_out_cpu")
    shape = raw(input).shape
    options = _options("fold", kernel_size, dilation, padding, stride)
    size = _pair("fold", "output_size", output_size)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions "
            f"for input, but got: {list(shape)}"
        )
    windows = _windows(size, *options)
    _check_columns(shape, windows)
    return Col2Im.apply(input, windows=windows)


def _check_columns(shape: tuple[int, ...], windows: Windows) -> None:
    (K_h, K_w), (H_out, W_out) = windows.kernel_size, windows.output_size
    rows, columns = shape[-2:]
    if rows % (K_h * K_w):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={rows} and kernel_size={windows.kernel_size}."
        )
    if columns != max(H_out, 0) * max(W_out, 0):
        raise RuntimeError(
            f"Given output_size={windows.input_size}, kernel_size={windows.kernel_size}, "
            f"dilation={windows.dilation}, padding={windows.padding}, stride={windows.stride}, expected size of "
            f"input's dimension 2 to match the calculated number of sliding blocks {H_out} * {W_out} = "
            f"{H_out * W_out}, but got input.size(2)={columns}."
        )


def _options(op: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Pair, ...]:
    """The four pairs, checked."""
    found = []
    for name, value, text, least in (
        ("kernel_size", kernel_size, "kernel size should be greater than zero, but got kernel", 1),
        ("dilation", dilation, "dilation should be greater than zero, but got dilation", 1),
        ("padding", padding, "padding should be non-negative, but got pad", 0),
        ("stride", stride, "stride should be greater than zero, but got stride", 1),
    ):
        pair = _pair(op, name, value)
        if min(pair) < least:
            label = text.rsplit(" ", 1)[1]
            raise RuntimeError(f"{text}_height: {pair[0]} {label}_width: {pair[1]}")
        found.append(pair)
    return tuple(found)


def _pair(op: str, name: str, value: Any) -> Pair:
    numbers = integers(op, name, value)
    if isinstance(value, (tuple, list)) and len(numbers) != 2:
        raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(numbers)}")
    return numbers[0], numbers[-1]


def _windows(size: tuple[int, ...], kernel_size: Pair, dilation: Pair, padding: Pair, stride: Pair) -> Windows:
    H, W = size
    H_out, W_out = [
        window_count(size[axis], kernel_size[axis], stride[axis], padding[axis], dilation[axis]) for axis in (0, 1)
    ]
    return Windows((H, W), kernel_size, stride, padding, dilation, (max(H_out, 0), max(W_out, 0)))
