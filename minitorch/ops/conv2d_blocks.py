"""What ``conv2d_flat.py`` and ``conv2d_batch_last.py`` share: all of the kernel unrolled, a few images at a time.

They differ in how the scratch of a block lies in memory. It has

    unroll(images)          fills ``unrolled_pieces`` (…, depth + 1, places of a piece); its last row is 1, for the bias
    places                  the output in the same pieces, and the same as (n, C_out, H_out, W_out)
    product_with(gradients) unrolled · gradientsᵀ, (depth, C_out)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from minitorch.backend import Array, array_module, kept_scratch, parallel, split
from minitorch.backend.threads import LEAST_FLOP
from minitorch.ops.conv2d_layout import empty_images
from minitorch.ops.windows import Windows


class BlockPlan:
    """How a convolution is cut into blocks of images."""

    def __init__(self, N: int, flop: float, image_bytes: int, block_bytes: int) -> None:
        self.flop = flop
        share = -(-N // len(split(N, flop, LEAST_FLOP)))
        most = max(1, min(share, block_bytes // image_bytes))
        images = -(-share // -(-share // most))
        self.blocks = [slice(first, min(first + images, N)) for first in range(0, N, images)]

    def run(self, work: Callable[[list[slice]], Any]) -> list[Any]:
        """Share the blocks out among the threads."""
        return parallel([self.blocks[share] for share in split(len(self.blocks), self.flop, LEAST_FLOP)], work)

    def make_scratch(self, n: int) -> Any:
        """The memory for a block of n images."""
        raise NotImplementedError(f"{type(self).__name__} has no scratch")

    def scratch(self, images: slice) -> Any:
        """The memory for a block of so many images."""
        n = images.stop - images.start
        return kept_scratch((self, n), lambda: self.make_scratch(n))


def convolve(plan: BlockPlan, input: Array, weight: Array, bias: Array | None, windows: Windows) -> Array:
    """(N, C_in, H, W) and (C_out, C_in, K_h, K_w) → (N, C_out, H_out, W_out)."""
    xp = array_module(input)
    C_out = len(weight)
    output = empty_images((len(input), C_out, *windows.output_size), input)
    kernels = weight.reshape(C_out, math.prod(weight.shape[1:]))
    if bias is not None:
        kernels = xp.concatenate((kernels, bias[:, None]), 1)
    depth = kernels.shape[1]

    def work(blocks: list[slice]) -> None:
        for images in blocks:
            scratch = plan.scratch(images)
            scratch.unroll(input[images])
            pieces, places = scratch.places
            xp.matmul(kernels, scratch.unrolled_pieces[..., :depth, :], out=pieces)
            output[images] = places

    plan.run(work)
    return output


def correlate_kernel(plan: BlockPlan, output: Array, input: Array, windows: Windows) -> Array:
    """(N, C_out, H_out, W_out) and (N, C_in, H, W) → (C_out, C_in, K_h, K_w)."""
    xp = array_module(input)
    C_in, C_out = input.shape[1], output.shape[1]
    size = C_in * math.prod(windows.kernel_size)

    def work(blocks: list[slice]) -> Array:
        total = xp.zeros((size, C_out), input.dtype)
        for images in blocks:
            scratch = plan.scratch(images)
            scratch.unroll(input[images])
            total += scratch.product_with(output[images])
        return total

    total = functools.reduce(xp.add, plan.run(work))
    return total.T.reshape(C_out, C_in, *windows.kernel_size)
