"""``pixel_shuffle`` and its inverse: channels become pixels, and back; nothing is computed, only rearranged.

Source: W. Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
Convolutional Neural Network", https://arxiv.org/abs/1609.05158.
"""

from __future__ import annotations

from typing import Any

from minitorch.autograd.variable import raw
from minitorch.backend import is_channels_last
from minitorch.ops.permutation import permute
from minitorch.ops.shape import reshape
from minitorch.ops.strided import Contiguous


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Lay each group of r² channels out as an r × r block of pixels.

    Shapes: (…, C·r², H, W) → (…, C, H·r, W·r), r = ``upscale_factor``.
    Raises: RuntimeError if the channels are not a multiple of r².

    >>> import minitorch as torch
    >>> torch.nn.functional.pixel_shuffle(torch.arange(4.0).reshape(4, 1, 1), 2)
    tensor([[[0., 1.],
             [2., 3.]]])
    """
    *batch, C, H, W = _check("pixel_shuffle", input, upscale_factor, "upscale_factor")
    r = upscale_factor
    if C % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={C} is not divisible by {r * r}"
        )
    n = len(batch)
    blocks = reshape(input, (*batch, C // (r * r), r, r, H, W))
    blocks = permute(blocks, (*range(n), n, n + 3, n + 1, n + 4, n + 2))  # …, C, H, r, W, r
    return reshape(_arranged(blocks, input, (0, 2, 3, 4, 5, 1)), (*batch, C // (r * r), H * r, W * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Collect each r × r block of pixels into r² channels: the inverse of ``pixel_shuffle``.

    Shapes: (…, C, H·r, W·r) → (…, C·r², H, W), r = ``downscale_factor``.
    Raises: RuntimeError if the height or width is not a multiple of r.
    """
    *batch, C, H, W = _check("pixel_unshuffle", input, downscale_factor, "downscale_factor")
    r = downscale_factor
    for name, dim, size in (("height", -2, H), ("width", -1, W)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({dim})={size} "
                f"is not divisible by {r}"
            )
    n = len(batch)
    blocks = reshape(input, (*batch, C, H // r, r, W // r, r))
    blocks = permute(blocks, (*range(n), n, n + 2, n + 4, n + 1, n + 3))  # …, C, r, r, H, W
    return reshape(_arranged(blocks, input, (0, 4, 5, 1, 2, 3)), (*batch, C * r * r, H // r, W // r))


def _arranged(blocks: Any, input: Any, channels_last: tuple[int, ...]) -> Any:
    """A copy of the blocks, in the order of memory in which the result shall lie."""
    row_major = tuple(range(raw(blocks).ndim))
    return Contiguous.apply(blocks, dims=channels_last if is_channels_last(raw(input)) else row_major)


def _check(name: str, input: Any, factor: int, factor_name: str) -> tuple[int, ...]:
    shape: tuple[int, ...] = raw(input).shape
    if len(shape) < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {len(shape)} dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {factor_name}, but got {factor}")
    return shape
