"""Matrix products of raw arrays: on a CPU, large ones are split over the threads.

BLAS could do that by itself, but its threads wait for one another by spinning: where another program (or our own
threads, see ``threads.py``) wants the core, a product that takes 1 ms then takes 10. Our threads sleep.
"""

from __future__ import annotations

import functools

from minitorch.backend.arrays import Array, host, is_on_cpu
from minitorch.backend.memory import empty
from minitorch.backend.threads import get_num_threads, one_blas_thread, parallel, split

# A share of fewer operations is not worth a thread: half of a layer's weight gradient then lies in another core's
# cache, where the optimizer finds it later (MLP 784-256-10 of 64 items, 26 MFLOP a product: 1.36 → 1.06 ms a step).
LEAST_FLOP = 2.5e7
# BLAS does not use a second thread below about this: for a matrix and a vector, for two matrices.
_ONE_THREAD_FLOP, _ONE_THREAD_FLOP_OF_MATRICES = 1.8e4, 5e5
_THIN = 32  # rows or columns, and
_LARGE = 1 << 22  # elements: where a product is bound by memory
_STRIP = 16  # rows


def matrix_product(a: Array, b: Array) -> Array:
    """a @ b."""
    flop = 2 * a.size * (b.shape[-1] if b.ndim > 1 else 1) if a.ndim > 1 else 2 * b.size
    if flop < _ONE_THREAD_FLOP or a.dtype.kind != "f" or not is_on_cpu(a) or get_num_threads() == 1:
        return a @ b
    if flop < _ONE_THREAD_FLOP_OF_MATRICES and a.ndim == b.ndim == 2 and len(a) > 1 and b.shape[1] > 1:
        return a @ b
    if flop >= 2 * LEAST_FLOP and a.dtype == b.dtype:
        if a.ndim == b.ndim == 2:
            return _split_product(a, b, flop)
        if a.ndim > 2 and a.shape[:-2] == b.shape[:-2] and len(a) > 1:
            return _split_batch(a, b, flop)
    with one_blas_thread:
        return a @ b


def _split_product(a: Array, b: Array, flop: float) -> Array:
    """Each thread computes some of the product's rows or columns, whichever there are more of."""
    (rows, depth), columns = a.shape, b.shape[1]
    if depth <= _THIN and rows * columns >= _LARGE:
        return _outer_product(a, b, flop)
    if rows <= _THIN and b.size >= _LARGE:
        return _thin_product(a, b, flop)
    output = empty((rows, columns), a.dtype)

    def compute_rows(part: slice) -> None:
        host.matmul(a[part], b, out=output[part])

    def compute_columns(part: slice) -> None:
        host.matmul(a, b[:, part], out=output[:, part])

    parallel(split(max(rows, columns), flop, LEAST_FLOP), compute_rows if rows >= columns else compute_columns)
    return output


def _outer_product(a: Array, b: Array, flop: float) -> Array:
    """A large product of a narrow and a flat matrix is bound by writing it: a few whole rows at a time, in order.

    (4096 × 8) · (8 × 25088), two threads: 48 ms at once, 36 in strips; writing alone takes 27.
    """
    output = empty((len(a), b.shape[1]), a.dtype)

    def work(part: slice) -> None:
        for start in range(part.start, part.stop, _STRIP):
            strip = slice(start, min(start + _STRIP, part.stop))
            host.matmul(a[strip], b, out=output[strip])

    parallel(split(len(a), flop, LEAST_FLOP), work)
    return output


def _thin_product(a: Array, b: Array, flop: float) -> Array:
    """A few rows times a large matrix is bound by reading that: in the order in which it lies in memory.

    (8 × 25088) · (25088 × 4096), the second factor a transposed matrix: 37 ms as it is, 31 as (bᵀ · aᵀ)ᵀ.
    (8 × 4096) · (4096 × 25088): 40 ms by columns, 28 as a sum over strips of b's rows.
    """
    if b.flags.f_contiguous:
        product = empty((b.shape[1], len(a)), a.dtype)
        shares = split(b.shape[1], flop, LEAST_FLOP)
        parallel(shares, lambda part: host.matmul(b.T[part], a.T, out=product[part]))
        return host.ascontiguousarray(product.T)

    def work(part: slice) -> Array:
        total = host.zeros((len(a), b.shape[1]), a.dtype)
        for start in range(part.start, part.stop, 4 * _STRIP):
            strip = slice(start, min(start + 4 * _STRIP, part.stop))
            total += host.matmul(a[:, strip], b[strip])
        return total

    return functools.reduce(host.add, parallel(split(len(b), flop, LEAST_FLOP), work))


def _split_batch(a: Array, b: Array, flop: float) -> Array:
    """Each thread computes some of the products."""
    output = empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    parallel(split(len(a), flop, LEAST_FLOP), lambda part: host.matmul(a[part], b[part], out=output[part]))
    return output
