"""Convolution on a CPU: a few images at a time, the kernel's width unrolled, one matrix product a kernel row.

Step 3 of the story in ``conv2d.py``. For one image and stride 1, copy the image K_w times, copy v shifted v places to
the left, and see what lies under one row u of the kernel: the same copies, u rows further down.

    unrolled (C_in · K_w rows)      ┌──────────────────────────────┐   each row holds H_padded · W_out numbers
                                    │ ░░░░░ under kernel row u ░░░░│   u · W_out … (u + H_out) · W_out
                                    └──────────────────────────────┘

That part is a matrix without any copying (a slice of each row), so

    output = Σ_u  weight[:, :, u, :] as (C_out × C_in·K_w)  ·  unrolled[:, u·W_out : (u + H_out)·W_out]

and the two gradients are the same products with the factors exchanged. Rows of unlike remainder modulo the stride
are kept apart, so that with any stride and dilation the rows under u follow each other.

**Blocks.** The unrolled copies of a block of images (and of a band of rows, if one image is large) stay in the cache.
Where images are very small, a product for each of them would be too narrow to run well: then several images lie side
by side in one matrix. Blocks write to different parts of the result and know nothing of each other (the kernel's
gradient alone is a sum over all of them).

**Groups** are one more dimension of the products: ``matmul`` runs one after another. Even for a product a channel
(depthwise convolution) that is several times faster than multiplying and adding whole shifted images.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from minitorch.backend import Array, array_module
from minitorch.ops.windows import Windows, inside

# Both were measured; twice or half as much makes a few per cent of difference.
BLOCK_BYTES = 3_000_000  # of scratch: about what two cores' second-level caches hold
SHARING_FACTOR = 4  # images share a product if each has that many times fewer places than the product has rows


class Block(NamedTuple):
    """Images ``first`` to ``last``, and of their output the rows ``top`` to ``bottom``."""

    first: int
    last: int
    top: int
    bottom: int


class Plan:
    """How one convolution is cut into blocks, and the shape of a block's scratch.

    A block of n images is ``parts`` × ``side`` of them: ``side`` lie side by side in one matrix.
    """

    def __init__(self, N: int, C_in: int, C_out: int, windows: Windows, groups: int, itemsize: int) -> None:
        self.C_in, self.C_out, self.windows, self.groups = C_in, C_out, windows, groups
        (K_h, K_w), (s_h, _), (d_h, _) = windows.kernel_size, windows.stride, windows.dilation
        self.remainders = sorted({u * d_h % s_h for u in range(K_h)})
        self.reach = d_h * (K_h - 1) // s_h  # rows that a kernel reaches beyond its first, in each remainder
        H_out, W_out = windows.output_size
        self.is_shared = SHARING_FACTOR * H_out * W_out < C_in // groups * K_w
        row_bytes = itemsize * W_out * (C_in * K_w * len(self.remainders) + 2 * C_out)
        self.rows = _evenly(H_out, BLOCK_BYTES // row_bytes - self.reach)
        self.images = _evenly(N, BLOCK_BYTES // (row_bytes * (self.rows + self.reach)))
        self.N, self.H_out = N, H_out

    def blocks(self) -> Iterator[Block]:
        """All blocks."""
        for first in range(0, self.N, self.images):
            for top in range(0, self.H_out, self.rows):
                yield Block(first, min(first + self.images, self.N), top, min(top + self.rows, self.H_out))

    def part(self, images: Array, block: Block) -> Array:
        """A view of the block's images as (parts, C, H, side, W)."""
        chosen = images[block.first : block.last]
        n, C, H, W = chosen.shape
        parts, side = (1, n) if self.is_shared else (n, 1)
        return chosen.reshape(parts, side, C, H, W).transpose(0, 2, 3, 1, 4)

    def output_part(self, output: Array, block: Block) -> Array:
        """A view of the block's output as (parts, C_out, rows, side, W_out)."""
        return self.part(output, block)[:, :, block.top : block.bottom]

    def as_matrices(self, output_part: Array) -> Array:
        """(parts, C_out, rows, side, W_out) → (parts, groups, C_out / groups, rows · side · W_out)."""
        parts, C_out, *place = output_part.shape
        return output_part.reshape(parts, self.groups, C_out // self.groups, math.prod(place))


class Unrolled:
    """The scratch of one convolution: a block's input with the kernel's width unrolled."""

    def __init__(self, plan: Plan, like: Array) -> None:
        self.plan, self.like = plan, like
        self.memory: Array = None
        self.array: Array = None  # (parts, C_in, K_w, remainders, rows, side, W_out)

    def shape_for(self, block: Block) -> None:
        """Take the shape that ``block`` needs, in memory that all blocks share."""
        plan = self.plan
        n, rows = block.last - block.first, block.bottom - block.top + plan.reach
        parts, side = (1, n) if plan.is_shared else (n, 1)
        K_w, W_out = plan.windows.kernel_size[1], plan.windows.output_size[1]
        shape = (parts, plan.C_in, K_w, len(plan.remainders), rows, side, W_out)
        size = math.prod(shape)
        if self.memory is None or self.memory.size < size:
            self.memory = array_module(self.like).empty(size, self.like.dtype)
        self.array = self.memory[:size].reshape(shape)

    def planes(self, block: Block) -> Iterator[tuple[Array, tuple[slice, slice], tuple[slice, slice]]]:
        """For each kernel column and remainder: its copy, the part of it inside the input, and where that lies."""
        windows = self.plan.windows
        for v in range(windows.kernel_size[1]):
            columns, input_columns = windows.along(1, v)
            for position, remainder in enumerate(self.plan.remainders):
                plane = self.array[:, :, v, position]  # (parts, C_in, rows, side, W_out)
                first = block.top * windows.stride[0] + remainder - windows.padding[0]
                rows, input_rows = inside(plane.shape[2], first, windows.stride[0], windows.input_size[0])
                yield plane, (rows, columns), (input_rows, input_columns)

    def fill(self, input: Array, block: Block) -> None:
        """Copy the block's input in."""
        self.shape_for(block)
        source = self.plan.part(input, block)
        for plane, (rows, columns), (input_rows, input_columns) in self.planes(block):
            _clear_outside(plane, rows, columns)
            plane[:, :, rows, :, columns] = source[:, :, input_rows, :, input_columns]

    def add_to(self, input: Array, block: Block) -> None:
        """The opposite of ``fill``: add every copy back at its place."""
        target = self.plan.part(input, block)
        for plane, (rows, columns), (input_rows, input_columns) in self.planes(block):
            target[:, :, input_rows, :, input_columns] += plane[:, :, rows, :, columns]

    def under(self, u: int) -> Array:
        """What lies under kernel row u: a view (parts, groups, C_in / groups · K_w, output rows · side · W_out)."""
        plan, windows = self.plan, self.plan.windows
        parts, C_in, K_w, remainders, rows, side, W_out = self.array.shape
        below, remainder = divmod(u * windows.dilation[0], windows.stride[0])
        matrices = self.array.reshape(parts, plan.groups, C_in // plan.groups * K_w, remainders * rows * side * W_out)
        start = (plan.remainders.index(remainder) * rows + below) * side * W_out
        return matrices[..., start : start + (rows - plan.reach) * side * W_out]


def convolve(input: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_in, H, W) and (C_out, C_in / groups, K_h, K_w) → (N, C_out, H_out, W_out)."""
    xp = array_module(input)
    (N, C_in, *_), C_out = input.shape, len(weight)
    output = xp.empty((N, C_out, *windows.output_size), input.dtype)
    if output.size == 0:
        return output
    plan = Plan(N, C_in, C_out, windows, groups, input.itemsize)
    unrolled, kernel_rows = Unrolled(plan, input), _kernel_rows(weight, groups)
    offset = 0 if bias is None else bias[:, None, None, None]
    for block in plan.blocks():
        unrolled.fill(input, block)
        total = xp.matmul(kernel_rows[0], unrolled.under(0))
        product = xp.empty_like(total) if len(kernel_rows) > 1 else total
        for u in range(1, len(kernel_rows)):
            xp.matmul(kernel_rows[u], unrolled.under(u), out=product)
            total += product
        part = plan.output_part(output, block)
        xp.add(total.reshape(part.shape), offset, out=part)
    return output


def transpose(output: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and the weight → (N, C_in, H, W): every output element added at its window."""
    if windows.stride == (1, 1):
        return convolve(output, _flipped(weight, groups), bias, _windows_of_transpose(windows), groups)
    xp = array_module(output)
    N, C_out, C_in = len(output), len(weight), weight.shape[1] * groups
    input = xp.zeros((N, C_in, *windows.input_size), output.dtype)
    if bias is not None:
        input += bias[:, None, None]
    if 0 in (input.size, output.size):
        return input
    plan = Plan(N, C_in, C_out, windows, groups, output.itemsize)
    unrolled, kernel_rows = Unrolled(plan, output), _kernel_rows(weight, groups).swapaxes(-1, -2)
    for block in plan.blocks():
        images = plan.as_matrices(plan.output_part(output, block))
        unrolled.shape_for(block)
        unrolled.array[...] = 0
        for u in range(len(kernel_rows)):
            under = unrolled.under(u)
            under += xp.matmul(kernel_rows[u], images)
        unrolled.add_to(input, block)
    return input


def correlate_kernel(output: Array, input: Array, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and (N, C_in, H, W) → (C_out, C_in / groups, K_h, K_w)."""
    xp = array_module(input)
    (N, C_in, *_), C_out, (K_h, K_w) = input.shape, output.shape[1], windows.kernel_size
    kernel_rows = xp.zeros((K_h, groups, C_out // groups, C_in // groups * K_w), input.dtype)
    if 0 not in (input.size, output.size):
        plan = Plan(N, C_in, C_out, windows, groups, input.itemsize)
        unrolled = Unrolled(plan, input)
        for block in plan.blocks():
            unrolled.fill(input, block)
            images = plan.as_matrices(plan.output_part(output, block))
            for u in range(K_h):
                kernel_rows[u] += xp.matmul(images, unrolled.under(u).swapaxes(-1, -2)).sum(0, dtype=input.dtype)
    by_row = kernel_rows.reshape(K_h, C_out, C_in // groups, K_w)
    return xp.ascontiguousarray(by_row.transpose(1, 2, 0, 3))


def _kernel_rows(weight: Array, groups: int) -> Array:
    """(C_out, C_in / groups, K_h, K_w) → (K_h, groups, C_out / groups, C_in / groups · K_w)."""
    C_out, C_in, K_h, K_w = weight.shape
    by_row = array_module(weight).ascontiguousarray(weight.transpose(2, 0, 1, 3))
    return by_row.reshape(K_h, groups, C_out // groups, C_in * K_w)


def _flipped(weight: Array, groups: int) -> Array:
    """The kernel with which a convolution of stride 1 is its own transpose: turned round, channels exchanged."""
    C_out, C_in, K_h, K_w = weight.shape
    grouped = weight.reshape(groups, C_out // groups, C_in, K_h, K_w)
    return grouped[..., ::-1, ::-1].swapaxes(1, 2).reshape(groups * C_in, C_out // groups, K_h, K_w)


def _windows_of_transpose(windows: Windows) -> Windows:
    """The windows of the transposed convolution, for stride 1: from the other end, so padded by what was missing."""
    padding = [d * (k - 1) - p for d, k, p in zip(windows.dilation, windows.kernel_size, windows.padding)]
    return windows._replace(
        input_size=windows.output_size, output_size=windows.input_size, padding=(padding[0], padding[1])
    )


def _clear_outside(plane: Array, rows: slice, columns: slice) -> None:
    """Zero all but ``rows`` and ``columns`` of (parts, C, rows, side, columns): the padding."""
    for outside in (slice(0, rows.start), slice(rows.stop, None)):
        if plane[:, :, outside].size:
            plane[:, :, outside] = 0
    for outside in (slice(0, columns.start), slice(columns.stop, None)):
        if plane[..., outside].size:
            plane[..., outside] = 0


def _evenly(count: int, limit: int) -> int:
    """A size for parts of ``count`` things that is at most ``limit`` (but at least 1) and makes them about equal."""
    limit = max(limit, 1)
    return -(-count // -(-count // limit))
