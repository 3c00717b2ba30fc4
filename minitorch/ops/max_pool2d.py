"""Max pooling: keep the largest element of every window.

The loop over windows (``reference/max_pool2d.py``) is turned around: for a fixed element (u, v) of the window, the
elements of *all* windows are one strided slice of the input. So K_h·K_w comparisons of whole slices do it,

    output = max(output, input[:, :, u::s_h, v::s_w])     for every u, v

and each is a single vectorised pass. Slices leave out what would lie in the padding, which is never chosen.

**Which element won** is needed for the gradient: it goes there and nowhere else. ``choice`` numbers the elements of a
window from 0, u·K_w + v, in one byte where that is enough: an eighth of the memory of flat indices, which are made
from it only if asked for. It is kept only if there will be a backward pass.
"""

from __future__ import annotations

import functools
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.variable import raw
from minitorch.backend import Array, array_module, host, in_rows, is_on_cpu
from minitorch.backend.launching import runs_kernels
from minitorch.backend.layout import empty_in_order, image_order, in_order
from minitorch.ops import max_pool2d_cuda
from minitorch.ops import max_pool2d_tiles as tiles
from minitorch.ops.activation import Relu
from minitorch.ops.operand import require
from minitorch.ops.windows import Pair, Tap, Windows, pooling_pair, window_count

# Of keeping which element of a tile won and of putting something there, for each element, in passes through the cache.
# 2¹⁹ elements (600 µs) are not worth a second thread.
TILE_COST = 1.9


class MaxPool2DWithIndices(Function):
    """output = max over each window;  the winner gets the window's gradient.

    Where the input is a rectifier's output, the winner is 0 only if the largest element is. So the rectifier's
    gradient can be found from the pooled output, which is a fraction of its own.
    """

    def forward(self, input: Array, *, windows: Windows, return_indices: bool = False) -> Any:
        self.windows = windows
        if not (return_indices or self.needs_input_grad[0]):
            return largest(input, windows)
        output, choice = largest_and_choice(input, windows)
        self.save(choice, output != 0 if self._follows_rectifier() and is_on_cpu(input) else None)
        return (output, flat_indices(choice, windows)) if return_indices else output

    def _follows_rectifier(self) -> bool:
        return bool(self.edges) and self.edges[0] is not None and isinstance(self.edges[0][0], Relu)

    def can_pass(self, target: Function) -> bool:
        """Whether to do the work of ``target``, if it is the rectifier."""
        return not self.is_freed and self.saved[1] is not None

    def backward(self, grad_output: Any, _: Any = None) -> Any:
        if self.passes:
            grad_output = keep(grad_output, self.saved[1])
        return PutAtChoice.apply(grad_output, choice=self.saved[0], windows=self.windows)


class PutAtChoice(Function):
    """Add each window's value at the element that was chosen there; the others of the window get 0."""

    backward_name = "MaxPool2DWithIndicesBackwardBackward0"

    def forward(self, value: Array, *, choice: Array, windows: Windows) -> Array:
        self.choice, self.windows = choice, windows
        if runs_kernels(value):
            return max_pool2d_cuda.put_at_choice(value, choice, windows)
        result = _empty((*value.shape[:-2], *windows.input_size), value.dtype, choice)
        value = in_order(value, image_order(choice))

        def put(result: Array, value: Array, choice: Array) -> None:
            put_at_choice(result, value, choice, windows)

        in_rows(put, result, value, choice, cost=TILE_COST)
        return result

    def backward(self, grad_output: Any) -> Any:
        return TakeAtChoice.apply(grad_output, choice=self.choice, windows=self.windows)


class TakeAtChoice(Function):
    """Each window's chosen element."""

    backward_name = "GatherBackward0"

    def forward(self, input: Array, *, choice: Array, windows: Windows) -> Array:
        self.choice, self.windows = choice, windows
        result = array_module(input).zeros(choice.shape, input.dtype)
        for u, v, place, input_place in windows.taps():
            is_chosen = choice[place] == u * windows.kernel_size[1] + v
            result[place] += keep(input[input_place], is_chosen)
        return result

    def backward(self, grad_output: Any) -> Any:
        return PutAtChoice.apply(grad_output, choice=self.choice, windows=self.windows)


