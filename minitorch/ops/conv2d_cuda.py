"""Convolution on a GPU: launching the kernels of ``conv2d.cu``, which tells how they work.

The three functions have the names and arguments of those for a CPU. Which kernel runs:

    fewer than 8 channels in a group         direct_…     a thread an element (depthwise convolution)
    else float64                             tiled        float64
         float32, cudnn.allow_tf32           tiled        tensor cores, factors rounded to TF32
         float32                             tiled        float32
         float16                             tiled        tensor cores, sums in float32
    integers, 2³¹ elements or more           none: matrix products with columns (``by_columns`` in ``conv2d.py``)

``backends.cudnn.enabled = False`` takes the columns for everything, as it makes torch do. Every kernel adds up in an
order that depends on the shapes alone, so that results never change from run to run.

Largest error of a 3×3 convolution of normal numbers, 64 to 32 channels, relative to the largest number of the result:
of the output, the gradient of the input and that of the weight. The kernels were emulated; real tensor cores add up in
an order of their own.

    float64   1e-15   1e-15   6e-16          float16   3e-4   3e-4   4e-4   (2e-4 of it is the rounding of the result)
    float32    6e-7    5e-7    3e-7          TF32      3e-4   3e-4   3e-4
    torch's    2e-7    3e-7    4e-7   (float32 on a CPU)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from minitorch.backend import Array, KernelFile, accelerator, array_module, host, kernels_available
from minitorch.backend.kernels import as_struct
from minitorch.ops.conv2d_layout import empty_images
from minitorch.ops.tiled_product import THREADS, Arithmetic, Launch, Plan, arithmetic_for, ceil_divide, cut, plan_for
from minitorch.ops.windows import Windows

KERNELS = KernelFile(Path(__file__).with_name("conv2d.cu"))
FEW_CHANNELS = 8


def applies(arrays: Sequence[Array | None], windows: Windows, groups: int) -> bool:
    """Whether there are kernels for these operands (planes, and perhaps a bias), and the user wants them."""
    if not (accelerator.convolution.kernels and kernels_available()):
        return False
    first, second = arrays[0], arrays[1]
    assert first is not None
    assert second is not None
    memory = (first.shape, second.shape, first.strides, second.strides, first.itemsize)
    return first.dtype.char in "efd" and _largest(memory, windows, groups) < 2**31


@lru_cache(4096)
def _largest(memory: Any, windows: Windows, groups: int) -> int:
    """More elements than any array of the call has or spans: the kernels' offsets are 32-bit integers."""
    first, second, first_strides, second_strides, itemsize = memory
    channels = max(*first[:2], *second[:2]) * groups
    area = max(windows.input_size[0] * windows.input_size[1], windows.output_size[0] * windows.output_size[1])
    spans = [
        sum(abs(step) * size for step, size in zip(*array))
        for array in ((first_strides, first), (second_strides, second))
    ]
    return max(first[0] * channels * area, max(spans) // itemsize)


def convolve(input: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_in, H, W) and (C_out, C_in / groups, K_h, K_w) → (N, C_out, H_out, W_out)."""
    output = empty_images((len(input), len(weight), *windows.output_size), input, weight)
    _run("convolve", _in_rows(input), weight, output, bias, windows, groups)
    return output


def transpose(output: Array, weight: Array, bias: Array | None, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and the weight → (N, C_in, H, W)."""
    input = empty_images((len(output), groups * weight.shape[1], *windows.input_size), output, weight)
    _run("transpose", input, weight, _in_rows(output), bias, windows, groups)
    return input


def correlate_kernel(output: Array, input: Array, windows: Windows, groups: int) -> Array:
    """(N, C_out, H_out, W_out) and (N, C_in, H, W) → (C_out, C_in / groups, K_h, K_w)."""
    shape = (output.shape[1], input.shape[1] // groups, *windows.kernel_size)
    weight = array_module(input).empty(shape, input.dtype)
    _run("correlate_kernel", _in_rows(input), weight, _in_rows(output), None, windows, groups)
    return weight


def _in_rows(images: Array) -> Array:
    """Images whose rows lie in one piece, copied if need be: neighbouring threads read neighbouring columns.

    Read place by place instead, every number would cost a memory access of its own, once for every tap of the kernel.
    """
    return images if images.strides[3] in (0, images.itemsize) else array_module(images).ascontiguousarray(images)


class _Call(NamedTuple):
    """One of the three functions, and everything that decides how it is launched (hashable: see ``_plan``)."""

    name: str
    images: int
    C_in: int  # of a group, like C_out
    C_out: int
    windows: Windows
    groups: int
    strides: tuple[int, ...]  # of input and output, in elements
    arithmetic: Arithmetic
    multiprocessors: int

    def sizes(self) -> tuple[int, int, int, int]:
        """M, N and K of the products (the table in conv2d.cu), and how many products there are."""
        (H, W), (K_h, K_w), (s_h, s_w), _, _, (H_out, W_out) = self.windows
        places, taps = self.images * H_out * W_out, self.C_in * K_h * K_w
        if self.name == "convolve":
            return self.C_out, places, taps, self.groups
        if self.name == "correlate_kernel":
            return self.C_out, taps, places, self.groups
        places = self.images * ceil_divide(H, s_h) * ceil_divide(W, s_w)  # of the largest of s_h · s_w phases
        taps = self.C_out * ceil_divide(K_h, s_h) * ceil_divide(K_w, s_w)
        return self.C_in, places, taps, self.groups * s_h * s_w

    def numbers(self, parts: int, room: int) -> Array:
        """The struct ``Numbers`` of conv2d.cu."""
        (H, W), kernel_size, stride, padding, dilation, (H_out, W_out) = self.windows
        pairs = (*kernel_size, *stride, *padding, *dilation)
        sizes = (self.images, self.C_in, H, W, self.C_out, H_out, W_out)
        return host.array((parts, room, *sizes, *pairs, self.groups, *self.strides), "int32")


def _run(
    name: str, input: Array, weight: Array, output: Array, bias: Array | None, windows: Windows, groups: int
) -> None:
    """Launch the kernels that fill the result, which is that of the three arrays that ``name`` says."""
    xp, allow_tf32 = array_module(weight), accelerator.convolution.allow_tf32
    arithmetic = arithmetic_for(weight.dtype, allow_tf32, accelerator.has_tensor_cores())
    assert arithmetic is not None  # see ``applies``
    strides = tuple([step // weight.itemsize for step in (*input.strides, *output.strides)])
    sizes = (len(input), weight.shape[1], len(weight) // groups)
    plan = _plan(_Call(name, *sizes, windows, groups, strides, arithmetic, accelerator.multiprocessors()))
    partial = xp.empty(plan.partial_sums, arithmetic.sums) if plan.partial_sums else None
    offset = None if bias is None else xp.ascontiguousarray(bias)
    arguments = (input, xp.ascontiguousarray(weight), output, offset, partial, plan.numbers)
    for launch in plan.launches:
        KERNELS.launch(launch.kernel, launch.grid, launch.block, arguments, plan.defines, launch.shared_bytes)


@lru_cache(4096)
def _plan(call: _Call) -> Plan:
    M, N, K, products = call.sizes()
    if M * N == 0:
        return Plan((), (), None, 0)
    if call.groups > 1 and min(call.C_in, call.C_out) < FEW_CHANNELS:
        return _direct_plan(call, M * N * products)
    chosen = cut(M, N, K, products, call.arithmetic, call.multiprocessors)
    rows, columns = call.windows.kernel_size
    masks = (("MASKS", int(rows <= 16 and columns <= 15)),)  # see gather.cuh
    return plan_for(call.name, chosen, (M, N, products), call.arithmetic, masks, call.numbers(chosen.parts, M * N))


def _direct_plan(call: _Call, results: int) -> Plan:
    """A thread an element (of the input, at least as many as there are); for the weight a block an element."""
    blocks = results if call.name == "correlate_kernel" else ceil_divide(results, THREADS)
    defines = call.arithmetic.defines(call.arithmetic.tiles[-1])  # which tile does not matter here
    return Plan((Launch(f"direct_{call.name}", (blocks,)),), defines, as_struct(call.numbers(1, 0)), 0)
