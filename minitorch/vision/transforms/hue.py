"""The colour circle: red, green and blue as hue, saturation and value, and back.

Value is the largest of the three, saturation how far the smallest lies below it, and hue where between them the
middle one is: 0 is red, ⅓ green, ⅔ blue, 1 red again.
Source: A. R. Smith, "Color gamut transform pairs", 1978.
"""

from __future__ import annotations

from typing import Any

import minitorch.dtypes as dtypes
from minitorch.ops.choice import where
from minitorch.ops.joining import stack
from minitorch.tensor.tensor import Tensor
from minitorch.vision.transforms.conversion import convert_image_dtype


def shift_hue(img: Tensor, turns: float) -> Tensor:
    """The image (…, 3, H, W) with every hue shifted."""
    hue, saturation, value = rgb_to_hsv(convert_image_dtype(img, dtypes.float32)).unbind(-3)
    shifted = stack(((hue + turns) % 1.0, saturation, value), -3)
    return convert_image_dtype(hsv_to_rgb(shifted), img.dtype)


def rgb_to_hsv(img: Tensor) -> Any:
    """(…, 3, H, W) from 0 to 1, both sides. A grey pixel has hue and saturation 0.

    >>> import minitorch as torch
    >>> rgb_to_hsv(torch.tensor([0.0, 0.5, 0.0]).view(3, 1, 1)).flatten()
    tensor([0.3333, 1.0000, 0.5000])
    """
    red, green, blue = img.unbind(-3)
    value, lowest = img.amax(-3), img.amin(-3)
    is_grey = value == lowest
    spread = value - lowest
    saturation = spread / where(is_grey, 1.0, value)
    divisor = where(is_grey, 1.0, spread)
    from_red, from_green, from_blue = ((value - each) / divisor for each in (red, green, blue))
    sixths = where(
        value == red,
        from_blue - from_green,
        where(value == green, 2.0 + from_red - from_blue, 4.0 + from_green - from_red),
    )
    return stack(((sixths / 6.0 + 1.0) % 1.0, saturation, value), -3)


def hsv_to_rgb(img: Tensor) -> Any:
    """The inverse of ``rgb_to_hsv``.

    >>> import minitorch as torch
    >>> hsv_to_rgb(torch.tensor([2 / 3, 1.0, 1.0]).view(3, 1, 1)).flatten()
    tensor([0., 0., 1.])
    """
    hue, saturation, value = img.unbind(-3)
    sixth = (hue * 6.0).floor()
    share = hue * 6.0 - sixth
    lowest = (value * (1.0 - saturation)).clamp(0.0, 1.0)
    falling = (value * (1.0 - saturation * share)).clamp(0.0, 1.0)
    rising = (value * (1.0 - saturation * (1.0 - share))).clamp(0.0, 1.0)
    # In each sixth of the circle one channel is highest, one lowest, and one on its way.
    red = (value, falling, lowest, lowest, rising, value)
    green = (rising, value, value, falling, lowest, lowest)
    blue = (lowest, lowest, rising, value, value, falling)
    return stack([_chosen(sixth % 6.0, channel) for channel in (red, green, blue)], -3)


def _chosen(sixth: Any, values: tuple[Any, ...]) -> Any:
    result = values[5]
    for index in range(5):
        result = where(sixth == index, values[index], result)
    return result
