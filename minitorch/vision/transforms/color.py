"""Colours: grey, brightness, contrast, saturation, hue, gamma.

Most of these blend the image with another one: black, its mean grey, its grey version.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np

import minitorch.dtypes as dtypes
from minitorch.nn.module import Module
from minitorch.tensor.creation import empty
from minitorch.tensor.random import rand, randperm
from minitorch.tensor.tensor import Tensor
from minitorch.vision.pillow import Image, ImageEnhance
from minitorch.vision.transforms.conversion import convert_image_dtype
from minitorch.vision.transforms.hue import shift_hue
from minitorch.vision.transforms.images import (
    get_dimensions,
    get_image_num_channels,
    is_pil_image,
    largest_value,
    require_channels,
    require_pil_image,
    require_tensor_image,
)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """The brightness of each pixel: 0.299 red + 0.587 green + 0.114 blue.

    Args: num_output_channels: 1, or 3 equal ones. Raises: ValueError for another number, TypeError for an image
    that has neither one nor three channels.
    """
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    if not isinstance(img, Tensor):
        require_pil_image(img)
        grey = img.convert("L")
        return grey if num_output_channels == 1 else Image.merge("RGB", (grey, grey, grey))
    if img.ndim < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {img.ndim}")
    require_channels(img, [1, 3])
    if img.shape[-3] == 1:
        brightness = img.clone()
    else:
        red, green, blue = img.unbind(-3)
        brightness = (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype).unsqueeze(-3)
    shape = (*img.shape[:-3], 3, *img.shape[-2:])
    return brightness if num_output_channels == 1 else brightness.expand(shape)


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """``rgb_to_grayscale`` for Pillow images alone, of any mode."""
    if not is_pil_image(img):
        raise TypeError("Input should be PIL Image")
    return rgb_to_grayscale(img, num_output_channels)


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """0 gives a black image, 1 the image itself, 2 twice its brightness.

    >>> import minitorch as torch
    >>> adjust_brightness(torch.tensor([[[0.2, 0.8]]]), 1.5)
    tensor([[[0.3000, 1.0000]]])
    """
    if not isinstance(img, Tensor):
        return _enhance(ImageEnhance.Brightness, img, brightness_factor)
    _check_factor("brightness_factor", brightness_factor, img)
    return _blend(img, img.new_zeros(img.shape), brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """0 gives the mean grey everywhere, 1 the image itself, 2 twice the distance from that grey."""
    if not isinstance(img, Tensor):
        return _enhance(ImageEnhance.Contrast, img, contrast_factor)
    _check_factor("contrast_factor", contrast_factor, img)
    grey = rgb_to_grayscale(img) if get_image_num_channels(img) == 3 else img
    grey = grey if img.is_floating_point() else grey.to(dtypes.float32)
    return _blend(img, grey.mean((-3, -2, -1), keepdim=True), contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """0 gives a grey image, 1 the image itself, 2 twice its colour."""
    if not isinstance(img, Tensor):
        return _enhance(ImageEnhance.Color, img, saturation_factor)
    _check_factor("saturation_factor", saturation_factor, img)
    if get_image_num_channels(img) == 1:
        return img
    return _blend(img, rgb_to_grayscale(img), saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Shift all colours around the colour circle by ``hue_factor`` turns, from −½ to ½; grey images do not change.

    Raises: ValueError for other factors.
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    if isinstance(img, Tensor):
        require_channels(img, [1, 3])
        return img if get_image_num_channels(img) == 1 else shift_hue(img, hue_factor)
    require_pil_image(img)
    if img.mode in ("L", "1", "I", "F"):
        return img
    hue, saturation, value = img.convert("HSV").split()
    shifted = np.array(hue) + np.int32(hue_factor * 255).astype(np.uint8)  # bytes wrap around, as the circle does
    return Image.merge("HSV", (Image.fromarray(shifted), saturation, value)).convert(img.mode)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """gain · x^gamma for x from 0 to 1: gamma > 1 makes shadows darker, < 1 lighter. ValueError if it is negative."""
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    if isinstance(img, Tensor):
        computed = img if img.is_floating_point() else convert_image_dtype(img, dtypes.float32)
        return convert_image_dtype((gain * computed**gamma).clamp(0, 1), img.dtype)
    require_pil_image(img)
    table = [int((255 + 1 - 1e-3) * gain * pow(value / 255.0, gamma)) for value in range(256)] * 3
    return img.convert("RGB").point(table).convert(img.mode)


def _enhance(method: Callable[[Any], Any], img: Any, factor: float) -> Any:
    require_pil_image(img)
    return method(img).enhance(factor)


def _check_factor(name: str, factor: float, img: Tensor) -> None:
    if factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")
    require_tensor_image(img)
    require_channels(img, [1, 3])


def _blend(img: Tensor, other: Any, ratio: float) -> Any:
    """ratio · img + (1 − ratio) · other; ratios above 1 lead away from ``other``."""
    ratio = float(ratio)
    return (ratio * img + (1.0 - ratio) * other).clamp(0, largest_value(img.dtype)).to(img.dtype)


class Grayscale(Module):
    """A grey image of one or three channels; see ``rgb_to_grayscale``."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"Grayscale(num_output_channels={self.num_output_channels})"


