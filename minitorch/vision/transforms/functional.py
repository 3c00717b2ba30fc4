"""The transforms as plain functions, every choice made by the caller; re-exports, no logic."""

from minitorch.vision.transforms.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_gamma,
    adjust_hue,
    adjust_saturation,
    rgb_to_grayscale,
    to_grayscale,
)
from minitorch.vision.transforms.conversion import (
    convert_image_dtype,
    normalize,
    pil_to_tensor,
    to_pil_image,
    to_tensor,
)
from minitorch.vision.transforms.cropping import center_crop, crop
from minitorch.vision.transforms.erasing import erase
from minitorch.vision.transforms.flipping import hflip, vflip
from minitorch.vision.transforms.images import (
    InterpolationMode,
    get_dimensions,
    get_image_num_channels,
    get_image_size,
)
from minitorch.vision.transforms.padding import pad
from minitorch.vision.transforms.resizing import resize, resized_crop
from minitorch.vision.transforms.rotation import rotate

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "erase",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "hflip",
    "normalize",
    "pad",
    "pil_to_tensor",
    "resize",
    "resized_crop",
    "rgb_to_grayscale",
    "rotate",
    "to_grayscale",
    "to_pil_image",
    "to_tensor",
    "vflip",
]
