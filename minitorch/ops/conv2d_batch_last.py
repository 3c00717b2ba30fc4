"""Convolution with images innermost, for few channels: all of the kernel unrolled, one matrix product.

This is step 2 of the story in ``conv2d.py``, a few images at a time and in another memory order: (channel, row, column,
image). Where channels and images are few and small, copying windows costs more than multiplying them, and what it
costs is the number of *runs* that lie next to each other. With the images innermost a run is a whole row of the
output, of all images of the block:

    unrolled:  (C_in · K_h · K_w) × (H_out · W_out · n)       copied in runs of W_out · n elements

    output  =  weight as (C_out × C_in · K_h · K_w)  ·  unrolled

The gradients are the same product with other factors. The kernel's: grad_output · unrolledᵀ. The input's:
weightᵀ · grad_output is a gradient for every *copy*; ``_fold`` adds the copies up where they came from.
"""

from __future__ import annotations

import functools
import math
from typing import Any

from minitorch.backend import (
    Array,
    aligned_empty,
    aligned_zeros,
    array_module,
    as_strided,
)
from minitorch.backend.threads import get_num_threads
from minitorch.ops import conv2d_blocks
from minitorch.ops.windows import Windows, inside

Pairs = list[tuple[Array, Array]]

BLOCK_BYTES = 2_600_000  # of the scratch of a block: about what a core's second cache holds
UNPACKED = 1_000_000  # rows · columns · depth of a product up to which OpenBLAS does not pack
LEAST_PIECE = 128  # places
LONG_PIECE = 1024  # places


def applies(windows: Windows, groups: int) -> bool:
    """Whether the convolution is of the kind that this file computes."""
    return groups == 1


def convolve(input: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_in, H, W) and (C_out, C_in, K_h, K_w) → (N, C_out, H_out, W_out)."""
    plan = _plan(len(input), input.shape[1], len(weight), windows, input.dtype, get_num_threads())
    return conv2d_blocks.convolve(plan, input, weight, bias, windows)


def transpose(output: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and the weight → (N, C_in, H, W): every output element added at its window."""
    xp = array_module(output)
    C_out, C_in = weight.shape[:2]
    input = xp.zeros((len(output), C_in, *windows.input_size), output.dtype)  # windows may leave out some of it
    kernels = weight.reshape(C_out, math.prod(weight.shape[1:])).T
    plan = _plan(len(output), C_in, C_out, windows, output.dtype, get_num_threads())

    def work(blocks: list[slice]) -> None:
        for images in blocks:
            scratch = plan.scratch(images)
            scratch.output[...] = output[images]
            xp.matmul(kernels, scratch.place_pieces, out=scratch.unrolled_pieces[:, :-1])
            scratch.fold(input[images])
            if bias is not None:
                input[images] += bias[:, None, None]

    plan.run(work)
    return input


