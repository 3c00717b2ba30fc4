"""Launching ``batch_norm.cu``: batch normalisation of channels small enough to be one block's each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minitorch.backend import Array, array_module
from minitorch.backend.channels import View
from minitorch.backend.kernels import KernelFile
from minitorch.backend.launching import empty_images, pointer, type_of, wide_dtype
from minitorch.ops.lines_cuda import plan, team_for

_FORWARD, _BACKWARD = 1, 2  # arrays whose elements a thread holds
_CACHED = 1 << 17  # bytes of a channel
_kernels = KernelFile(Path(__file__).with_name("batch_norm.cu"))


def has_kernel(view: View, itemsize: int, is_gradient: bool = False) -> bool:
    """Whether a block can have a channel, whose elements lie in runs, for itself.

    Its registers hold it, or (in backward, where there are two arrays) it can stay in the cache: 132 blocks at a time
    have 34 MB of such channels.

    >>> has_kernel(View(N=128, C=512, S=196), 4), has_kernel(View(N=128, C=512, S=196), 4, is_gradient=True)
    (True, True)
    >>> has_kernel(View(N=256, C=64, S=3136), 4)
    False
    """
    if view.is_across:
        return False
    length = view.N * view.S
    if is_gradient and length * itemsize <= _CACHED:
        return True
    return team_for(length, 1, itemsize, _BACKWARD if is_gradient else _FORWARD).held > 0


def batch_norm(
    x: Array,
    view: View,
    weight: Array | None,
    bias: Array | None,
    running: tuple[Array | None, Array | None, Array | None],
    momentum: float,
    eps: float,
) -> tuple[Array, Array, Array]:
    """(output, mean, scale) of images in an order that ``view`` describes.

    ``running``: averages, which make a step, and the count of batches, which grows by 1.
    """
    xp, wide = array_module(x), wide_dtype(x)
    output, mean, scale = empty_images(x.shape, x.dtype, x), xp.empty(view.C, wide), xp.empty(view.C, wide)
    arguments = (x, output, pointer(weight), pointer(bias), mean, scale, *running, float(momentum), float(eps))
    _launch("forward", x, view, arguments, (weight, bias, running[0]), _FORWARD)
    return output, mean, scale


def batch_norm_gradient(
    g: Array, x: Array, view: View, weight: Array | None, mean: Array, scale: Array
) -> tuple[Array, Array, Array]:
    """(grad_input, grad_weight, grad_bias); ``g`` lies as ``x`` does."""
    xp = array_module(x)
    grad_input = empty_images(x.shape, x.dtype, x)
    grad_weight, grad_bias = xp.empty(view.C, mean.dtype), xp.empty(view.C, mean.dtype)
    _launch(
        "backward",
        x,
        view,
        (g, x, grad_input, pointer(weight), mean, scale, grad_weight, grad_bias),
        (weight,),
        _BACKWARD,
    )
    return grad_input, grad_weight, grad_bias


def _launch(
    name: str, x: Array, view: View, arguments: tuple[Any, ...], parameters: tuple[Any, ...], arrays: int
) -> None:
    given = next((each for each in parameters if each is not None), x)
    elements = view.N * view.S
    defines = (("RUNS", 1), ("PARAMETER", type_of(given)))
    grid, block, settings = plan(view.C, elements, 1, x.dtype.char, arrays, defines)
    _kernels.launch(name, grid, block, (*arguments, view.C, elements, view.S), settings)
