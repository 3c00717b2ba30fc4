"""Images for the tests, and ways to compare."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

import minitorch


def bytes_of(height: int, width: int, channels: int = 3, seed: int = 0) -> Any:
    """Random bytes (H, W, C), or (H, W) for one channel."""
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth_bytes(height: int, width: int) -> Any:
    """A colour gradient with a dark square (H, W, 3): an image in which neighbours resemble each other."""
    rows, columns = np.mgrid[0:height, 0:width]
    image = np.stack([255 * rows / height, 255 * columns / width, 255 * (rows + columns) / (height + width)], -1)
    image[height // 4 : height // 2, width // 4 : width // 2] *= 0.3
    return image.astype(np.uint8)


def pil(height: int, width: int, channels: int = 3, seed: int = 0) -> Image.Image:
    """The same as a Pillow image."""
    return Image.fromarray(bytes_of(height, width, channels, seed))


def chw(array: Any) -> Any:
    """(H, W, C) or (H, W) as (C, H, W)."""
    return np.ascontiguousarray(array[None] if array.ndim == 2 else array.transpose(2, 0, 1))


def pair(array: Any) -> tuple[Any, Any]:
    """Our tensor and torch's, of the same values."""
    return minitorch.tensor(array), torch.tensor(array)


def same(ours: Any, theirs: Any) -> None:
    """Equal in value, shape and dtype."""
    expected = theirs.numpy() if isinstance(theirs, torch.Tensor) else np.asarray(theirs)
    assert ours.numpy().dtype == expected.dtype
    np.testing.assert_array_equal(ours.numpy(), expected)


def seed_both(seed: int = 0) -> None:
    """Start both libraries' default generators from the same seed."""
    minitorch.manual_seed(seed)
    torch.manual_seed(seed)
