"""Running a chain of elementwise operations piece by piece, so that it stays in the cache, and on all threads.

On whole arrays each operation of a chain streams everything through memory once. On pieces of some ten thousand
elements the memory is read and written once for all of them, and temporary results stay small enough to be reused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.backend.arrays import Array, is_on_cpu
from minitorch.backend.layout import is_dense, order_of
from minitorch.backend.threads import parallel, split

PIECE = 1 << 16  # elements: 256 KB of float32; measured best between 2¹⁵ and 2¹⁷ on a core with 2 MB of L2
# Two threads meet at Python's lock after each operation, and one that waits there sleeps: 6 µs for each operation. So
# operations must be longer then, and the work worth it: maximum(x, 0) of 2¹⁹ elements takes 160 µs on one thread, 185
# on two; of 2²¹, 580 and 430.
LONG_PIECE = 1 << 17
WHOLE_PIECE = 1 << 20  # for a chain of many operations, the shorter ones of which would only wait
LEAST_SHARE = 1 << 19  # elements


def in_pieces(work: Callable[..., None], *arrays: Array | None) -> None:
    """``work(*views)`` for views that together cover ``arrays``, which are of one size (None stays None).

    ``work`` writes into some of its views. It is called once on a GPU, and for arrays that are small, or that do not
    lie in memory without gaps and in the same order.

    >>> import numpy
    >>> total = numpy.zeros(100_000)
    >>> in_pieces(lambda part, addend: numpy.add(part, addend, out=part), total, numpy.ones(100_000))
    >>> float(total.sum())
    100000.0
    """
    present = [array for array in arrays if array is not None]
    size = present[0].size
    if size <= PIECE or not all(map(is_on_cpu, present)) or not _lie_alike(present):
        work(*arrays)
        return
    flat = [None if array is None else _as_line(array) for array in arrays]
    shares = split(size, size, LEAST_SHARE)
    step = PIECE if len(shares) == 1 else LONG_PIECE

    def run(share: slice) -> None:
        for start in range(share.start, share.stop, step):
            piece = slice(start, min(start + step, share.stop))
            work(*[None if array is None else array[piece] for array in flat])

    if len(shares) == 1:  # done here, without what ``parallel`` does for matrix products
        run(shares[0])
    else:
        parallel(shares, run)


def _lie_alike(arrays: list[Array]) -> bool:
    """Whether the arrays lie in memory without gaps, with their dimensions in the same order."""
    if all(array.flags.c_contiguous for array in arrays):
        return True
    steps = [tuple([stride // array.itemsize for stride in array.strides]) for array in arrays]
    return is_dense(arrays[0]) and all(each == steps[0] for each in steps)


def _as_line(array: Array) -> Array:
    """A dense array's elements as they follow each other in memory."""
    if array.flags.c_contiguous:
        return array.reshape(-1)
    return array.transpose(order_of(array.shape, array.strides)).reshape(-1)


def in_rows(work: Callable[..., Any], *arrays: Array, is_long: bool = False, cost: float = 1) -> list[Any]:
    """``work(*views)`` for views of a few rows (of the first dimension) of each array, which have equally many.

    Returns the results in order. On a GPU ``work`` is called once. ``is_long`` says that it is a chain of many
    operations: for these, several threads take pieces that are larger than the cache, rather than wait for each other.
    ``cost`` tells what an element of the first array costs, compared with some passes through the cache.
    """
    first = arrays[0]
    rows, size = len(first), first.size
    if not is_on_cpu(first) or size <= 2 * PIECE or rows < 2:
        return [work(*arrays)]
    shares = split(rows, size * cost, LEAST_SHARE)
    piece = 2 * PIECE if len(shares) == 1 else WHOLE_PIECE if is_long else 2 * LONG_PIECE
    step = max(piece * rows // size, 1)

    def run(share: slice) -> list[Any]:
        starts = range(share.start, share.stop, step)
        return [work(*[array[start : min(start + step, share.stop)] for array in arrays]) for start in starts]

    return [result for results in parallel(shares, run) for result in results]
