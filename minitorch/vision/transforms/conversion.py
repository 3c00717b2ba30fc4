"""Between Pillow images, NumPy arrays and tensors, and between the dtypes of a tensor image.

A Pillow image or an array is (H, W, C) with bytes from 0 to 255; a tensor image is (C, H, W), usually with
floats from 0 to 1.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import minitorch.dtypes as dtypes
from minitorch.nn.module import Module
from minitorch.ops.division import div
from minitorch.tensor.creation import as_tensor, from_numpy
from minitorch.tensor.tensor import Tensor
from minitorch.vision.pillow import Image
from minitorch.vision.transforms.images import get_image_num_channels, is_pil_image, largest_value, require_tensor_image

_LITTLE_ENDIAN = sys.byteorder == "little"
_INT16_MODE = "I;16" if _LITTLE_ENDIAN else "I;16B"
_ARRAY_TYPES = {"I": np.int32, _INT16_MODE: np.int16, "F": np.float32}  # all other modes hold bytes
_MODES_OF_ONE_CHANNEL = {"uint8": "L", "int16": _INT16_MODE, "int32": "I", "float32": "F"}
_MODES = {2: ["LA"], 3: ["RGB", "YCbCr", "HSV"], 4: ["RGBA", "CMYK", "RGBX"]}


# ---------------------------------------------------------------------------------------------- functions


def to_tensor(pic: Any) -> Tensor:
    """A Pillow image or an array (H, W) or (H, W, C) as a tensor (C, H, W); bytes become floats from 0 to 1.

    Other dtypes keep their values. Raises: TypeError for other types, ValueError for other numbers of dimensions.

    >>> import numpy
    >>> to_tensor(numpy.array([[0, 51], [102, 255]], dtype=numpy.uint8))
    tensor([[[0.0000, 0.2000],
             [0.4000, 1.0000]]])
    """
    if not is_pil_image(pic) and not isinstance(pic, np.ndarray):
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        array = pic[:, :, None] if pic.ndim == 2 else pic
    else:
        array = np.array(pic, _ARRAY_TYPES.get(pic.mode, np.uint8))
        if pic.mode == "1":
            array = array * np.uint8(255)
        array = array.reshape(pic.height, pic.width, get_image_num_channels(pic))
    image = from_numpy(array.transpose(2, 0, 1).copy())
    if image.dtype != dtypes.uint8:
        return image
    return image.to(dtypes.get_default_dtype()).div(255)


def pil_to_tensor(pic: Any) -> Tensor:
    """A Pillow image as a tensor (C, H, W) with the same values. Raises: TypeError for other types."""
    if not is_pil_image(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    array = np.array(pic).reshape(pic.height, pic.width, get_image_num_channels(pic))
    return from_numpy(array.transpose(2, 0, 1))


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W), as a Pillow image.

    Floats are taken to be from 0 to 1: they are multiplied by 255 and cut off to bytes, unless ``mode`` is "F".
    Without ``mode`` one channel gives L (or I, I;16, F by dtype), two LA, three RGB, four RGBA.
    Raises: TypeError for other types and dtypes; ValueError for other shapes, and for a mode that does not fit.

    >>> import minitorch as torch
    >>> to_pil_image(torch.ones(3, 2, 4)).size
    (4, 2)
    """
    array = _as_height_width_channels(pic)
    if array.dtype.kind == "f" and mode != "F":
        array = (array * 255).astype(np.uint8)
    if array.shape[2] == 1:
        return _image_of_one_channel(array[:, :, 0], mode)
    mode = _mode_of_channels(array, mode)
    return Image.fromarray(np.ascontiguousarray(array), mode=mode)


def _as_height_width_channels(pic: Any) -> Any:
    if isinstance(pic, Tensor):
        array = (pic.permute(1, 2, 0) if pic.ndim == 3 else pic).numpy(force=True)
    elif isinstance(pic, np.ndarray):
        array = pic
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if array.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {array.ndim} dimensions.")
    array = array[:, :, None] if array.ndim == 2 else array
    if array.shape[2] > 4:
        raise ValueError(f"pic should not have > 4 channels. Got {array.shape[2]} channels.")
    return array


def _image_of_one_channel(array: Any, mode: str | None) -> Any:
    expected = _MODES_OF_ONE_CHANNEL.get(array.dtype.name)
    if mode is not None and mode != expected:
        raise ValueError(f"Incorrect mode ({mode}) supplied for input type {array.dtype}. Should be {expected}")
    if expected is None:
        raise TypeError(f"Input type {array.dtype} is not supported")
    # Pillow finds the mode by itself; it has no signed 16-bit numbers, but the bits are the same.
    return Image.fromarray(np.ascontiguousarray(array.view(np.uint16) if array.dtype == np.int16 else array))