def _empty(shape: tuple[int, ...], dtype: Any, like: Array) -> Array:
    """Memory that has its channels last if ``like`` has, for values that are not set."""
    return empty_in_order(array_module(like), shape, dtype, image_order(like))


def put_at_choice(result: Array, value: Array, choice: Array, windows: Windows) -> None:
    """``PutAtChoice`` on raw arrays, which lie in memory in the same order."""
    result[...] = 0
    if is_on_cpu(result):
        _put_at_place(result, value, choice, windows)
        return
    for u, v, place, input_place in windows.taps():
        result[input_place] += keep(value[place], choice[place] == u * windows.kernel_size[1] + v)


def _put_at_place(result: Array, value: Array, choice: Array, windows: Windows) -> None:
    """The same by the place of each chosen element in memory: the window's, and the element's in the window."""
    order = image_order(result)
    line, *lines = [each.transpose(order).reshape(-1) for each in (result, value, choice)]
    steps = tuple([stride // result.itemsize for stride in result.strides])
    (K_h, K_w), (d_h, d_w) = windows.kernel_size, windows.dilation
    of_element = host.arange(K_h)[:, None] * (d_h * steps[-2]) + host.arange(K_w) * (d_w * steps[-1])
    place = of_element.reshape(-1).take(lines[1], mode="clip")  # clip: no check for numbers that are too large
    place += _window_places(result.shape[:-2], steps, windows, order)
    if windows.overlap():
        host.add.at(line, place, lines[0])
    else:
        line[place] = lines[0]


@functools.lru_cache(maxsize=16)
def _window_places(batch: tuple[int, ...], steps: tuple[int, ...], windows: Windows, order: tuple[int, ...]) -> Array:
    """Where the windows start, counted in elements from the start of the images, in the order of memory."""
    (s_h, s_w), (p_h, p_w) = windows.stride, windows.padding
    start = host.full(1, -(p_h * steps[-2] + p_w * steps[-1]))
    for count, step in zip((*batch, *windows.output_size), (*steps[:-2], s_h * steps[-2], s_w * steps[-1])):
        start = start[..., None] + host.arange(count) * step
    return start[0].transpose(order).reshape(-1)


def keep(value: Array, mask: Array, out: Array | None = None) -> Array:
    """``value`` where ``mask``, else 0 (not value · mask, which is nan where value is infinite).

    As bits: value & 11…1 is value, value & 00…0 is 0. That is four times as fast as ``where`` in NumPy.
    """
    xp = array_module(value)
    ones = -mask.view("int8")  # of True: −1, which is all ones in two's complement
    kept = xp.bitwise_and(as_bits(value), ones, out=None if out is None else as_bits(out))
    return kept.view(value.dtype)


def as_bits(value: Array) -> Array:
    """A view of floating-point numbers as the integers with the same bits."""
    return value.view(f"int{8 * value.itemsize}")


def largest(input: Array, windows: Windows) -> Array:
    """The largest element of each window, on raw arrays."""
    if runs_kernels(input):
        return max_pool2d_cuda.largest(input, windows)
    output = _empty((*input.shape[:-2], *windows.output_size), input.dtype, input)
    _in_rows(lambda input, output: _maxima(input, output, windows), windows, input, output, cost_of_tiles=1)
    return output


def _in_rows(work: Any, windows: Windows, *arrays: Array, cost_of_tiles: float) -> None:
    """Comparing whole slices is several times the work of a pass, and so is keeping which element of a tile won."""
    is_tiled = tiles.applies(arrays[0], windows)
    in_rows(work, *arrays, is_long=is_tiled, cost=cost_of_tiles if is_tiled else 4)


def _maxima(input: Array, output: Array, windows: Windows) -> None:
    if tiles.applies(input, windows):
        tiles.largest(input, output)
        return
    xp = array_module(input)
    for _, _, place, input_place in _start(input, output, windows):
        part = output[place]
        xp.maximum(part, input[input_place], out=part)


def largest_and_choice(input: Array, windows: Windows) -> tuple[Array, Array]:
    """The largest element of each window and its number: the first of equal ones, the last nan if there is one."""
    if runs_kernels(input):
        return max_pool2d_cuda.largest_and_choice(input, windows)
    output = _empty((*input.shape[:-2], *windows.output_size), input.dtype, input)
    choice = in_order(first_choice(input, windows), image_order(input))

    def choose(input: Array, output: Array, choice: Array) -> None:
        _choose(input, output, choice, windows)

    _in_rows(choose, windows, input, output, choice, cost_of_tiles=TILE_COST)
    return output, choice


def _choose(input: Array, output: Array, choice: Array, windows: Windows) -> None:
    if input.dtype.kind != "f":
        _compete(input, output, choice, windows, may_have_nan=False)
    elif not is_on_cpu(input):  # looking for a nan first would make the host wait for the device
        _compete(input, output, choice, windows, may_have_nan=True)
    else:
        if tiles.applies(input, windows):
            tiles.largest_and_choice(input, output, choice)
        else:
            _compete(input, output, choice, windows, may_have_nan=False)
        if output.size and array_module(input).isnan(output.max()):
            choice[...] = first_choice(input, windows)
            _compete(input, output, choice, windows, may_have_nan=True)


def _compete(input: Array, output: Array, choice: Array, windows: Windows, may_have_nan: bool) -> None:
    xp = array_module(input)
    for u, v, place, input_place in _start(input, output, windows):
        part, element, chosen = output[place], input[input_place], choice[place]
        wins = element > part
        if may_have_nan:
            wins |= element != element
        # Numbers only grow, so that "chosen = number where wins" is a maximum, several times faster than `where`
        number = chosen.dtype.type(u * windows.kernel_size[1] + v)
        xp.maximum(chosen, wins.view("uint8") * number, out=chosen)
        xp.maximum(part, element, out=part)


def _start(input: Array, output: Array, windows: Windows) -> list[Tap]:
    """Set the output to what it is before the competition; the elements of the window that are still to come."""
    taps = list(windows.taps())
    if windows.padding == (0, 0):  # then the first element of every window lies in the input
        output[...] = input[taps[0][3]]
        return taps[1:]
    output[...] = -float("inf") if input.dtype.kind == "f" else array_module(input).iinfo(input.dtype).min
    return taps


def first_choice(input: Array, windows: Windows) -> Array:
    """The number of each window's first element that is not padding: the choice until a larger one is found."""
    xp = array_module(input)
    K_h, K_w = windows.kernel_size
    dtype = xp.dtype("uint8" if K_h * K_w <= 256 else "int32")
    shape = (*input.shape[:-2], *windows.output_size)
    if windows.padding == (0, 0):
        return xp.zeros(shape, dtype)
    first = []
    for axis in (0, 1):
        numbers = xp.zeros(windows.output_size[axis], dtype)
        for element in reversed(range(windows.kernel_size[axis])):
            numbers[windows.along(axis, element)[0]] = element
        first.append(numbers)
    return xp.broadcast_to(first[0][:, None] * dtype.type(K_w) + first[1], shape).copy()


def flat_indices(choice: Array, windows: Windows) -> Array:
    """Choices as torch's indices: row · W + column of the chosen element in its plane, int64."""
    xp = array_module(choice)
    (_, K_w), (s_h, s_w), (p_h, p_w), (d_h, d_w) = windows[1:5]
    W = windows.input_size[1]
    number = choice.astype("int64")
    row = number // K_w * d_h + (xp.arange(windows.output_size[0]) * s_h - p_h)[:, None]
    return row * W + number % K_w * d_w + (xp.arange(windows.output_size[1]) * s_w - p_w)


def pooling_windows(
    op: str,
    shape: tuple[int, ...],
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Windows:
    """The windows of a pooling op over images of ``shape``, checked as torch does."""
    kernel = pooling_pair(op, "kernel_size", kernel_size)
    strides = pooling_pair(op, "stride", stride, default=kernel)
    paddings, dilations = pooling_pair(op, "padding", padding), pooling_pair(op, "dilation", dilation)
    check_pooling(kernel, strides, paddings, dilations)
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:"
            f"{list(shape)} (non-empty 3D or 4D (batch mode) tensor expected for input)"
        )
    (C, H, W) = shape[-3:]
    H_out, W_out = [
        window_count(shape[axis - 2], kernel[axis], strides[axis], paddings[axis], dilations[axis], ceil_mode)
        for axis in (0, 1)
    ]
    if min(H_out, W_out) < 1:
        raise RuntimeError(
            f"Given input size: ({C}x{H}x{W}). Calculated output size: ({C}x{H_out}x{W_out}). Output size is too small"
        )
    return Windows((H, W), kernel, strides, paddings, dilations, (H_out, W_out))


def check_pooling(kernel_size: Pair, stride: Pair, padding: Pair, dilation: Pair) -> None:
    """Raise torch's errors for numbers out of range."""
    if 0 in stride:
        raise RuntimeError("stride should not be zero")
    for (height, width), text in (
        (kernel_size, "kernel size should be greater than zero, but got kH: {} kW: {}"),
        (stride, "stride should be greater than zero, but got dH: {} dW: {}"),
        (dilation, "dilation should be greater than zero, but got dilationH: {} dilationW: {}"),
    ):
        if min(height, width) < 1:
            raise RuntimeError(text.format(height, width))
    for pad, kernel, spread in zip(padding, kernel_size, dilation):
        if pad < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {pad}")
        if pad > (spread * (kernel - 1) + 1) // 2:
            raise RuntimeError(
                "pad should be at most half of effective kernel size, but got "
                f"pad={pad}, kernel_size={kernel} and dilation={spread}"
            )
    (k_h, k_w), (p_h, p_w) = kernel_size, padding
    if p_h > k_h // 2 or p_w > k_w // 2:
        raise RuntimeError(
            "pad should be smaller than or equal to half of kernel size, but got "
            f"padW = {p_w}, padH = {p_h}, kW = {k_w}, kH = {k_h}"
        )


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of every window; with ``return_indices`` also where it was.

    Formula: output[n, c, i, j] = max_{u,v} input[n, c, i·s_h − p_h + u·d_h, j·s_w − p_w + v·d_w]
    Shapes: (N, C, H, W) or (C, H, W) → (N, C, H_out, W_out), with H_out from ``windows.window_count``; indices
      alike: row · W + column of the element in its plane, int64.
    Gradient: each window's goes to its largest element; where windows overlap they add up.
    Args: ``stride`` None means ``kernel_size``; ``padding`` is of −∞ and at most half the window; ``ceil_mode``
      rounds the number of windows up.
    Raises: RuntimeError if a number is out of range, the input is not an image, or no window fits.
    Numerics: of equal elements the first in reading order wins; nan beats every number, and the last nan the others.

    >>> import minitorch as torch
    >>> x = torch.tensor([[[1.0, 2.0, 5.0], [4.0, 3.0, 0.0]]])
    >>> torch.nn.functional.max_pool2d(x, 2, stride=1, return_indices=True)
    (tensor([[[4., 5.]]]), tensor([[[3, 2]]]))
    """
    require(input, "fiu", "max_pool2d", "max_pool2d")
    windows = pooling_windows("max_pool2d", raw(input).shape, kernel_size, stride, padding, dilation, ceil_mode)
    return MaxPool2DWithIndices.apply(input, windows=windows, return_indices=bool(return_indices))
