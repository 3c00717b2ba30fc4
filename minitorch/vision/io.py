"""Image files as tensors of bytes (C, H, W), and back."""

from __future__ import annotations

import io
from enum import Enum
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.tensor.tensor import Tensor
from minitorch.vision.pillow import Image, ImageOps
from minitorch.vision.transforms.conversion import pil_to_tensor, to_pil_image


class ImageReadMode(Enum):
    """Which channels to read: those of the file, or others that they are converted to."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4


_PIL_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}
_BYTE_MODES = ("L", "LA", "RGB", "RGBA", "CMYK")


def read_image(
    path: Any, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> Tensor:
    """The image file as a tensor (C, H, W) of bytes.

    Args: mode: which channels, also by name ("RGB"); apply_exif_orientation: turn a photograph as its camera noted.
    Raises: RuntimeError if there is no such file, it is no image, or its channels have more than a byte.
    """
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise RuntimeError(f"{error.strerror}: '{path}'") from error
    return _decoded(data, mode, apply_exif_orientation, f"'{path}'")


def decode_image(
    input: Tensor | str, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> Tensor:
    """``read_image`` of a file that is already in memory, as a tensor of its bytes (or of a path)."""
    if not isinstance(input, Tensor):
        return read_image(input, mode, apply_exif_orientation)
    if input.dtype != dtypes.uint8 or input.ndim != 1:
        raise RuntimeError("decode_image: the input must be a 1-dimensional tensor of uint8")
    return _decoded(input.numpy().tobytes(), mode, apply_exif_orientation, "the input")


def _decoded(data: bytes, mode: ImageReadMode | str, apply_exif_orientation: bool, name: str) -> Tensor:
    mode = ImageReadMode[mode.upper()] if isinstance(mode, str) else mode
    try:
        image: Any = Image.open(io.BytesIO(data))
        image.load()
    except (OSError, SyntaxError) as error:  # Pillow raises either for a damaged file
        raise RuntimeError(f"{name} is not an image that Pillow can read: {error}") from error
    if apply_exif_orientation:
        image = ImageOps.exif_transpose(image)
    return pil_to_tensor(image.convert(_mode_to_read(image, mode, name)))


def _mode_to_read(image: Any, mode: ImageReadMode, name: str) -> str:
    """Pillow's name of the mode; a palette or single bits are spelled out as colours or bytes."""
    if mode is not ImageReadMode.UNCHANGED:
        return _PIL_MODES[mode]
    if image.mode == "P":
        return "RGBA" if "transparency" in image.info else "RGB"
    if image.mode == "1":
        return "L"
    if image.mode not in _BYTE_MODES:
        raise RuntimeError(f"{name} has Pillow's mode {image.mode}, which is not made of bytes; give a mode to convert")
    return str(image.mode)


def write_png(input: Tensor, filename: Any, compression_level: int = 6) -> None:
    """Write a tensor of bytes (1 or 3, H, W) as a PNG file; compression_level from 0 (none) to 9."""
    if not 0 <= compression_level <= 9:
        raise RuntimeError("Compression level should be between 0 and 9")
    _checked(input).save(filename, format="PNG", compress_level=compression_level)


def write_jpeg(input: Tensor, filename: Any, quality: int = 75) -> None:
    """Write a tensor of bytes (1 or 3, H, W) as a JPEG file; quality from 1 to 100."""
    if not 1 <= quality <= 100:
        raise ValueError("Image quality should be a positive number between 1 and 100")
    _checked(input).save(filename, format="JPEG", quality=quality)


def _checked(input: Tensor) -> Any:
    if not isinstance(input, Tensor) or input.dtype != dtypes.uint8:
        raise RuntimeError("Input tensor dtype should be uint8")
    if input.ndim != 3 or input.shape[0] not in (1, 3):
        raise RuntimeError(f"Input data should be 3-dimensional with 1 or 3 channels, got {tuple(input.shape)}")
    return to_pil_image(input)
