"""Average pooling over tiles of 2 × 2, in flat lines of memory: ``max_pool2d_tiles.py`` explains how, and why."""

from __future__ import annotations

from minitorch.backend import Array, host
from minitorch.ops.max_pool2d_tiles import lines, reduce


def sums(images: Array, output: Array) -> None:
    """The sum of each tile: images (…, H, W) → output (…, H / 2, W / 2), which lie in memory alike."""
    reduce(host.add, images, output)


def spread(images: Array, values: Array) -> None:
    """Every element of a tile becomes the tile's value: values (…, H / 2, W / 2) → images (…, H, W)."""
    row, K, line, values = lines(images, values)
    pairs = host.empty(2 * values.size, values.dtype)
    _twice(values, K, pairs)
    _twice(pairs, 2 * row, line)


def _twice(line: Array, length: int, out: Array) -> None:
    """Every run of ``length`` elements two times, one after the other."""
    if length > 1:
        line, out = line.view(f"V{length * line.itemsize}"), out.view(f"V{length * line.itemsize}")
    out[0::2] = line
    out[1::2] = line
