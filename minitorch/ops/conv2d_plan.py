"""How a convolution on a CPU is cut into blocks, and the scratch that one block needs; used by ``conv2d_rows.py``."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from minitorch.backend import Array, aligned_empty, array_module, parallel, split
from minitorch.backend.threads import LEAST_FLOP
from minitorch.ops.windows import Windows, inside

# All were measured; twice or half as much makes a few per cent of difference.
BLOCK_BYTES = 3_000_000  # of a block's scratch: a core's share of the caches
SHARING_FACTOR = 8  # images share a product if each has that many times fewer places than the product has rows
FEW_PLACES = 1  # for each kernel: fewer, and the kernel's height is unrolled, too
MOST_COLUMN_ROWS = 32  # times the stride: the kernel's height is unrolled, too, if that makes no more rows


class Block(NamedTuple):
    """Images ``first`` to ``last``, and of their output the rows ``top`` to ``bottom``."""

    first: int
    last: int
    top: int
    bottom: int


class Plan:
    """How one convolution is cut into blocks, and the shape of a block's scratch.

    A block of n images is ``parts`` × ``side`` of them: ``side`` lie side by side in one matrix. Of the kernel's
    height, ``heights`` elements are unrolled; the other ``products`` are a product each. (One of the two is 1.)
    """

    def __init__(
        self, N: int, C_in: int, C_out: int, windows: Windows, groups: int, itemsize: int, result_size: int
    ) -> None:
        self.N, self.C_in, self.C_out, self.windows, self.groups = N, C_in, C_out, windows, groups
        (K_h, K_w), (s_h, _), (d_h, _) = windows.kernel_size, windows.stride, windows.dilation
        H_out, W_out = windows.output_size
        # Rearranging a large kernel for several products costs more than unrolling a few places altogether.
        self.has_few_places = N * H_out * W_out <= FEW_PLACES * C_out
        is_column = self.has_few_places or C_in // groups * K_h * K_w <= MOST_COLUMN_ROWS * s_h
        self.heights, self.products = (K_h, 1) if is_column else (1, K_h)
        self.remainders = sorted({u * d_h % s_h for u in range(self.products)})
        self.reach = d_h * (self.products - 1) // s_h  # rows that a kernel reaches below its first, in each remainder
        self.rows_in_product = C_in // groups * self.heights * K_w
        self.is_shared = SHARING_FACTOR * H_out * W_out < self.rows_in_product
        self.flop = 2 * N * H_out * W_out * C_out * (C_in // groups) * K_h * K_w
        # The sum of the kernel's gradient is read and written once a block: its blocks must be worth that.
        self.rows, self.images = self._block_size(itemsize, max(BLOCK_BYTES, 2 * itemsize * result_size))

    def _block_size(self, itemsize: int, block_bytes: int) -> tuple[int, int]:
        """Output rows and images of a block: few enough for the cache, and for each thread to get a block."""
        H_out, W_out = self.windows.output_size
        K_w = self.windows.kernel_size[1]
        row_bytes = itemsize * W_out * (self.C_in * self.heights * K_w * len(self.remainders) + 2 * self.C_out)
        threads = len(split(self.N * H_out, self.flop, LEAST_FLOP))
        most_rows = H_out if threads <= self.N else -(-H_out // threads)
        rows = _evenly(H_out, min(block_bytes // row_bytes - self.reach, most_rows))
        images = _evenly(self.N, min(block_bytes // (row_bytes * (rows + self.reach)), -(-self.N // threads)))
        return rows, images

    def blocks(self) -> list[Block]:
        """All blocks, those of the same images after one another."""
        N, H_out = self.N, self.windows.output_size[0]
        return [
            Block(first, min(first + self.images, N), top, min(top + self.rows, H_out))
            for first in range(0, N, self.images)
            for top in range(0, H_out, self.rows)
        ]

    def run(self, work: Callable[[list[Block]], Any], by_image: bool = False) -> list[Any]:
        """Share the blocks out among the threads; ``by_image``: blocks of the same image go to one thread."""
        blocks = self.blocks()
        unit = -(-self.windows.output_size[0] // self.rows) if by_image else 1
        shares = split(len(blocks) // unit, self.flop, LEAST_FLOP)
        return parallel([blocks[share.start * unit : share.stop * unit] for share in shares], work)

    def part(self, images: Array, block: Block) -> Array:
        """A view of the block's images as (parts, C, H, side, W)."""
        chosen = images[block.first : block.last]
        n, C, H, W = chosen.shape
        parts, side = (1, n) if self.is_shared else (n, 1)
        return chosen.reshape(parts, side, C, H, W).transpose(0, 2, 3, 1, 4)

    def output_part(self, output: Array, block: Block) -> Array:
        """A view of the block's output as (parts, C_out, rows, side, W_out)."""
        return self.part(output, block)[:, :, block.top : block.bottom]

    def as_matrices(self, output: Array, block: Block) -> Array:
        """The block's output as (parts, groups, C_out / groups, rows · side · W_out): a view unless it is shared."""
        if self.is_shared:
            part = self.output_part(output, block)
            parts, C_out, *place = part.shape
            return part.reshape(parts, self.groups, C_out // self.groups, math.prod(place))
        H_out, W_out = self.windows.output_size
        matrices = output.reshape(self.N, self.groups, self.C_out // self.groups, H_out * W_out)
        return matrices[block.first : block.last, :, :, block.top * W_out : block.bottom * W_out]

    def kernel_matrices(self, weight: Array) -> Array:
        """(C_out, C_in / groups, K_h, K_w) → (products, groups, C_out / groups, rows_in_product)."""
        C_out, C_in, _, K_w = weight.shape
        by_row = weight.reshape(C_out, C_in, self.products, self.heights, K_w).transpose(2, 0, 1, 3, 4)
        shape = (self.products, self.groups, C_out // self.groups, self.rows_in_product)
        return array_module(weight).ascontiguousarray(by_row).reshape(shape)

    def as_weight(self, matrices: Array) -> Array:
        """The opposite: a view (C_out, C_in / groups, K_h, K_w)."""
        K_h, K_w = self.windows.kernel_size
        C_in, C_out = self.C_in // self.groups, self.C_out // self.groups
        by_row = matrices.reshape(self.products, self.groups, C_out, C_in, self.heights, K_w)
        return by_row.transpose(1, 2, 3, 0, 4, 5).reshape(self.C_out, C_in, K_h, K_w)


@functools.lru_cache(maxsize=512)
def plan_for(
    N: int, C_in: int, C_out: int, windows: Windows, groups: int, itemsize: int, threads: int, result_size: int
) -> Plan:
    """The plan; ``threads`` is what it depends on without being told, ``result_size`` see there."""
    return Plan(N, C_in, C_out, windows, groups, itemsize, result_size * math.prod(windows.kernel_size))


class Unrolled:
    """The scratch of one thread: a block's input with the kernel's width (and height) unrolled."""

    def __init__(self, plan: Plan, like: Array) -> None:
        self.plan, self.like = plan, like
        self.memory: Array = None
        self.array: Array = None  # (parts, C_in, heights, K_w, remainders, rows, side, W_out)
        self.padded: Array = None
        self.padded_for: Any = None

    def shape_for(self, block: Block) -> None:
        """Take the shape that ``block`` needs, in memory that all blocks share."""
        plan = self.plan
        n, rows = block.last - block.first, block.bottom - block.top + plan.reach
        parts, side = (1, n) if plan.is_shared else (n, 1)
        K_w, W_out = plan.windows.kernel_size[1], plan.windows.output_size[1]
        shape = (parts, plan.C_in, plan.heights, K_w, len(plan.remainders), rows, side, W_out)
        size = math.prod(shape)
        if self.memory is None or self.memory.size < size:
            self.memory = aligned_empty((size,), self.like.dtype)
        self.array = self.memory[:size].reshape(shape)

    def fill(self, input: Array, block: Block) -> None:
        """Copy the block's input in: one strided view of it for each remainder shows all that is to be copied."""
        self.shape_for(block)
        plan, (s_h, s_w), (d_h, d_w) = self.plan, self.plan.windows.stride, self.plan.windows.dilation
        source = self._with_padding(plan.part(input, block), block)
        part, channel, row, image, column = source.strides
        strides = (part, channel, d_h * row, d_w * column, s_h * row, image, s_w * column)
        as_strided = array_module(input).lib.stride_tricks.as_strided
        for position, remainder in enumerate(plan.remainders):
            target = self.array[:, :, :, :, position]
            target[...] = as_strided(source[:, :, remainder:], target.shape, strides)

    def _with_padding(self, images: Array, block: Block) -> Array:
        """Of (parts, C, H, side, W) just what the block's windows cover, with zeros where that is padding."""
        plan, windows = self.plan, self.plan.windows
        (s_h, s_w), (p_h, p_w), (d_h, d_w) = windows.stride, windows.padding, windows.dilation
        height = (self.array.shape[5] - 1) * s_h + d_h * (plan.heights - 1) + plan.remainders[-1] + 1
        width = (windows.output_size[1] - 1) * s_w + d_w * (windows.kernel_size[1] - 1) + 1
        rows, input_rows = inside(height, block.top * s_h - p_h, 1, windows.input_size[0])
        columns, input_columns = inside(width, -p_w, 1, windows.input_size[1])
        seen = images[:, :, input_rows, :, input_columns]
        if rows == slice(0, height) and columns == slice(0, width):
            return seen
        parts, C, _, side, _ = images.shape
        shape = (parts, C, height, side, width)
        if self.padded_for != (shape, rows):  # zeros stay where they are from one block to the next
            self.padded, self.padded_for = array_module(images).zeros(shape, images.dtype), (shape, rows)
        self.padded[:, :, rows, :, columns] = seen
        return self.padded

    def add_to(self, input: Array, block: Block) -> None:
        """The opposite of ``fill``: add every copy back at its place."""
        target = self.plan.part(input, block)
        for plane, (rows, columns), (input_rows, input_columns) in self._planes(block):
            target[:, :, input_rows, :, input_columns] += plane[:, :, rows, :, columns]

    def _planes(self, block: Block) -> Iterator[tuple[Array, tuple[slice, slice], tuple[slice, slice]]]:
        """For each kernel element and remainder: its copy, the part of it inside the input, and where that lies."""
        plan, windows = self.plan, self.plan.windows
        for u in range(plan.heights):
            for v in range(windows.kernel_size[1]):
                columns, input_columns = windows.along(1, v)
                for position, remainder in enumerate(plan.remainders):
                    plane = self.array[:, :, u, v, position]  # (parts, C_in, rows, side, W_out)
                    first = block.top * windows.stride[0] + u * windows.dilation[0] + remainder - windows.padding[0]
                    rows, input_rows = inside(plane.shape[2], first, windows.stride[0], windows.input_size[0])
                    yield plane, (rows, columns), (input_rows, input_columns)

    def under(self, u: int) -> Array:
        """What lies under kernel row u: a view (parts, groups, rows_in_product, output rows · side · W_out)."""
        plan, windows = self.plan, self.plan.windows
        parts, _, _, _, remainders, rows, side, W_out = self.array.shape
        below, remainder = divmod(u * windows.dilation[0], windows.stride[0])
        matrices = self.array.reshape(parts, plan.groups, plan.rows_in_product, remainders * rows * side * W_out)
        start = (plan.remainders.index(remainder) * rows + below) * side * W_out
        return matrices[..., start : start + (rows - plan.reach) * side * W_out]


def _evenly(count: int, limit: int) -> int:
    """A size for parts of ``count`` things that is at most ``limit`` (but at least 1) and makes them about equal."""
    limit = max(limit, 1)
    return -(-count // -(-count // limit))