def correlate_kernel(output: Array, input: Array, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and (N, C_in, H, W) → (C_out, C_in, K_h, K_w)."""
    plan = _plan(len(input), input.shape[1], output.shape[1], windows, input.dtype, get_num_threads())
    return conv2d_blocks.correlate_kernel(plan, output, input, windows)


class _Plan(conv2d_blocks.BlockPlan):
    """How a convolution is cut into blocks of images."""

    def __init__(self, N: int, C_in: int, C_out: int, windows: Windows, dtype: Any) -> None:
        self.windows, self.C_in, self.C_out, self.dtype = windows, C_in, C_out, dtype
        places = math.prod(windows.output_size)
        depth = C_in * math.prod(windows.kernel_size)
        flop = 2 * N * places * depth * C_out
        image_bytes = dtype.itemsize * (places * (depth + C_out) + C_in * math.prod(windows.input_size))
        super().__init__(N, flop, image_bytes, BLOCK_BYTES)

    def make_scratch(self, n: int) -> _Scratch:
        """The memory for a block of n images."""
        return _Scratch(self, n)


@functools.lru_cache(maxsize=512)
def _plan(N: int, C_in: int, C_out: int, windows: Windows, dtype: Any, threads: int) -> _Plan:
    """The plan; ``threads`` is what it depends on without being told."""
    return _Plan(N, C_in, C_out, windows, dtype)


class _Scratch:
    """The memory of a block of n images, and the views of it."""

    def __init__(self, plan: _Plan, n: int) -> None:
        windows, C_in, C_out = plan.windows, plan.C_in, plan.C_out
        (K_h, K_w), (H_out, W_out), (s_h, s_w) = windows.kernel_size, windows.output_size, windows.stride
        (d_h, d_w), (p_h, p_w), (H, W) = windows.dilation, windows.padding, windows.input_size
        height, width = (H_out - 1) * s_h + d_h * (K_h - 1) + 1, (W_out - 1) * s_w + d_w * (K_w - 1) + 1
        self.seen_rows, self.input_rows = inside(height, -p_h, 1, H)
        self.seen_columns, self.input_columns = inside(width, -p_w, 1, W)
        self.padded = aligned_zeros((C_in, height, width, n), plan.dtype)
        self.seen = self.padded[:, self.seen_rows, self.seen_columns].transpose(3, 0, 1, 2)  # (n, C_in, rows, columns)
        self.windows = windows
        # All windows of all images, seen in place and copied.
        channel, row, column, image = self.padded.strides
        shape = C_in, K_h, K_w, H_out, W_out, n
        strides = channel, d_h * row, d_w * column, s_h * row, s_w * column, image
        self.all_windows = as_strided(self.padded, shape, strides)
        depth, count = C_in * K_h * K_w, H_out * W_out * n
        memory = aligned_empty((depth + 1, count), plan.dtype)
        memory[depth] = 1  # the factor of the bias
        self.copies = memory[:depth].reshape(shape)
        self.unrolled = memory[:depth]
        # The output: (C_out, places of all images), and the same as (n, C_out, H_out, W_out).
        self.all_places = aligned_empty((C_out, count), plan.dtype)
        self.output = self.all_places.reshape(C_out, H_out, W_out, n).transpose(3, 0, 1, 2)
        # Both in pieces, as views (pieces, depth + 1 or C_out, places of a piece).
        pieces = _pieces(count, UNPACKED // ((depth + 1) * C_out))
        self.unrolled_pieces = memory.reshape(depth + 1, pieces, count // pieces).swapaxes(0, 1)
        self.place_pieces = self.all_places.reshape(C_out, pieces, count // pieces).swapaxes(0, 1)
        self.nbytes = self.padded.nbytes + self.copies.nbytes + self.all_places.nbytes

    def unroll(self, images: Array) -> None:
        """Fill ``unrolled`` with the windows of the images (n, C_in, H, W)."""
        self.seen[...] = images[:, :, self.input_rows, self.input_columns]
        self.copies[...] = self.all_windows

    @property
    def places(self) -> tuple[Array, Array]:
        """The output in pieces, and the same as (n, C_out, H_out, W_out)."""
        return self.place_pieces, self.output

    def product_with(self, gradients: Array) -> Array:
        """unrolled · gradientsᵀ; in pieces if they are long, since then each is packed but stays in the cache."""
        self.output[...] = gradients
        xp = array_module(self.all_places)
        if self.place_pieces.shape[2] < LONG_PIECE:
            return xp.matmul(self.unrolled, self.all_places.T)
        products = xp.matmul(self.unrolled_pieces[:, :-1], self.place_pieces.swapaxes(1, 2))
        return products.sum(0, dtype=gradients.dtype)

    def fold(self, images: Array) -> None:
        """The transpose of ``unroll``: add up what was copied from each place of the images (n, C_in, H, W).

        First the copies of one kernel column that came from the same row, then the columns: K_h + K_w large sums
        instead of K_h · K_w small ones.
        """
        for total, pairs in (self.row_pairs, self.column_pairs):
            total[...] = 0
            for target, copies in pairs:
                target += copies
        images[:, :, self.input_rows, self.input_columns] = self.sums_seen

    @functools.cached_property
    def sums(self) -> Array:
        """Memory like ``padded`` (whose zeros must stay)."""
        return aligned_empty(self.padded.shape, self.padded.dtype)

    @functools.cached_property
    def sums_seen(self) -> Array:
        """The part of it that is not padding: (n, C_in, rows, columns)."""
        return self.sums[:, self.seen_rows, self.seen_columns].transpose(3, 0, 1, 2)

    @functools.cached_property
    def row_pairs(self) -> tuple[Array, Pairs]:
        """Sums for each kernel column (C_in, K_w, height, W_out, n); of each kernel row: where its copies belong."""
        K_h, H_out = self.windows.kernel_size[0], self.windows.output_size[0]
        C_in, height = self.padded.shape[:2]
        sums = aligned_empty((C_in, self.copies.shape[2], height, *self.copies.shape[4:]), self.padded.dtype)
        return sums, [(sums[:, :, _strided(u, 0, H_out, self.windows)], self.copies[:, u]) for u in range(K_h)]

    @functools.cached_property
    def column_pairs(self) -> tuple[Array, Pairs]:
        """``sums``; of each kernel column: where its sums belong."""
        K_w, W_out = self.windows.kernel_size[1], self.windows.output_size[1]
        sums = self.row_pairs[0]
        return self.sums, [(self.sums[:, :, _strided(v, 1, W_out, self.windows)], sums[:, v]) for v in range(K_w)]


def _pieces(count: int, limit: int) -> int:
    """Into how many equal pieces of at most ``limit`` places ``count`` are cut; 1 where those would be short."""
    least = -(-count // max(limit, 1))
    return next((n for n in range(least, 2 * least) if count % n == 0), 1) if limit >= LEAST_PIECE else 1


def _strided(element: int, axis: int, count: int, windows: Windows) -> slice:
    """The places of all windows' ``element`` along an axis."""
    first, step = element * windows.dilation[axis], windows.stride[axis]
    return slice(first, first + (count - 1) * step + 1, step)
