"""Running a chain of elementwise operations piece by piece, so that it stays in the cache, and on all threads.

On whole arrays each operation of a chain streams everything through memory once. On pieces of some ten thousand
elements the memory is read and written once for all of them, and temporary results stay small enough to be reused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.backend.arrays import Array, host, is_on_cpu
from minitorch.backend.threads import get_num_threads, parallel, split

PIECE = 1 << 15  # elements: 128 KB of float32; measured best between 2¹⁴ and 2¹⁶ on a core with 1 to 2 MB of L2
# Two threads meet at Python's lock after each operation, and the one that waits sleeps: operations must be longer
# then (measured on two cores: LeNet 19.7 → 16.6 ms a step, with batch norm 64 → 58 ms).
LONG_PIECE = 1 << 17


def piece_size() -> int:
    """How many elements a piece has."""
    return PIECE if get_num_threads() == 1 else LONG_PIECE


def in_pieces(work: Callable[..., None], *arrays: Array | None) -> None:
    """``work(*views)`` for views that together cover ``arrays``, which are of one size (None stays None).

    ``work`` writes into some of its views. On a GPU, and for small or not contiguous arrays, it is called once.

    >>> import numpy
    >>> total = numpy.zeros(100_000)
    >>> in_pieces(lambda part, addend: numpy.add(part, addend, out=part), total, numpy.ones(100_000))
    >>> float(total.sum())
    100000.0
    """
    first = arrays[0]
    assert first is not None
    size = first.size
    if size <= PIECE or not all(is_on_cpu(each) and each.flags.c_contiguous for each in arrays if each is not None):
        work(*arrays)
        return
    shares = split(size, size)
    step = PIECE if len(shares) == 1 else LONG_PIECE
    flat = [None if array is None else array.reshape(-1) for array in arrays]

    def run(share: slice) -> None:
        for start in range(share.start, share.stop, step):
            piece = slice(start, min(start + step, share.stop))
            work(*[None if array is None else array[piece] for array in flat])

    if len(shares) == 1:  # done here, without what ``parallel`` does for matrix products
        run(shares[0])
    else:
        parallel(shares, run)


def in_rows(work: Callable[..., Any], *arrays: Array, at_once: int = 0) -> list[Any]:
    """``work(*views)`` for views of a few rows (of the first dimension) of each array, which have equally many.

    Returns the results in order. On a GPU ``work`` is called once. ``at_once`` is the number of elements of the first
    array in a view; what makes many short operations of one wants more than fit into the cache.
    """
    first = arrays[0]
    rows, size = len(first), first.size
    if not is_on_cpu(first) or size <= 2 * PIECE or rows < 2:
        return [work(*arrays)]
    step = max((at_once or 2 * piece_size()) * rows // size, 1)

    def run(share: slice) -> list[Any]:
        starts = range(share.start, share.stop, step)
        return [work(*[array[start : min(start + step, share.stop)] for array in arrays]) for start in starts]

    return [result for results in parallel(split(rows, size), run) for result in results]


def zeros_piece(like: Array) -> Any:
    """Zeros of the size of a piece, or 0 for what is none.

    NumPy's maximum of two arrays is three times as fast as that of an array and a number.
    """
    if like.ndim != 1 or like.size > LONG_PIECE or not is_on_cpu(like):
        return 0  # no piece
    zeros = _zeros.get(like.dtype)
    if zeros is None:
        zeros = _zeros[like.dtype] = host.zeros(LONG_PIECE, like.dtype)
    return zeros[: like.size]


_zeros: dict[Any, Array] = {}
