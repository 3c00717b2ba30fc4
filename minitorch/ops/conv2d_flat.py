"""Convolution with the rows of an image laid end to end, for few channels and stride 1.

This is step 2 of the story in ``conv2d.py``, a few images at a time. Copying windows costs least where what is copied
lies in long runs. Lay the rows of a padded image end to end; then going one element to the right is a step of 1,
and one row down a step of W, the padded width. So what lies under one element (u, v) of the kernel, for *all* windows,
is one run of the image, which begins at u·W + v:

    image:           a b c d e f g h i j k l …            three windows a row, W = 5, of which two are padding
    under (0, 0):    a b c d e│f g h i j│…                each row of windows is as long as a row of the image;
    under (0, 1):    b c d e f│g h i j k│…                the last K_w − 1 of them reach into the next row,
    under (1, 0):    f g h i j│k l …                      and what is computed there is left out

    unrolled:  (C_in · K_h · K_w) × (n · H_out · W)       copied in runs of H_out · W elements

    output  =  weight as (C_out × C_in · K_h · K_w)  ·  unrolled,  without the last K_w − 1 of each W columns

The kernel's gradient is unrolled · grad_outputᵀ, with zeros in the columns that are left out (where the image is not
finite, 0 · ∞ is nan; ``conv2d.py`` then has it computed in another way). The input's gradient is another convolution:
of the output's, with the kernel turned round.
"""

from __future__ import annotations

import functools
from typing import Any

from minitorch.backend import Array, aligned_zeros, as_strided, host
from minitorch.backend.scratch import ALIGNMENT
from minitorch.backend.threads import get_num_threads
from minitorch.ops import conv2d_blocks
from minitorch.ops.conv2d_rows import flipped
from minitorch.ops.windows import Windows, inside

BLOCK_BYTES = 1_200_000  # of the scratch of a block
UNPACKED = 1_000_000  # rows · columns · depth of a product up to which OpenBLAS does not pack
LEAST_PIECE = 128  # places
MOST_LEFT_OUT = 0.25  # of the places that are not


def applies(windows: Windows, groups: int) -> bool:
    """Whether the convolution is of the kind that this file computes."""
    return groups == 1 and windows.stride == (1, 1)


def wastes_little(windows: Windows) -> bool:
    """Whether few of the computed places are left out."""
    return windows.dilation[1] * (windows.kernel_size[1] - 1) <= MOST_LEFT_OUT * windows.output_size[1]


def convolve(input: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_in, H, W) and (C_out, C_in, K_h, K_w) → (N, C_out, H_out, W_out)."""
    plan = _plan(len(input), input.shape[1], len(weight), windows, input.dtype, get_num_threads())
    return conv2d_blocks.convolve(plan, input, weight, bias, windows)


def transpose(output: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and the weight → (N, C_in, H, W): every output element added at its window."""
    return convolve(output, flipped(weight, groups), bias, windows.of_transpose(), groups)


