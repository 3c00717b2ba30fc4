"""Turned images.

An output pixel looks back along the rotation for the place in the input that it shows. On a tensor: the nearest
input pixel, or the four around the place, weighted by how near they are; places outside count as zeros or as the
colour ``fill``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Number
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.backend import array_module
from minitorch.nn.module import Module
from minitorch.ops.choice import where
from minitorch.tensor.creation import as_tensor, empty, finish
from minitorch.tensor.tensor import Tensor
from minitorch.vision.transforms.images import (
    PIL_RESAMPLING,
    InterpolationMode,
    as_interpolation_mode,
    fill_for_pil,
    get_dimensions,
    require_pil_image,
    require_tensor_image,
)


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Any = None,
    fill: Any = None,
) -> Any:
    """The image turned counter-clockwise around its middle.

    Args: angle: in degrees; interpolation: nearest or bilinear (Pillow images also bicubic); expand: make the
    result large enough for the whole image; center: (x, y) from the upper left corner instead of the middle;
    fill: the colour outside, a number or one a channel.
    Raises: TypeError for arguments of other types, ValueError for other interpolations and lengths of ``fill``.

    >>> import minitorch as torch
    >>> rotate(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), 90)
    tensor([[[2., 4.],
             [1., 3.]]])
    """
    mode = as_interpolation_mode(interpolation)
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError("Argument center should be a sequence")
    if isinstance(img, Tensor):
        return _rotate_tensor(img, angle, mode, expand, center, fill)
    require_pil_image(img)
    return img.rotate(angle, PIL_RESAMPLING[mode], expand, center, fillcolor=fill_for_pil(fill, img))


def _rotate_tensor(img: Tensor, angle: float, mode: InterpolationMode, expand: bool, center: Any, fill: Any) -> Any:
    require_tensor_image(img)
    _check_tensor_options(img, mode, fill)
    H, W = img.shape[-2:]
    # Coordinates are counted from the middle of the image; y grows downwards, which is why angles change sign.
    middle = (0.0, 0.0) if center is None else (center[0] - W * 0.5, center[1] - H * 0.5)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    out_height, out_width = _size_of_the_whole(H, W, cosine, sine, middle) if expand else (H, W)
    xp = array_module(img.array)
    x = (xp.arange(out_width) - (out_width - 1) / 2)[None, :] - middle[0]
    y = (xp.arange(out_height) - (out_height - 1) / 2)[:, None] - middle[1]
    source_x = cosine * x - sine * y + middle[0] + (W - 1) / 2
    source_y = sine * x + cosine * y + middle[1] + (H - 1) / 2
    return _sample(img, source_x, source_y, mode, fill)


def _check_tensor_options(img: Tensor, mode: InterpolationMode, fill: Any) -> None:
    channels = get_dimensions(img)[0]
    if isinstance(fill, (list, tuple)) and len(fill) not in (1, channels):
        raise ValueError(
            "The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
            f"({len(fill)} != {channels})"
        )
    if mode not in (InterpolationMode.NEAREST, InterpolationMode.BILINEAR):
        raise ValueError(f"Interpolation mode '{mode.value}' is unsupported with Tensor input")


def _size_of_the_whole(H: int, W: int, cosine: float, sine: float, middle: Any) -> tuple[int, int]:
    """The size that holds all four turned corners, in whole pixels of the unturned grid (as Pillow and torchvision)."""
    xs, ys = [], []
    for x, y in ((-W / 2, -H / 2), (-W / 2, H / 2), (W / 2, H / 2), (W / 2, -H / 2)):
        x, y = x - middle[0], y - middle[1]
        xs.append(cosine * x - sine * y + middle[0] + W / 2)
        ys.append(sine * x + cosine * y + middle[1] + H / 2)
    return _whole_pixels(ys), _whole_pixels(xs)


def _whole_pixels(edges: list[float]) -> int:
    return math.ceil(max(edges) - 1e-4) - math.floor(min(edges) + 1e-4)  # rounding errors are no new pixel


def _sample(img: Tensor, x: Any, y: Any, mode: InterpolationMode, fill: Any) -> Any:
    """The image at the places (x, y), counted in pixels from the first one's centre."""
    xp = array_module(img.array)
    if mode is InterpolationMode.NEAREST:
        value, inside = _pixel(img, xp.rint(x), xp.rint(y))
        return _with_fill(value, inside, fill, img)
    computed = img if img.is_floating_point() else img.to(dtypes.float32)
    left, top = xp.floor(x), xp.floor(y)
    total: Any = 0
    share: Any = 0
    for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
        weight = ((1 - abs(x - column)) * (1 - abs(y - row))).astype(computed.array.dtype)
        value, inside = _pixel(computed, column, row)
        total = total + value * finish(weight * inside)
        share = share + weight * inside
    if fill is not None:
        total = total * finish(share) + finish(1 - share) * _colour(fill, computed)
    return total if img.is_floating_point() else total.round().to(img.dtype)


