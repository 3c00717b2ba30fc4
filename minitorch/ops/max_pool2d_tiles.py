"""Max pooling over tiles of 2 × 2: the commonest windows, and the ones that allow tricks. See ``max_pool2d.py`` first.

The images are one long line of numbers, in pairs: neighbours in a row. Where W is even, no pair crosses a row, so

    1.  c = max(x[0::2], x[1::2])        of each pair          one pass over flat arrays, however narrow the images
    2.  y = max(c of the upper row, c of the lower row)

and with it whether the right one, and whether the lower one won. Comparing left with right *before* up with down
finds the first of equal elements in reading order. For step 2 the upper and the lower rows are first brought
together, each row copied as one item: NumPy spends 10 ns on each run of elements that lie together, which is more than
a short row takes (images of 8 × 8: 2.3 ns a window by rows, 0.4 so).
"""

from __future__ import annotations

from minitorch.backend import Array, host, is_on_cpu
from minitorch.ops.windows import Windows


def applies(images: Array, windows: Windows) -> bool:
    """Whether these are whole tiles of 2 × 2, of float32 laid out row after row on a CPU."""
    are_tiles = windows.kernel_size == windows.stride == (2, 2) and windows.padding == (0, 0)
    (H, W), (H_out, W_out) = windows.input_size, windows.output_size
    is_plain = is_on_cpu(images) and images.dtype.char == "f" and images.flags.c_contiguous
    return are_tiles and (2 * H_out, 2 * W_out) == (H, W) and is_plain


def largest(images: Array, output: Array) -> None:
    """The largest element of each tile: images (…, H, W) → output (…, H / 2, W / 2)."""
    flat = images.reshape(-1)
    larger = host.maximum(flat[0::2], flat[1::2])
    upper, lower = _rows(larger, output.shape[-1])
    host.maximum(upper, lower, out=output.reshape(-1))


def largest_and_choice(images: Array, output: Array, choice: Array) -> None:
    """The same, and which element it is: 2 · (whether it is in the lower row) + whether it is the right one."""
    flat, width = images.reshape(-1), output.shape[-1]
    left, right = flat[0::2], flat[1::2]
    upper, lower = _rows(host.maximum(left, right), width)
    upper_is_right, lower_is_right = _rows(host.greater(right, left).view("uint8"), width)
    host.maximum(upper, lower, out=output.reshape(-1))
    is_lower = host.greater(lower, upper).view("uint8")
    # is_right of the row that won: the upper row's, unless the two differ and the lower one won
    lower_is_right ^= upper_is_right
    lower_is_right &= is_lower
    upper_is_right ^= lower_is_right
    is_lower <<= 1
    host.bitwise_or(is_lower, upper_is_right, out=choice.reshape(-1))


def _rows(flat: Array, width: int) -> tuple[Array, Array]:
    """The even rows and the odd rows of a flat array of rows, each laid out one after another."""
    items = _as_items(flat, width)
    return tuple([items[first::2].copy().view(flat.dtype) for first in (0, 1)])


def _as_items(flat: Array, width: int) -> Array:
    """A flat array of rows as an array with one item a row."""
    return flat.view(f"V{width * flat.itemsize}")