def correlate_kernel(output: Array, input: Array, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and (N, C_in, H, W) → (C_out, C_in, K_h, K_w)."""
    plan = _plan(len(input), input.shape[1], output.shape[1], windows, input.dtype, get_num_threads())
    return conv2d_blocks.correlate_kernel(plan, output, input, windows)


class _Plan(conv2d_blocks.BlockPlan):
    """How a convolution is cut into blocks of images, and the images into pieces for the products."""

    def __init__(self, N: int, C_in: int, C_out: int, windows: Windows, dtype: Any) -> None:
        self.windows, self.C_in, self.C_out, self.dtype = windows, C_in, C_out, dtype
        (K_h, K_w), (H_out, W_out), (d_h, d_w) = windows.kernel_size, windows.output_size, windows.dilation
        self.height, self.width = H_out + d_h * (K_h - 1), W_out + d_w * (K_w - 1)  # of a padded image
        self.seen_rows, self.input_rows = inside(self.height, -windows.padding[0], 1, windows.input_size[0])
        self.seen_columns, self.input_columns = inside(self.width, -windows.padding[1], 1, windows.input_size[1])
        self.depth = C_in * K_h * K_w
        self.length = H_out * self.width
        limit = UNPACKED // ((self.depth + 1) * C_out)
        self.pieces = -(-self.length // limit) if limit >= LEAST_PIECE else 1
        self.pitch = _round_up(self.length, self.pieces * (ALIGNMENT // dtype.itemsize))
        flop = 2 * N * H_out * W_out * self.depth * C_out
        image_bytes = dtype.itemsize * (self.pitch * (self.depth + C_out) + C_in * self.height * self.width)
        super().__init__(N, flop, image_bytes, BLOCK_BYTES)

    def in_pieces(self, rows: Array) -> Array:
        """(n, rows, pitch) → (n, pieces, rows, pitch / pieces)."""
        n, count, _ = rows.shape
        image, row, place = rows.strides
        size = self.pitch // self.pieces
        return as_strided(rows, (n, self.pieces, count, size), (image, size * place, row, place))

    def without_rest(self, places: Array) -> Array:
        """(n, C_out, pitch) → (n, C_out, H_out, W_out): without what is left out at the end of each row."""
        image, channel, place = places.strides
        strides = image, channel, self.width * place, place
        return as_strided(places, (*places.shape[:2], *self.windows.output_size), strides)

    def make_scratch(self, n: int) -> _Scratch:
        """The memory for a block of n images."""
        return _Scratch(self, n)


def _round_up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


@functools.lru_cache(maxsize=512)
def _plan(N: int, C_in: int, C_out: int, windows: Windows, dtype: Any, threads: int) -> _Plan:
    """The plan; ``threads`` is what it depends on without being told."""
    return _Plan(N, C_in, C_out, windows, dtype)


class _Scratch:
    """The memory of a block of n images, and the views of it. Left-out places are among its places."""

    def __init__(self, plan: _Plan, n: int) -> None:
        (K_h, K_w), (d_h, d_w), C_in = plan.windows.kernel_size, plan.windows.dilation, plan.C_in
        self.plan, self.n = plan, n
        padded = aligned_zeros((n, C_in, plan.height * plan.width + d_w * (K_w - 1)), plan.dtype)
        images = padded[..., : plan.height * plan.width].reshape(n, C_in, plan.height, plan.width)
        self.seen = images[..., plan.seen_rows, plan.seen_columns]
        # What lies under each element of the kernel: one run for each image, seen in place and copied.
        image, channel, element = padded.strides
        strides = image, channel, d_h * plan.width * element, d_w * element, element
        self.runs = as_strided(padded, (n, C_in, K_h, K_w, plan.length), strides)
        self.unrolled = aligned_zeros((n, plan.depth + 1, plan.pitch), plan.dtype)
        self.unrolled[:, -1] = 1  # the factor of the bias
        self.copies = self.unrolled[:, :-1, : plan.length].reshape(self.runs.shape)
        self.unrolled_pieces = plan.in_pieces(self.unrolled)
        self.nbytes = padded.nbytes + 2 * self.unrolled.nbytes  # about, with what is made later

    def unroll(self, images: Array) -> None:
        """Fill ``unrolled`` with the windows of the images (n, C_in, H, W)."""
        self.seen[...] = images[:, :, self.plan.input_rows, self.plan.input_columns]
        self.copies[...] = self.runs

    @functools.cached_property
    def places(self) -> tuple[Array, Array]:
        """The output in pieces, and the same as (n, C_out, H_out, W_out)."""
        places = aligned_zeros((self.n, self.plan.C_out, self.plan.pitch), self.plan.dtype)
        return self.plan.in_pieces(places), self.plan.without_rest(places)

    @functools.cached_property
    def gradients(self) -> tuple[Array, Array]:
        """The output's gradients, turned, in pieces (places, C_out); and as (n, C_out, H_out, W_out).

        The zeros stay where a place is left out.
        """
        places = aligned_zeros((self.n, self.plan.C_out, self.plan.pitch), self.plan.dtype)
        return self.plan.in_pieces(places).swapaxes(2, 3), self.plan.without_rest(places)

    def product_with(self, gradients: Array) -> Array:
        """unrolled · gradientsᵀ for the output's gradients (n, C_out, H_out, W_out): (depth, C_out)."""
        pieces, places = self.gradients
        places[...] = gradients
        products = host.matmul(self.unrolled_pieces[:, :, :-1], pieces)
        return products.sum((0, 1), dtype=gradients.dtype)
