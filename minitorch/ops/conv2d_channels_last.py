"""Convolution with channels innermost: the kernel's width unrolled, one matrix product a kernel row, for stride 1.

In memory order (row, image, column, channel) the values under one row of the
kernel, K_w places of C_in channels each, lie next to each other. So unrolling the width copies runs of K_w · C_in
elements, which is as fast as memory is (copying runs of W_out elements, as ``conv2d_rows.py`` does, is not where
images are small):

    unrolled:  (H_padded · n · W_out) × (K_w · C_in)       a row for each place, of n images

and what lies under kernel row u is the same matrix from row u · n · W_out on: a view. Then

    output  =  Σ_u  unrolled[u · n · W_out :][: H_out · n · W_out]  ·  weight[u] as (K_w · C_in × C_out)

The products of all kernel rows are one call of ``matmul``, their sum (with the bias as one more term) one of
``add.reduce``: a block of images takes five calls, each long enough that two threads do not wait for Python's lock.

**Narrow products in pieces.** OpenBLAS rearranges ("packs") both factors before it multiplies, which is wasted where
they are narrow. On AVX-512 processors it multiplies *without* that if rows · columns · depth ≤ 10⁶. A thread of
this code on (M × 160) · (160 × 32): M = 256 at once 110 GFLOP/s, in pieces of 128 rows 150 to 165. So the places are
cut into pieces that stay below the limit.

**The gradients.** The input's is a convolution of the output's gradient with the kernel turned round. The kernel's
multiplies the transposed places of one image with the unrolled other one; whichever has fewer channels is unrolled.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from minitorch.backend import (
    Array,
    aligned_copy,
    aligned_empty,
    aligned_zeros,
    array_module,
    as_strided,
    kept_scratch,
    parallel,
    split,
)
from minitorch.backend.threads import LEAST_FLOP, get_num_threads
from minitorch.ops.conv2d_layout import PADDED_CHANNELS, empty_images, images_to_channels_last
from minitorch.ops.windows import Windows, inside

BLOCK_BYTES = 1_500_000  # of the scratch of a block: what a core's second cache holds
UNPACKED = 1_000_000  # rows · columns · depth of a product up to which OpenBLAS does not pack
LEAST_PIECE = 48  # rows: where even so few exceed the limit, the product is wide, and fast as it is


def applies(windows: Windows, groups: int) -> bool:
    """Whether the convolution is of the kind that this file computes."""
    return groups == 1 and windows.stride == (1, 1)


def convolve(input: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_in, H, W) and (C_out, C_in, K_h, K_w) → (N, C_out, H_out, W_out)."""
    return _convolve(input, weight.transpose(2, 3, 1, 0), bias, windows)


