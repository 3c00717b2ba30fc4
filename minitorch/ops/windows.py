"""Where the windows of convolution and pooling lie: sizes, offsets, and which elements fall into the padding.

Along one axis, window number i looks with its element u at the place

    i · stride − padding + u · dilation

of the input. Places outside the input are padding. Loops over windows would be slow, so the ops turn this
around: for a *fixed* u, the places of all windows form a slice of the input, start : stop : stride, after
those windows have been left out that look into the padding (``inside``).
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any, NamedTuple

Pair = tuple[int, int]
Place = tuple[Any, slice, slice]  # an index of the last two dimensions
Tap = tuple[int, int, Place, Place]


def inside(count: int, first: int, step: int, size: int) -> tuple[slice, slice]:
    """Of the places first, first + step, … (``count`` of them): those in range(size).

    Returns the slice of the count, and the slice of the range.

    >>> inside(4, -1, 2, 6)  # the places -1, 1, 3, 5
    (slice(1, 4, None), slice(1, 6, 2))
    """
    low = max(0, -(first // step))  # rounds -first / step up
    high = min(count, (size - 1 - first) // step + 1)
    if low >= high:
        return slice(0, 0), slice(0, 0)
    start = first + low * step
    return slice(low, high), slice(start, start + (high - low - 1) * step + 1, step)


class Windows(NamedTuple):
    """The windows of an op over planes of ``input_size``; every field is a (height, width) pair.

    ``padding`` is what lies before the first row and column (negative: they are skipped); how much lies behind
    the last ones follows from ``output_size``, the number of windows.
    """

    input_size: Pair
    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    output_size: Pair

    def taps(self) -> Iterator[Tap]:
        """For each element (u, v) of the window: u, v, the windows for which it lies in the input, and where."""
        for u in range(self.kernel_size[0]):
            rows, input_rows = self.along(0, u)
            for v in range(self.kernel_size[1]):
                columns, input_columns = self.along(1, v)
                yield u, v, (..., rows, columns), (..., input_rows, input_columns)

    def of_transpose(self) -> Windows:
        """The windows of the transposed convolution, for stride 1: from the other end, padded by what was missing."""
        padding = [d * (k - 1) - p for d, k, p in zip(self.dilation, self.kernel_size, self.padding)]
        return self._replace(input_size=self.output_size, output_size=self.input_size, padding=(padding[0], padding[1]))

    def overlap(self) -> bool:
        """Whether an element of the input can lie in several windows."""
        return any(d * (k - 1) >= s for d, k, s in zip(self.dilation, self.kernel_size, self.stride))

    def along(self, axis: int, element: int) -> tuple[slice, slice]:
        """``inside`` for one element of the window along one axis."""
        first = element * self.dilation[axis] - self.padding[axis]
        return inside(self.output_size[axis], first, self.stride[axis], self.input_size[axis])


def window_count(size: int, kernel_size: int, stride: int, padding: int, dilation: int, ceil_mode: bool = False) -> int:
    """How many windows fit along one axis of ``size`` elements.

    Formula: ⌊(size + 2·padding − dilation·(kernel_size − 1) − 1) / stride⌋ + 1, rounded up with ``ceil_mode``;
    but a last window that would start in the padding behind the input is dropped.

    >>> window_count(8, 3, 2, 0, 1), window_count(8, 3, 2, 0, 1, ceil_mode=True)
    (3, 4)
    """
    span = size + 2 * padding - dilation * (kernel_size - 1) - 1
    steps = -(-span // stride) if ceil_mode else span // stride
    if ceil_mode and steps * stride >= size + padding:
        steps -= 1
    return steps + 1


def is_int(value: Any) -> bool:
    """Whether it counts as an integer argument: also a NumPy integer, but no float."""
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def integers(op: str, name: str, value: Any) -> tuple[int, ...]:
    """An int, or a sequence of them, as a tuple; TypeError for anything else, with torch's text."""
    if is_int(value):
        return (operator.index(value),)
    if isinstance(value, (tuple, list)) and all(is_int(each) for each in value):
        return tuple([operator.index(each) for each in value])
    raise TypeError(f"{op}(): argument '{name}' must be tuple of ints, not {type(value).__name__}")


def pooling_pair(op: str, name: str, value: Any, default: Pair | None = None) -> Pair:
    """The (height, width) that a pooling argument stands for; None or () is ``default`` where there is one."""
    if default is not None and (value is None or (isinstance(value, (tuple, list)) and not value)):
        return default
    numbers = integers(op, name, value)
    if len(numbers) not in (1, 2):
        kinds = "omitted, a single int" if default is not None else "either be a single int"
        raise RuntimeError(f"{op}: {name} must {kinds}, or a tuple of two ints")
    return numbers[0], numbers[-1]


def as_planes(array: Any) -> Any:
    """A raw (N, C, L) array as planes (N, C, 1, L) of one row each; (N, C, H, W) as it is."""
    return array if array.ndim == 4 else array.reshape(*array.shape[:2], 1, array.shape[2])


def like_rank(planes: Any, ndim: int) -> Any:
    """The opposite of ``as_planes``: without the dimension of one row if ``ndim`` is 3."""
    return planes if ndim == 4 else planes.reshape(*planes.shape[:2], planes.shape[3])
