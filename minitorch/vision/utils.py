"""Many images as one, and to a file."""

from __future__ import annotations

import math
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.autograd.grad_mode import no_grad
from minitorch.ops.joining import cat, stack
from minitorch.tensor.tensor import Tensor
from minitorch.vision.pillow import Image


@no_grad()
def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """The images of a batch side by side in one image.

    Shapes: (N, C, H, W), or a list of images of one size; one image (C, H, W) or (H, W) is returned without a
    margin. Grey images become three equal channels.
    Args: nrow: images in a row; padding: pixels around each; normalize: shift and scale to 0 … 1, from
    ``value_range`` (min, max), or from the smallest and largest value found; scale_each: find them in each image
    for itself; pad_value: the colour between the images.
    Raises: TypeError for other types.

    >>> import minitorch as torch
    >>> make_grid(torch.zeros(3, 1, 28, 28), nrow=2).shape
    torch.Size([3, 62, 62])
    """
    images = _as_batch(tensor)
    if normalize:
        images = _normalized(images.clone(), value_range, scale_each)
    N, C, H, W = images.shape
    if N == 1:
        return images.squeeze(0)
    columns = min(nrow, N)
    rows = math.ceil(N / columns)
    height, width = H + padding, W + padding
    grid = images.new_full((C, height * rows + padding, width * columns + padding), pad_value)
    for index in range(N):
        top = index // columns * height + padding
        left = index % columns * width + padding
        grid[:, top : top + H, left : left + W] = images[index]
    return grid


def _as_batch(tensor: Any) -> Any:
    """The images as (N, C, H, W), grey ones with three channels."""
    if isinstance(tensor, list):
        for each in tensor:
            if not isinstance(each, Tensor):
                raise TypeError(f"tensor or list of tensors expected, got a list containing {type(each)}")
        tensor = stack(tensor, 0)
    elif not isinstance(tensor, Tensor):
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    while tensor.ndim < 4:
        tensor = tensor.unsqueeze(0)
    return cat((tensor, tensor, tensor), 1) if tensor.shape[1] == 1 else tensor


def _normalized(images: Tensor, value_range: tuple[float, float] | None, scale_each: bool) -> Tensor:
    if value_range is not None and not isinstance(value_range, tuple):
        raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
    for part in images if scale_each else [images]:
        low, high = (float(part.min()), float(part.max())) if value_range is None else value_range
        part.clamp_(min=low, max=high)
        part.sub_(low).div_(max(high - low, 1e-5))
    return images


@no_grad()
def save_image(tensor: Any, fp: Any, format: str | None = None, **kwargs: Any) -> None:
    """Write an image, or a grid of images, with values from 0 to 1 to a file.

    Args: fp: a file name or an open file; format: which one, by default from the name's suffix; the others see
    ``make_grid``.
    """
    grid = make_grid(tensor, **kwargs)
    array = grid.mul(255).add_(0.5).clamp_(0, 255).permute(1, 2, 0).to("cpu", dtypes.uint8).numpy()
    Image.fromarray(array).save(fp, format=format)
