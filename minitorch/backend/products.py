"""Matrix products of raw arrays: on a CPU, large ones are split over the threads, and unusual shapes cut into tiles.

BLAS could do the first by itself, but its threads wait for one another by spinning: where another program (or our own
threads, see ``threads.py``) wants the core, a product that takes 1 ms then takes 10. Our threads sleep.

**Tiles.** Before it multiplies, BLAS rearranges ("packs") both factors, so that its innermost loops read them in order.
That pays if each element is used often. A layer of a few items uses each of its weights as often as there are items,
and packing them takes longer than multiplying them. OpenBLAS does without for products of up to 10⁶ multiplications;
so a product of few rows, few columns or little depth is cut into tiles below that, all in one call of ``matmul``.

Measured on two threads of an AMD EPYC with AVX-512, float32, ms, before → in tiles (torch):

    items, inputs → outputs     output               weight's gradient     input's gradient
     8, 25088 → 4096            40.2 → 18.3 (36.4)   30.6 → 23.9 (142)     31.7 → 27.8 (44.6)
     8,  4096 → 4096             6.4 →  3.4 ( 7.4)    5.6 →  4.1 (23.3)     5.8 (8.8)
    16,  6400 → 4096            11.5 →  6.2 (16.7)    9.8 →  9.2 (44.9)    13.3 →  5.9 (13.4)
    16,  4096 → 4096             6.2 →  3.7 ( 7.4)    8.7 →  5.0 (21.1)     7.3 →  5.1 (10.1)
    64,   784 →  256            0.34 → 0.26 (0.19)   0.26 (0.32)           0.26 (0.24)
"""

from __future__ import annotations

from minitorch.backend.arrays import Array, as_strided, host, is_on_cpu
from minitorch.backend.memory import empty
from minitorch.backend.scratch import ALIGNMENT, aligned_empty, aligned_zeros
from minitorch.backend.threads import one_blas_thread, parallel, split

# A share of fewer operations is not worth a thread: half of a layer's weight gradient then lies in another core's
# cache, where the optimizer finds it later (MLP 784-256-10 of 64 items, 26 MFLOP a product: 1.36 → 1.06 ms a step).
LEAST_FLOP = 2.5e7
# BLAS does not use a second thread below about this: for a matrix and a vector, for two matrices.
_ONE_THREAD_FLOP, _ONE_THREAD_FLOP_OF_MATRICES = 1.8e4, 5e5
_UNPACKED = 1_000_000  # rows · columns · depth up to which OpenBLAS does not pack
_FEW = 64  # rows: with more, packing pays
_MORE = 16  # rows from which they are turned
_THIN = 32  # rows or depth, and …
_LARGE = 1 << 22  # elements: where a product is bound by memory
_TILE_ROWS, _TILE_COLUMNS = 16, 1024  # at most
_STRIP_ROWS = _STRIP_COLUMNS = 128
_FEWEST_OF_STRIPS = 9  # rows: with fewer, reading the large matrix is all that counts
_LONG = 8192  # depth from which rows are multiplied fastest as they lie, one with another


def matrix_product(a: Array, b: Array) -> Array:
    """a @ b."""
    flop = 2 * a.size * (b.shape[-1] if b.ndim > 1 else 1) if a.ndim > 1 else 2 * b.size
    if flop < _ONE_THREAD_FLOP or a.dtype.kind != "f" or not is_on_cpu(a):
        return a @ b
    if flop < _ONE_THREAD_FLOP_OF_MATRICES and a.ndim == b.ndim == 2 and len(a) > 1 and b.shape[1] > 1:
        return a @ b
    if flop > 2 * _UNPACKED and a.dtype == b.dtype:
        if a.ndim == b.ndim == 2:
            return _product_of_matrices(a, b, flop)
        if a.ndim > 2 and a.shape[:-2] == b.shape[:-2] and len(a) > 1:
            return _split_batch(a, b, flop)
    with one_blas_thread:
        return a @ b


