"""What counts as an image: a Pillow image, or a tensor whose last three dimensions are (C, H, W).

Every transform accepts both where that makes sense. Pillow's own routines work on Pillow images; tensors, which
may have more dimensions in front, are worked on with the library's ops, so that gradients flow through.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from numbers import Number
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.tensor.tensor import Tensor
from minitorch.vision.pillow import Image


class InterpolationMode(Enum):
    """How pixels between pixels are found. Tensors know the first four, Pillow images all but ``NEAREST_EXACT``."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


PIL_RESAMPLING = {
    InterpolationMode.NEAREST: Image.Resampling.NEAREST,
    InterpolationMode.NEAREST_EXACT: Image.Resampling.NEAREST,  # Pillow's nearest is the exact one
    InterpolationMode.BILINEAR: Image.Resampling.BILINEAR,
    InterpolationMode.BICUBIC: Image.Resampling.BICUBIC,
    InterpolationMode.BOX: Image.Resampling.BOX,
    InterpolationMode.HAMMING: Image.Resampling.HAMMING,
    InterpolationMode.LANCZOS: Image.Resampling.LANCZOS,
}
_MODES_BY_NUMBER = {
    int(number): mode for mode, number in PIL_RESAMPLING.items() if mode is not InterpolationMode.NEAREST_EXACT
}


def as_interpolation_mode(mode: Any) -> InterpolationMode:
    """``mode``, or the mode of Pillow's number for it; TypeError for anything else."""
    if isinstance(mode, InterpolationMode):
        return mode
    if isinstance(mode, int) and mode in _MODES_BY_NUMBER:
        return _MODES_BY_NUMBER[mode]
    raise TypeError(
        "Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant, "
        f"but got {mode!r}"
    )


def is_pil_image(image: Any) -> bool:
    """Whether ``image`` is a Pillow image."""
    return isinstance(image, Image.Image)


def require_pil_image(image: Any) -> None:
    """TypeError unless ``image`` is a Pillow image."""
    if not is_pil_image(image):
        raise TypeError(f"img should be PIL Image. Got {type(image)}")


def require_tensor_image(image: Any) -> None:
    """TypeError unless ``image`` is a tensor of two or more dimensions."""
    if not isinstance(image, Tensor) or image.ndim < 2:
        raise TypeError("Tensor is not a torch image.")


def require_channels(image: Tensor, permitted: Sequence[int]) -> None:
    """TypeError unless the number of channels is one of ``permitted``."""
    channels = get_dimensions(image)[0]
    if channels not in permitted:
        raise TypeError(f"Input image tensor permitted channel values are {permitted}, but found {channels}")


def get_dimensions(img: Any) -> list[int]:
    """[channels, height, width] of an image.

    >>> import minitorch as torch
    >>> get_dimensions(torch.zeros(5, 3, 32, 48))
    [3, 32, 48]
    """
    if isinstance(img, Tensor):
        require_tensor_image(img)
        return [1 if img.ndim == 2 else img.shape[-3], *img.shape[-2:]]
    if is_pil_image(img):
        return [len(img.getbands()), img.height, img.width]
    raise TypeError(f"Unexpected type {type(img)}")


def get_image_size(img: Any) -> list[int]:
    """[width, height] of an image."""
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img: Any) -> int:
    """The number of channels of an image."""
    return get_dimensions(img)[0]


def largest_value(dtype: dtypes.dtype) -> int:
    """The value that stands for full brightness: 1 for floating point, the largest number for integers."""
    if dtype.is_floating_point or dtype == dtypes.bool_:
        return 1
    return int(2 ** (8 * dtype.numpy.itemsize - (dtype != dtypes.uint8)) - 1)


def as_height_and_width(size: Any) -> Sequence[int]:
    """A size given as one number or as (h, w), as a pair; ValueError for more numbers."""
    if isinstance(size, Number):
        return int(size), int(size)  # type: ignore[call-overload]
    if isinstance(size, Sequence) and len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError("Please provide only two dimensions (h, w) for size.")
    return size


def fill_for_pil(fill: Any, image: Any) -> Any:
    """``fill`` as Pillow wants it: one number a channel, whole numbers unless the image holds floats."""
    channels = get_image_num_channels(image)
    fill = 0 if fill is None else fill
    if isinstance(fill, (int, float)) and channels > 1:
        fill = [fill]
    if isinstance(fill, (list, tuple)):
        if len(fill) not in (1, channels):
            raise ValueError(
                "The number of elements in 'fill' does not match the number of channels of the image "
                f"({len(fill)} != {channels})"
            )
        every = fill * channels if len(fill) == 1 else fill
        return tuple(every) if image.mode == "F" else tuple(int(each) for each in every)
    return fill if image.mode == "F" else int(fill)