class RandomGrayscale(Module):
    """A grey image, with as many channels as before, with probability ``p``."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        channels = get_dimensions(img)[0]
        return rgb_to_grayscale(img, channels) if rand(1) < self.p else img

    def __repr__(self) -> str:
        return f"RandomGrayscale(p={self.p})"


class ColorJitter(Module):
    """Change brightness, contrast, saturation and hue by random factors, in random order.

    Args: brightness, contrast, saturation: (min, max) of the factor, or one number x for (max(0, 1 − x), 1 + x);
    hue: (min, max) of the turns, or one number x for (−x, x). 0 leaves it alone.
    Raises: ValueError for negative numbers and values out of range, TypeError for anything else.

    >>> ColorJitter(brightness=0.5)
    ColorJitter(brightness=(0.5, 1.5), contrast=None, saturation=None, hue=None)
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        self.brightness = _as_range("brightness", brightness)
        self.contrast = _as_range("contrast", contrast)
        self.saturation = _as_range("saturation", saturation)
        self.hue = _as_range("hue", hue, center=0, bound=(-0.5, 0.5))

    @staticmethod
    def get_params(brightness: Any, contrast: Any, saturation: Any, hue: Any) -> tuple[Any, Any, Any, Any, Any]:
        """Draw the order, then the four factors (None for what stays as it is)."""
        order = randperm(4)
        factors = [
            None if each is None else float(empty(1).uniform_(each[0], each[1]).item())
            for each in (brightness, contrast, saturation, hue)
        ]
        return order, factors[0], factors[1], factors[2], factors[3]

    def forward(self, img: Any) -> Any:
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        for index in order.tolist():
            if factors[index] is not None:
                img = _ADJUSTMENTS[index](img, factors[index])
        return img

    def __repr__(self) -> str:
        return (
            f"ColorJitter(brightness={self.brightness}, contrast={self.contrast}, saturation={self.saturation}, "
            f"hue={self.hue})"
        )


_ADJUSTMENTS = (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue)


def _as_range(
    name: str, value: Any, center: float = 1, bound: tuple[float, float] = (0, float("inf"))
) -> tuple[float, float] | None:
    """(min, max) of a factor, or None where it could only be ``center``, which changes nothing."""
    if isinstance(value, Number):
        if value < 0:  # type: ignore[operator]
            raise ValueError(f"If {name} is a single number, it must be non negative.")
        limits = [center - float(value), center + float(value)]  # type: ignore[arg-type]
        limits[0] = max(limits[0], 0.0) if center == 1 else limits[0]
    elif isinstance(value, (tuple, list)) and len(value) == 2:
        limits = [float(value[0]), float(value[1])]
    else:
        raise TypeError(f"{name} should be a single number or a list/tuple with length 2.")
    if not bound[0] <= limits[0] <= limits[1] <= bound[1]:
        raise ValueError(f"{name} values should be between {bound}, but got {limits}.")
    return None if limits[0] == limits[1] == center else (limits[0], limits[1])