def _pixel(img: Tensor, column: Any, row: Any) -> tuple[Any, Any]:
    """The pixels there (the nearest one for places outside), and which places lie inside."""
    H, W = img.shape[-2:]
    inside = (column >= 0) & (column < W) & (row >= 0) & (row < H)
    rows, columns = (finish(each.clip(0, size - 1).astype("int64")) for each, size in ((row, H), (column, W)))
    return img[..., rows, columns], inside


def _with_fill(value: Any, inside: Any, fill: Any, img: Tensor) -> Any:
    return where(finish(inside), value, _colour(0 if fill is None else fill, img))


def _colour(fill: Any, img: Tensor) -> Tensor:
    """``fill`` in the shape (C or 1, 1, 1) and the dtype of the image."""
    every = list(fill) if isinstance(fill, (list, tuple)) else [fill]
    return as_tensor(every, dtype=img.dtype, device=img.device).view(*([-1] if img.ndim > 2 else []), 1, 1)


class RandomRotation(Module):
    """Turn the image by a random angle.

    Args: degrees: (min, max), or one number for (−degrees, degrees); the others see ``rotate``.

    >>> RandomRotation(30)
    RandomRotation(degrees=[-30.0, 30.0], interpolation=nearest, expand=False, fill=0)
    """

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Any = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.degrees = _as_range(degrees)
        self.interpolation = as_interpolation_mode(interpolation)
        self.expand = expand
        if center is not None:
            _check_pair(center, "center")
        self.center = center
        if fill is not None and not isinstance(fill, (Sequence, Number)):
            raise TypeError("Fill should be either a sequence or a number.")
        self.fill = 0 if fill is None else fill

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """Draw the angle."""
        return float(empty(1).uniform_(float(degrees[0]), float(degrees[1])).item())

    def forward(self, img: Any) -> Any:
        angle = self.get_params(self.degrees)
        return rotate(img, angle, self.interpolation, self.expand, self.center, self.fill)

    def __repr__(self) -> str:
        center = "" if self.center is None else f", center={self.center}"
        return (
            f"RandomRotation(degrees={self.degrees}, interpolation={self.interpolation.value}, "
            f"expand={self.expand}{center}, fill={self.fill})"
        )


def _as_range(degrees: Any) -> list[float]:
    if isinstance(degrees, Number):
        if degrees < 0:  # type: ignore[operator]
            raise ValueError("If degrees is a single number, it must be positive.")
        degrees = [-degrees, degrees]  # type: ignore[operator]
    _check_pair(degrees, "degrees")
    return [float(each) for each in degrees]


def _check_pair(value: Any, name: str) -> None:
    if not isinstance(value, Sequence):
        raise TypeError(f"{name} should be a sequence of length 2.")
    if len(value) != 2:
        raise ValueError(f"{name} should be a sequence of length 2.")
