"""Convolution on a CPU: a few images at a time, the kernel's width unrolled, one matrix product a kernel row.

For one image and stride 1, copy the image K_w times, copy v shifted v places to
the left, and see what lies under one row u of the kernel: the same copies, u rows further down.

    unrolled (C_in · K_w rows)      ┌──────────────────────────────┐   each row holds H_padded · W_out numbers
                                    │ ░░░░░ under kernel row u ░░░░│   u · W_out … (u + H_out) · W_out
                                    └──────────────────────────────┘

That part is a matrix without any copying (a slice of each row), so

    output = Σ_u  weight[:, :, u, :] as (C_out × C_in·K_w)  ·  unrolled[:, u·W_out : (u + H_out)·W_out]

and the two gradients are the same products with the factors exchanged. Rows of unlike remainder modulo the stride
are kept apart, so that with any stride and dilation the rows under u follow each other.

**Which part of the kernel is unrolled** is decided by shape (``Plan``): all of it where that makes few rows, where a
stride would multiply the copies, or where a large kernel would have to be rearranged for few places.

**The kernel's gradient** is a product of few rows and columns over many places, and BLAS multiplies under · imagesᵀ
half as fast again as images · underᵀ where there are few output channels (32→32 5×5: 16.7 → 12.8 ms).

**Blocks.** The unrolled copies of a block of images (and of a band of rows, if one image is large) stay in the cache.
Where images are very small, a product for each of them would be too narrow to run well: then several images lie side
by side in one matrix. Blocks write to different parts of the result and know nothing of each other (the kernel's
gradient alone is a sum over all of them).

**Groups** are one more dimension of the products: ``matmul`` runs one after another. Even for a product a channel
(depthwise convolution) that is several times faster than multiplying and adding whole shifted images.
"""

from __future__ import annotations

from minitorch.backend import Array, array_module, parallel, split
from minitorch.backend.threads import LEAST_FLOP, get_num_threads
from minitorch.ops.conv2d_plan import Block, Plan, Unrolled, plan_for
from minitorch.ops.windows import Windows

NARROW = 128  # rows of a product; see _outer_product


def convolve(input: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_in, H, W) and (C_out, C_in / groups, K_h, K_w) → (N, C_out, H_out, W_out)."""
    xp = array_module(input)
    output = xp.empty((len(input), len(weight), *windows.output_size), input.dtype)
    if output.size == 0:
        return output
    plan = _plan(input, len(weight), windows, groups)
    kernels = plan.kernel_matrices(weight)
    offset = None if bias is None else bias.reshape(groups, len(weight) // groups, 1)

    def work(blocks: list[Block]) -> None:
        unrolled, total, product = Unrolled(plan, input), None, None
        for block in blocks:
            unrolled.fill(input, block)
            total = _similar(total, plan, block, input) if plan.is_shared else plan.as_matrices(output, block)
            xp.matmul(kernels[0], unrolled.under(0), out=total)
            for u in range(1, plan.products):
                product = _similar(product, plan, block, input)
                xp.matmul(kernels[u], unrolled.under(u), out=product)
                total += product
            if offset is not None:
                total += offset
            if plan.is_shared:
                part = plan.output_part(output, block)
                part[...] = total.reshape(part.shape)

    plan.run(work)
    return output


def transpose(output: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and the weight → (N, C_in, H, W): every output element added at its window."""
    xp = array_module(output)
    N, C_out, C_in = len(output), len(weight), weight.shape[1] * groups
    if 0 in (N * C_in, output.size):
        input = xp.zeros((N, C_in, *windows.input_size), output.dtype)
        return input if bias is None else input + bias[:, None, None]
    plan = plan_for(N, C_in, C_out, windows, groups, output.itemsize, get_num_threads(), 0)
    if windows.stride == (1, 1) and not plan.has_few_places:
        return convolve(output, flipped(weight, groups), bias, windows.of_transpose(), groups)
    input = xp.zeros((N, C_in, *windows.input_size), output.dtype)
    if bias is not None:
        input += bias[:, None, None]
    kernels = plan.kernel_matrices(weight).swapaxes(-1, -2)

    def work(blocks: list[Block]) -> None:
        unrolled = Unrolled(plan, output)
        for block in blocks:
            images = plan.as_matrices(output, block)
            unrolled.shape_for(block)
            if plan.products == 1:
                xp.matmul(kernels[0], images, out=unrolled.under(0))
            else:
                unrolled.array[...] = 0
                for u in range(plan.products):
                    under = unrolled.under(u)
                    under += xp.matmul(kernels[u], images)
            unrolled.add_to(input, block)

    plan.run(work, by_image=True)  # bands of one image overlap in the input
    return input


