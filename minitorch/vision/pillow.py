"""Pillow, which reads, writes and resamples images: an optional dependency, named where it is missing."""

try:
    from PIL import Image, ImageEnhance, ImageOps
except ImportError as error:
    raise ImportError(
        "minitorch.vision works on images of the Pillow library, which is not installed here; "
        "install it with: pip install 'minitorch[vision]'"
    ) from error

__all__ = ["Image", "ImageEnhance", "ImageOps"]