def _product_of_matrices(a: Array, b: Array, flop: float) -> Array:
    """Choose by shape."""
    (rows, depth), columns = a.shape, b.shape[1]
    if 1 < rows <= min(_FEW, columns // 4) and a.size <= _UNPACKED // 3 and b.flags.f_contiguous:
        return (_very_few_rows if rows < _MORE else _few_rows)(a, b, flop)
    if depth <= _THIN and rows * columns >= _LARGE:
        return _in_tiles(a, b, flop)
    if rows <= _THIN and b.size >= _LARGE and b.flags.f_contiguous:
        return _turned_product(a, b, flop)
    if _FEWEST_OF_STRIPS <= rows <= _THIN and b.size >= _LARGE:
        return _sum_of_strips(a, b, flop)
    if flop >= 2 * LEAST_FLOP:
        return _split_product(a, b, flop)
    with one_blas_thread:
        return a @ b


def _split_product(a: Array, b: Array, flop: float) -> Array:
    """Each thread computes some of the product's rows or columns, whichever there are more of."""
    output = empty((len(a), b.shape[1]), a.dtype)

    def compute_rows(part: slice) -> None:
        host.matmul(a[part], b, out=output[part])

    def compute_columns(part: slice) -> None:
        host.matmul(a, b[:, part], out=output[:, part])

    by_rows = len(a) >= b.shape[1]
    parallel(split(max(output.shape), flop, LEAST_FLOP), compute_rows if by_rows else compute_columns)
    return output


def _very_few_rows(a: Array, b: Array, flop: float) -> Array:
    """Up to 15 rows times a transposed matrix, which is what a layer's output is: input · weightᵀ.

    BLAS is slow at multiplying rows with rows unless they are very long, so the smaller factor is turned.
    """
    if a.flags.c_contiguous and a.shape[1] < _LONG:
        a = host.asfortranarray(a)
    return _in_tiles(a, b, flop)


def _few_rows(a: Array, b: Array, flop: float) -> Array:
    """(bᵀ · aᵀ)ᵀ, the same for more rows: then those of aᵀ are long enough to be the right factor.

    They are made as long as some lines of the cache; see ``scratch.py``.
    """
    (rows, depth), columns = a.shape, b.shape[1]
    line = ALIGNMENT // a.itemsize
    width = -(-rows // line) * line
    turned = aligned_zeros((depth, width), a.dtype)
    turned[:, :rows] = a.T
    height = min(max(_UNPACKED // (4 * depth * width), 1) * 4, _TILE_ROWS)  # BLAS likes multiples of 4
    output = empty((rows, columns), a.dtype)

    def work(part: slice) -> None:
        product = aligned_empty((part.stop - part.start, width), a.dtype)
        for i in _whole_and_rest(len(product), height):
            _multiply_tiles(b.T[part][i], turned, product[i], height, width)
        output[:, part] = product[:, :rows].T

    parallel(split(columns, flop, LEAST_FLOP), work)
    return output


def _turned_product(a: Array, b: Array, flop: float) -> Array:
    """(bᵀ · aᵀ)ᵀ: where rows are too long for tiles, and b lies in memory as bᵀ.

    (16 × 25088) · (25088 × 4096): 54 ms as it is, 44 so.
    """
    product = empty((b.shape[1], len(a)), a.dtype)
    shares = split(b.shape[1], flop, LEAST_FLOP)
    parallel(shares, lambda part: host.matmul(b.T[part], a.T, out=product[part]))
    return host.ascontiguousarray(product.T)


def _in_tiles(a: Array, b: Array, flop: float) -> Array:
    """The product in tiles of up to 16 × 1024 elements, fewer if the depth asks for it."""
    (rows, depth), columns = a.shape, b.shape[1]
    height = _evenly(rows, _TILE_ROWS)
    width = _evenly(columns, min(_UNPACKED // (depth * height), _TILE_COLUMNS))
    output = empty((rows, columns), a.dtype)

    def work(part: slice) -> None:
        for i in _whole_and_rest(rows, height):
            for j in _whole_and_rest(part.stop - part.start, width):
                _multiply_tiles(a[i], b[:, part][:, j], output[i, part][:, j], height, width)

    parallel(split(columns, flop, LEAST_FLOP), work)
    return output


def _multiply_tiles(a: Array, b: Array, output: Array, height: int, width: int) -> None:
    """output = a @ b in tiles of ``height`` × ``width``, or in a smaller single one."""
    (rows, depth), columns = a.shape, b.shape[1]
    height, width = min(height, rows), min(width, columns)
    strips = a.reshape(rows // height, 1, height, depth)
    bands = b.reshape(depth, columns // width, width).swapaxes(0, 1)
    row, column = output.strides
    strides = row * height, column * width, row, column
    tiles = as_strided(output, (len(strips), len(bands), height, width), strides)
    if (
        rows <= _FEW
    ):  # the other factor may be large: each band of it is multiplied by all rows while it is in the cache
        strips, bands, tiles = strips.swapaxes(0, 1), bands[:, None], tiles.swapaxes(0, 1)
    host.matmul(strips, bands, out=tiles)


def _sum_of_strips(a: Array, b: Array, flop: float) -> Array:
    """A few rows times a large matrix, read in strips of its rows, one after another as they lie in memory.

    It is computed as (bᵀ · aᵀ)ᵀ, since BLAS likes to have more rows than columns.
    """
    rows, (depth, columns) = len(a), b.shape
    turned = host.ascontiguousarray(a.T)
    output = empty((rows, columns), a.dtype)

    def work(part: slice) -> None:
        total, product = (host.zeros((part.stop - part.start, rows), a.dtype) for _ in range(2))
        for start in range(0, depth, _STRIP_ROWS):
            strip = slice(start, min(start + _STRIP_ROWS, depth))
            for j in _whole_and_rest(len(total), _STRIP_COLUMNS):
                _multiply_tiles(b[strip, part][:, j].T, turned[strip], product[j], _STRIP_COLUMNS, rows)
            total += product
        output[:, part] = total.T

    parallel(split(columns, flop, LEAST_FLOP), work)
    return output


def _evenly(count: int, limit: int) -> int:
    """A size for tiles of ``count`` things that is at most ``limit`` (but at least 1) and makes them about equal."""
    return -(-count // -(-count // max(limit, 1)))


def _whole_and_rest(count: int, size: int) -> list[slice]:
    """``range(count)`` as a part that ``size`` divides, and what is left."""
    end = count - count % size
    return [part for part in (slice(0, end), slice(end, count)) if part.stop > part.start]


def _split_batch(a: Array, b: Array, flop: float) -> Array:
    """Each thread computes some of the products."""
    output = empty((*a.shape[:-1], b.shape[-1]), a.dtype)
    parallel(split(len(a), flop, LEAST_FLOP), lambda part: host.matmul(a[part], b[part], out=output[part]))
    return output