def transpose(output: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and the weight → (N, C_in, H, W): a convolution with the kernel turned round."""
    return _convolve(output, weight[:, :, ::-1, ::-1].transpose(2, 3, 0, 1), bias, windows.of_transpose())


def correlate_kernel(output: Array, input: Array, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and (N, C_in, H, W) → (C_out, C_in, K_h, K_w)."""
    if output.shape[1] < input.shape[1]:
        turned = _correlate(output, input, windows.of_transpose())  # (K_h, C_in, K_w, C_out)
        return turned[::-1, :, ::-1].transpose(3, 1, 0, 2)
    return _correlate(input, output, windows).transpose(1, 3, 0, 2)  # (K_h, C_out, K_w, C_in)


def _convolve(input: Array, weight: Array, bias: Array | None, windows: Windows) -> Array:
    """The convolution, given the weight as (K_h, K_w, C_in, C_out)."""
    xp = array_module(input)
    K_h, K_w, C_in, C_out = weight.shape
    output = empty_images((len(input), C_out, *windows.output_size), input)
    kernels = aligned_copy(weight).reshape(K_h, 1, K_w * C_in, C_out)
    plan = _plan(len(input), C_in, C_out, windows, input.dtype, get_num_threads())

    def work(blocks: list[_Block]) -> None:
        for block in blocks:
            scratch = block.scratch()
            scratch.unroll(block.of(input))
            xp.matmul(scratch.unrolled, kernels, out=scratch.products)
            if bias is not None:
                scratch.bias[...] = bias
            xp.add.reduce(scratch.terms if bias is not None else scratch.terms[:K_h], 0, out=scratch.sum)
            block.of_output(output)[...] = scratch.places_of_sum

    plan.run(work)
    return output


def _correlate(unrolled_images: Array, images: Array, windows: Windows) -> Array:
    """Σ over places of each channel of ``images`` (N, B, …) times what its window sees: (K_h, B, K_w, channels)."""
    xp = array_module(images)
    A, B = unrolled_images.shape[1], images.shape[1]
    K_h, K_w = windows.kernel_size
    plan = _plan(len(images), A, B, windows, images.dtype, get_num_threads())

    def work(blocks: list[_Block]) -> Array:
        total = xp.zeros((K_h, B, K_w * A), images.dtype)
        for block in blocks:
            scratch = block.scratch()
            scratch.unroll(block.of(unrolled_images))
            images_to_channels_last(block.of_output(images), scratch.places, scratch.apart)
            products = xp.matmul(scratch.places_by_channel, scratch.unrolled, out=scratch.kernel_products)
            total += xp.add.reduce(products, 1, out=scratch.kernel_sum)
        return total

    total = functools.reduce(xp.add, plan.run(work))
    return total.reshape(K_h, B, K_w, A)


class _Block:
    """Images ``first`` to ``last``, and of their output the rows ``top`` to ``bottom``."""

    def __init__(self, plan: _Plan, first: int, last: int, top: int, bottom: int) -> None:
        self.plan, self.images, self.rows = plan, slice(first, last), slice(top, bottom)
        windows = plan.windows
        self.n, height = last - first, bottom - top
        self.shape = height, self.n, windows.output_size[1]  # of the output's places
        self.seen_rows, self.input_rows = inside(
            height + plan.reach, top - windows.padding[0], 1, windows.input_size[0]
        )
        self.seen_columns, self.input_columns = inside(plan.width, -windows.padding[1], 1, windows.input_size[1])
        self.key = plan, self.shape, self.seen_rows.start, self.seen_rows.stop

    def of(self, images: Array) -> Array:
        """What the block sees of the images, without padding: (n, C, rows, columns)."""
        return images[self.images, :, self.input_rows, self.input_columns]

    def of_output(self, output: Array) -> Array:
        """The block's part of the output (n, C_out, rows, W_out)."""
        return output[self.images, :, self.rows]

    def scratch(self) -> _Scratch:
        """The memory for blocks of this size."""
        return kept_scratch(self.key, lambda: _Scratch(self))


class _Plan:
    """How a convolution is cut into blocks."""

    def __init__(self, N: int, C: int, C_out: int, windows: Windows, dtype: Any) -> None:
        self.windows, self.C, self.C_out, self.dtype = windows, C, C_out, dtype
        (K_h, K_w), (d_h, d_w), (H_out, W_out) = windows.kernel_size, windows.dilation, windows.output_size
        self.width, self.reach = W_out + d_w * (K_w - 1), d_h * (K_h - 1)
        self.flop = 2 * N * H_out * W_out * K_h * K_w * C * C_out
        limit = UNPACKED // (K_w * C * C_out)
        self.most_rows = limit if limit >= LEAST_PIECE else N * H_out * W_out
        row_bytes = dtype.itemsize * (self.width * C + W_out * K_w * C + W_out * (K_h + 2) * C_out)
        threads = len(split(N * H_out, self.flop, LEAST_FLOP))
        most = H_out if threads <= N else -(-H_out // threads)
        rows = _evenly(H_out, min(BLOCK_BYTES // row_bytes - self.reach, most))
        share = -(-N // threads)
        images = _evenly(share, BLOCK_BYTES // (row_bytes * (rows + self.reach))) if rows == H_out else 1
        self.blocks = [
            _Block(self, first, min(first + images, N), top, min(top + rows, H_out))
            for first in range(0, N, images)
            for top in range(0, H_out, rows)
        ]

    def run(self, work: Callable[[list[_Block]], Any]) -> list[Any]:
        """Share the blocks out among the threads."""
        return parallel([self.blocks[share] for share in split(len(self.blocks), self.flop, LEAST_FLOP)], work)


@functools.lru_cache(maxsize=512)
def _plan(N: int, C: int, C_out: int, windows: Windows, dtype: Any, threads: int) -> _Plan:
    """The plan; ``threads`` is what it depends on without being told."""
    return _Plan(N, C, C_out, windows, dtype)


def _evenly(count: int, limit: int) -> int:
    """A size for parts of ``count`` things that is at most ``limit`` (but at least 1) and makes them about equal."""
    return -(-count // -(-count // max(limit, 1)))


class _Scratch:
    """A block's memory and the views of it. Places are in the order row, image, column; channels innermost."""

    def __init__(self, block: _Block) -> None:
        plan, count = block.plan, math.prod(block.shape)
        self.block, self.count = block, count
        self.pieces = -(-count // min(plan.most_rows, count))
        self.piece = -(-count // self.pieces)  # places in one; the last has some to spare, whose results are not used
        self.apart: dict[Any, Array] = {}
        # What the block sees, with zeros where that is padding.
        self.padded = aligned_zeros((block.shape[0] + plan.reach, block.shape[1], plan.width, plan.C), plan.dtype)
        self.seen = self.padded[block.seen_rows, :, block.seen_columns].swapaxes(0, 1)
        self._unroll_width()
        self.nbytes = 3 * self.padded.nbytes + self.unrolled.nbytes  # about, with what is made later

    def _unroll_width(self) -> None:
        """The kernel's width unrolled: as it is seen in ``padded``, as it is copied, and as it is multiplied."""
        plan, (_, n, W_out) = self.block.plan, self.block.shape
        (K_h, K_w), (d_h, d_w), C = plan.windows.kernel_size, plan.windows.dilation, plan.C
        row, image, column, channel = self.padded.strides
        shape = len(self.padded), n, W_out, K_w, C
        self.width_windows = as_strided(self.padded, shape, (row, image, column, d_w * column, channel))
        below = d_h * n * W_out  # places from one kernel row to the next
        memory = aligned_zeros(((K_h - 1) * below + self.pieces * self.piece, K_w * C), plan.dtype)
        self.columns = memory[: len(self.padded) * n * W_out].reshape(shape)
        place, element = memory.strides
        strides = below * place, self.piece * place, place, element
        self.unrolled = as_strided(memory, (K_h, self.pieces, self.piece, K_w * C), strides)

    def unroll(self, images: Array) -> None:
        """Fill ``unrolled``: (K_h, pieces, places of a piece, K_w · C), in which kernel rows share memory."""
        images_to_channels_last(images, self.seen, self.apart)
        self.columns[...] = self.width_windows

    @functools.cached_property
    def terms(self) -> Array:
        """The terms of the output's sum: (K_h, places, channels), and one more for the bias.

        Of many channels there are more than C_out, so that places lie apart (see ``conv2d_layout.py``); what is there
        is added up, too, since NumPy is four times as fast where rows have no gaps.
        """
        plan = self.block.plan
        channels = plan.C_out + (PADDED_CHANNELS if plan.C_out >= 64 else 0)
        return aligned_zeros((plan.windows.kernel_size[0] + 1, self.pieces * self.piece, channels), plan.dtype)

    @functools.cached_property
    def products(self) -> Array:
        """The terms that are products, in pieces."""
        K_h, _, channels = self.terms[:-1].shape
        return self.terms[:-1].reshape(K_h, self.pieces, self.piece, channels)[..., : self.block.plan.C_out]

    @functools.cached_property
    def bias(self) -> Array:
        """The term that is the bias: (places, C_out)."""
        return self.terms[-1, :, : self.block.plan.C_out]

    @functools.cached_property
    def sum(self) -> Array:
        """Their sum: (places, channels)."""
        return aligned_empty(self.terms.shape[1:], self.terms.dtype)

    @functools.cached_property
    def places_of_sum(self) -> Array:
        """The same as (n, C_out, rows, W_out)."""
        places = self.sum[: self.count].reshape(*self.block.shape, -1)
        return places[..., : self.block.plan.C_out].transpose(1, 3, 0, 2)

    @functools.cached_property
    def _all_places(self) -> Array:
        return aligned_zeros((self.pieces * self.piece, self.block.plan.C_out), self.block.plan.dtype)

    @functools.cached_property
    def places(self) -> Array:
        """The places of the images that are not unrolled: (n, rows, W_out, B)."""
        return self._all_places[: self.count].reshape(*self.block.shape, -1).swapaxes(0, 1)

    @functools.cached_property
    def places_by_channel(self) -> Array:
        """The same as (pieces, B, places of a piece); zeros where some are to spare."""
        return self._all_places.reshape(self.pieces, self.piece, -1).swapaxes(1, 2)

    @functools.cached_property
    def kernel_products(self) -> Array:
        """(K_h, pieces, B, K_w · C)."""
        K_h, pieces, _, size = self.unrolled.shape
        return aligned_empty((K_h, pieces, self.block.plan.C_out, size), self.unrolled.dtype)

    @functools.cached_property
    def kernel_sum(self) -> Array:
        """(K_h, B, K_w · C)."""
        return aligned_empty(self.kernel_products[:, 0].shape, self.unrolled.dtype)
