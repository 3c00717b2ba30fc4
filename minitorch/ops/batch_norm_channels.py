"""Images as lines of numbers, and sums and factors for each of their channels: what ``batch_norm.py`` is made of."""

from __future__ import annotations

import math
from typing import Any

from minitorch.backend import Array, array_module, copy_in_order, image_order, is_channels_last, row_major

LONG_RUN = 1 << 13  # elements, the size of NumPy's buffers
LONGEST_PATTERN = 1 << 16  # elements
WIDE = 1 << 10  # columns of a matrix whose rows are added up


class Channels:
    """Images (N, C, …) as the line of numbers that they are in memory, and what is done to it channel by channel.

    A factor for each channel, broadcast over (N, C, S), makes a run of S elements for each. NumPy is two to three
    times as slow where such runs are shorter than its buffers. So factors are written out for each element of some
    images, as many as make a run that is long enough: a ``pattern``, which repeats itself along the line.
    """

    def __init__(self, images: Array) -> None:
        self.C = images.shape[1]
        self.S = math.prod(images.shape[2:])
        self.is_last = images.ndim > 2 and not images.flags.c_contiguous and _channels_last(images).flags.c_contiguous
        period = max(self.C if self.is_last else self.C * self.S, 1)
        self.has_pattern = images.size > 0 and (self.is_last or self.S == 1 or period <= LONGEST_PATTERN)
        self.length = -(-LONG_RUN // period) * period if self.has_pattern else period

    def line(self, images: Array) -> Array:
        """The images' elements as they follow each other in memory."""
        return (_channels_last(images) if self.is_last else images).reshape(-1)

    def pattern(self, values: Array) -> Array:
        """Values (C,) for each element of a line: as many as ``length``, or (C, 1) where that would be too many."""
        if not self.has_pattern:
            return values[:, None]
        pattern = array_module(values).empty((self.length, 1), values.dtype)
        pattern.reshape(-1, self.C, 1 if self.is_last else self.S)[...] = values[:, None]
        return pattern.reshape(-1)

    def each(self, operation: Any, line: Array, pattern: Array, out: Array) -> None:
        """out = operation(line, pattern), where the pattern begins anew after its length."""
        if not line.size:
            return
        shape = (-1, self.length) if self.has_pattern else (-1, self.C, self.S)
        end = line.size // self.length * self.length
        operation(line[:end].reshape(shape), pattern, out=out[:end].reshape(shape))
        if end < line.size:
            operation(line[end:], pattern[: line.size - end], out=out[end:])

    def sums(self, line: Array) -> Array:
        """The sum of each channel's elements, as a matrix product with ones: the fastest sum that NumPy has."""
        if not line.size:
            return array_module(line).zeros(self.C)
        if self.is_last or self.S == 1:
            return self._sums_of_places(line)
        return _exact_sum(line.reshape(-1, self.C, self.S) @ array_module(line).ones(self.S, line.dtype))

    def _sums_of_places(self, line: Array) -> Array:
        """The same for lines of places with C numbers each: of many places side by side, so that sums stay short."""
        width = max(WIDE // self.C, 1) * self.C
        end = line.size // width * width
        partial = array_module(line).ones(end // width, line.dtype) @ line[:end].reshape(-1, width)
        result = _exact_sum(partial.reshape(-1, self.C))
        return result if end == line.size else result + _exact_sum(line[end:].reshape(-1, self.C))

    def dots(self, a: Array, b: Array) -> Array:
        """Σ a · b over each channel's elements."""
        if self.is_last or self.S == 1 or not a.size:
            return self.sums(a * b)
        shape = (-1, self.C, 1, self.S)
        products = array_module(a).matmul(a.reshape(shape), b.reshape(shape).swapaxes(-1, -2))
        return _exact_sum(products[..., 0, 0])


def laid_out(images: Array) -> Array:
    """The images in one of the two layouts that ``Channels`` knows: as they are if they are in one, else a copy."""
    if images.ndim > 2 and _channels_last(images).flags.c_contiguous:
        return images
    if is_channels_last(images):  # with gaps
        return copy_in_order(images, image_order(images))
    return row_major(images)


def _channels_last(images: Array) -> Array:
    """A view with the channels in the last dimension."""
    return images.transpose(0, *range(2, images.ndim), 1)


def _exact_sum(partial: Array) -> Array:
    """Σ of the rows, in float64: what was added up for each image in its own dtype is added up exactly enough."""
    return partial.sum(0, dtype="float64")


def like_layout(array: Array, model: Array) -> Array:
    """The same values, laid out in memory as ``model`` is."""
    if array.strides == model.strides:
        return array
    copy = array_module(model).empty_like(model, dtype=array.dtype)
    copy[...] = array
    return copy
