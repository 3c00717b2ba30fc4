"""Max pooling over tiles of 2 × 2: the commonest windows, and the ones that allow tricks. See ``max_pool2d.py`` first.

In memory the images are one long line of rows, and a row is a line of places with K numbers each: one in row-major
memory, one for each channel in channels-last memory. Where W is even, no pair of neighbours crosses a row, so

    1.  c = max(left, right)             of each pair          one pass over flat arrays, however narrow the images
    2.  y = max(c of the upper row, c of the lower row)

and with it whether the right one, and whether the lower one won. Comparing left with right *before* up with down
finds the first of equal elements in reading order. For step 2 the upper and the lower rows are first brought
together, each row copied as one item: NumPy spends 10 ns on each run of elements that lie together, which is more than
a short row takes (images of 8 × 8: 2.3 ns a window by rows, 0.4 so). Step 1 does the same where there are channels, or
comes second where it may: the channels of a whole row are long enough.
"""

from __future__ import annotations

from typing import Any

from minitorch.backend import Array, host, image_order, is_on_cpu
from minitorch.ops.windows import Windows


def applies(images: Array, windows: Windows) -> bool:
    """Whether these are whole tiles of 2 × 2, of float32 without gaps in memory on a CPU."""
    H_out, W_out = windows.output_size
    tiles = Windows((2 * H_out, 2 * W_out), (2, 2), (2, 2), (0, 0), (1, 1), windows.output_size)
    if windows != tiles or not is_on_cpu(images) or images.dtype.char != "f":
        return False
    return bool(images.flags.c_contiguous or images.transpose(image_order(images)).flags.c_contiguous)


def largest(images: Array, output: Array) -> None:
    """The largest element of each tile: images (…, H, W) → output (…, H / 2, W / 2), which lie in memory alike."""
    reduce(host.maximum, images, output)


def reduce(operation: Any, images: Array, output: Array) -> None:
    """``operation`` of the four elements of each tile, where their order is no matter."""
    row, K, line, result = lines(images, output)
    if K == 1:
        first, second = halves(operation(line[0::2], line[1::2]), row)
    else:  # rows are long enough to be taken as they lie
        rows = line.reshape(-1, 2, 2 * row)
        first, second = halves(operation(rows[:, 0], rows[:, 1]).reshape(-1), K)
    operation(first, second, out=result)


def largest_and_choice(images: Array, output: Array, choice: Array) -> None:
    """The same, and which element it is: 2 · (whether it is in the lower row) + whether it is the right one."""
    row, K, line, result, numbers = lines(images, output, choice)
    left, right = (line[0::2], line[1::2]) if K == 1 else halves(line, K)
    upper, lower = halves(host.maximum(left, right), row)
    is_right = _is_right(line) if K == 1 else host.greater(right, left).view("uint8")
    upper_is_right, lower_is_right = halves(is_right, row)
    host.maximum(upper, lower, out=result)
    is_lower = host.greater(lower, upper).view("uint8")
    # is_right of the row that won: the upper row's, unless the two differ and the lower one won
    lower_is_right ^= upper_is_right
    lower_is_right &= is_lower
    upper_is_right ^= lower_is_right
    is_lower += is_lower
    host.bitwise_or(is_lower, upper_is_right, out=numbers)


def lines(images: Array, *outputs: Array) -> tuple[Any, ...]:
    """The length of the outputs' rows, K, and the images and the outputs as they follow each other in memory."""
    K = 1 if images.flags.c_contiguous else images.shape[1]
    order = image_order(images) if K > 1 else range(images.ndim)
    return outputs[0].shape[-1] * K, K, *(each.transpose(order).reshape(-1) for each in (images, *outputs))


def _is_right(line: Array) -> Array:
    """Whether the right of two neighbours is larger, as 0 or 1.

    All neighbours are compared, also those that are no pair: NumPy is three times as fast where nothing is skipped.
    """
    is_larger = host.empty(len(line), bool)
    is_larger[-1:] = False
    host.greater(line[1:], line[:-1], out=is_larger[:-1])
    return is_larger.view("<u2").astype("uint8")  # of each two bytes the first


def halves(line: Array, length: int) -> tuple[Array, Array]:
    """The even and the odd ones of the runs of ``length`` that make up a line, each laid out one after another."""
    runs = line.view(f"V{length * line.itemsize}")
    return runs[0::2].copy().view(line.dtype), runs[1::2].copy().view(line.dtype)