def _mode_of_channels(array: Any, mode: str | None) -> str:
    channels = array.shape[2]
    if mode is not None and mode not in _MODES[channels]:
        raise ValueError(f"Only modes {_MODES[channels]} are supported for {channels}D inputs")
    if array.dtype != np.uint8:
        raise TypeError(f"Input type {array.dtype} is not supported")
    return _MODES[channels][0] if mode is None else mode


def convert_image_dtype(image: Tensor, dtype: dtypes.dtype = dtypes.float32) -> Tensor:
    """The image in another dtype, its values scaled so that full brightness stays full brightness.

    Full brightness is 1 for floating point and the largest number for integers.
    Raises: TypeError for anything but a tensor; RuntimeError where a float has too few digits for the integers.

    >>> import minitorch as torch
    >>> convert_image_dtype(torch.tensor([0, 255], dtype=torch.uint8))
    tensor([0., 1.])
    """
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    if image.dtype == dtype:
        return image
    if image.is_floating_point():
        return image.to(dtype) if dtype.is_floating_point else _float_to_integer(image, dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / float(largest_value(image.dtype))
    return _integer_to_integer(image, dtype)


def _float_to_integer(image: Tensor, dtype: dtypes.dtype) -> Tensor:
    too_wide = {"float32": ("int32", "int64"), "float64": ("int64",)}
    if dtype.numpy.name in too_wide.get(image.dtype.numpy.name, ()):
        raise RuntimeError(f"The cast from {image.dtype} to {dtype} cannot be performed safely.")
    # Slightly less than a whole step more than the largest value: every integer gets an equal share of [0, 1].
    return image.mul(largest_value(dtype) + 1.0 - 1e-3).to(dtype)


def _integer_to_integer(image: Tensor, dtype: dtypes.dtype) -> Tensor:
    steps_before, steps_after = largest_value(image.dtype) + 1, largest_value(dtype) + 1
    if steps_before > steps_after:
        return div(image, steps_before // steps_after, rounding_mode="floor").to(dtype)
    return image.to(dtype) * (steps_after // steps_before)


def normalize(tensor: Tensor, mean: Any, std: Any, inplace: bool = False) -> Tensor:
    """Shift and scale each channel: (x − mean) / std.

    Shapes: (…, C, H, W); ``mean`` and ``std`` have one number a channel, or one for all.
    Args: inplace: write into ``tensor`` instead of a copy.
    Raises: TypeError for anything but a floating-point tensor; ValueError for fewer than three dimensions and for
    a standard deviation of zero.

    >>> import minitorch as torch
    >>> normalize(torch.ones(1, 1, 2), (0.5,), (0.25,))
    tensor([[[2., 2.]]])
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    require_tensor_image(tensor)
    if not tensor.is_floating_point():
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.ndim < 3:
        raise ValueError(
            f"Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {tensor.size()}"
        )
    mean = as_tensor(mean, dtype=tensor.dtype, device=tensor.device)
    std = as_tensor(std, dtype=tensor.dtype, device=tensor.device)
    if bool((std == 0).any()):
        raise ValueError(f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero.")
    mean = mean.view(-1, 1, 1) if mean.ndim == 1 else mean
    std = std.view(-1, 1, 1) if std.ndim == 1 else std
    return (tensor if inplace else tensor.clone()).sub_(mean).div_(std)


# ------------------------------------------------------------------------------------------------ classes


class ToTensor:
    """A Pillow image or array becomes a tensor with values from 0 to 1; see ``to_tensor``."""

    def __call__(self, pic: Any) -> Tensor:
        return to_tensor(pic)

    def __repr__(self) -> str:
        return "ToTensor()"


class PILToTensor:
    """A Pillow image becomes a tensor with the same values; see ``pil_to_tensor``."""

    def __call__(self, pic: Any) -> Tensor:
        return pil_to_tensor(pic)

    def __repr__(self) -> str:
        return "PILToTensor()"


class ToPILImage:
    """A tensor or array becomes a Pillow image; see ``to_pil_image``."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return "ToPILImage()" if self.mode is None else f"ToPILImage(mode={self.mode})"


class ConvertImageDtype(Module):
    """A tensor image in another dtype; see ``convert_image_dtype``."""

    def __init__(self, dtype: dtypes.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        return convert_image_dtype(image, self.dtype)


class Normalize(Module):
    """Shift and scale each channel; see ``normalize``.

    >>> Normalize((0.5,), (0.5,))
    Normalize(mean=(0.5,), std=(0.5,))
    """

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor: Tensor) -> Tensor:
        return normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"