def correlate_kernel(output: Array, input: Array, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and (N, C_in, H, W) → (C_out, C_in / groups, K_h, K_w)."""
    xp = array_module(input)
    C_in, C_out = input.shape[1], output.shape[1]
    weight = xp.zeros((C_out, C_in // groups, *windows.kernel_size), input.dtype)
    if 0 in (input.size, output.size):
        return weight
    plan = _plan(input, C_out, windows, groups)
    if groups > 1 or not plan.has_few_places:
        weight[...] = _correlate(output, input, windows, groups)
        return weight

    def work(kernels: slice) -> None:  # a sum for each thread would cost more than it saves
        weight[kernels] = _correlate(output[:, kernels], input, windows, groups)

    parallel(split(C_out, plan.flop, LEAST_FLOP), work)
    return weight


def _correlate(output: Array, input: Array, windows: Windows, groups: int) -> Array:
    """``correlate_kernel`` with a sum for each thread."""
    xp = array_module(input)
    C_out = output.shape[1]
    plan = _plan(input, C_out, windows, groups, result_size=C_out * input.shape[1] // groups)

    def work(blocks: list[Block]) -> Array:
        total = None
        unrolled = Unrolled(plan, input)
        for block in blocks:
            unrolled.fill(input, block)
            images = plan.as_matrices(output, block)
            products = [_sum_over_parts(_outer_product(images, unrolled.under(u))) for u in range(plan.products)]
            total = products if total is None else [old + new for old, new in zip(total, products)]
        return total

    first, *others = plan.run(work)
    for other in others:
        first = [old + new for old, new in zip(first, other)]
    return plan.as_weight(xp.stack(first))


def _outer_product(images: Array, under: Array) -> Array:
    """images · underᵀ; of few rows BLAS makes (under · imagesᵀ)ᵀ half as fast again."""
    xp = array_module(images)
    if images.shape[-2] > NARROW:
        return xp.matmul(images, under.swapaxes(-1, -2))
    return xp.matmul(under, images.swapaxes(-1, -2)).swapaxes(-1, -2)


def _sum_over_parts(products: Array) -> Array:
    return products[0] if len(products) == 1 else products.sum(0, dtype=products.dtype)


def _plan(input: Array, C_out: int, windows: Windows, groups: int, result_size: int = 0) -> Plan:
    return plan_for(len(input), input.shape[1], C_out, windows, groups, input.itemsize, get_num_threads(), result_size)


def _similar(scratch: Array | None, plan: Plan, block: Block, like: Array) -> Array:
    """Memory for the block's product: ``scratch`` itself if it has the shape."""
    n, rows = block.last - block.first, block.bottom - block.top
    parts, side = (1, n) if plan.is_shared else (n, 1)
    shape = (parts, plan.groups, plan.C_out // plan.groups, rows * side * plan.windows.output_size[1])
    if scratch is None or scratch.shape != shape:
        return array_module(like).empty(shape, like.dtype)
    return scratch


def flipped(weight: Array, groups: int) -> Array:
    """The kernel with which a convolution of stride 1 is its own transpose: turned round, channels exchanged."""
    C_out, C_in, K_h, K_w = weight.shape
    grouped = weight.reshape(groups, C_out // groups, C_in, K_h, K_w)
    return grouped[..., ::-1, ::-1].swapaxes(1, 2).reshape(groups * C_in, C_out // groups, K_h, K_w)
