"""Images in another size: the whole image, or a random part of it."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import minitorch.dtypes as dtypes
from minitorch.nn import functional as F  # noqa: N812
from minitorch.nn.module import Module
from minitorch.ops.elementwise import exp, log
from minitorch.tensor.creation import empty, tensor
from minitorch.tensor.random import randint
from minitorch.tensor.tensor import Tensor
from minitorch.vision.transforms.cropping import crop
from minitorch.vision.transforms.images import (
    PIL_RESAMPLING,
    InterpolationMode,
    as_height_and_width,
    as_interpolation_mode,
    get_dimensions,
)


def resize(
    img: Any,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """The image in another size.

    Args: size: (h, w); or one number for the shorter side, which keeps the proportions. max_size: the largest
    allowed length of the longer side then. antialias: look at all pixels when a tensor shrinks, as Pillow always
    does (bilinear and bicubic).
    Raises: TypeError for another interpolation, ValueError for contradictory sizes.

    >>> import minitorch as torch
    >>> resize(torch.zeros(3, 40, 60), 20).shape
    torch.Size([3, 20, 30])
    """
    mode = as_interpolation_mode(interpolation)
    size = _as_sequence(size, max_size)
    _, H, W = get_dimensions(img)
    height, width = _keeping_proportions(H, W, size[0], max_size) if len(size) == 1 else size
    if (height, width) == (H, W):
        return img
    if isinstance(img, Tensor):
        return _resize_tensor(img, [height, width], mode, bool(antialias))
    if antialias is False:
        warnings.warn(
            "Anti-alias option is always applied for PIL Image input. Argument antialias is ignored.", stacklevel=2
        )
    return img.resize((width, height), PIL_RESAMPLING[mode])


def _as_sequence(size: Any, max_size: int | None) -> Sequence[int]:
    if isinstance(size, int):
        return [size]
    if not isinstance(size, (list, tuple)):
        raise TypeError(f"Got inappropriate size arg: {type(size)}")
    if len(size) not in (1, 2):
        raise ValueError(f"Size must be an int or a 1 or 2 element tuple/list, not a {len(size)} element tuple/list")
    if max_size is not None and len(size) != 1:
        raise ValueError(
            "max_size should only be passed if size specifies the length of the smaller edge, "
            "i.e. size should be an int or a sequence of length 1 in torchscript mode."
        )
    return size


def _keeping_proportions(H: int, W: int, shorter: int, max_size: int | None) -> tuple[int, int]:
    longer = int(shorter * max(H, W) / min(H, W))
    if max_size is not None:
        if max_size <= shorter:
            raise ValueError(
                f"max_size = {max_size} must be strictly greater than the requested size for the smaller edge "
                f"size = {shorter}"
            )
        if longer > max_size:
            shorter, longer = int(max_size * shorter / longer), max_size
    return (longer, shorter) if W <= H else (shorter, longer)


def _resize_tensor(img: Tensor, size: list[int], mode: InterpolationMode, antialias: bool) -> Any:
    """Bytes are resized as floats and rounded; a bicubic curve may overshoot, so they are clamped too."""
    smooth = mode in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC)
    if not smooth and mode not in (InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT):
        raise ValueError(f"Interpolation mode '{mode.value}' is unsupported with Tensor input")
    batch = img.reshape(-1, *([1] * (3 - img.ndim)), *img.shape[-3:]) if img.ndim != 4 else img
    keeps = img.dtype in (dtypes.float32, dtypes.float64)
    result = F.interpolate(
        batch if keeps else batch.to(dtypes.float32),
        size=size,
        mode=mode.value,
        align_corners=False if smooth else None,
        antialias=antialias and smooth,
    )
    if mode is InterpolationMode.BICUBIC and img.dtype == dtypes.uint8:
        result = result.clamp(0, 255)
    if not keeps:
        result = (result if img.is_floating_point() else result.round()).to(img.dtype)
    return result.reshape(*img.shape[:-2], *size)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """A part of the image, see ``crop``, in another size, see ``resize``."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


class Resize(Module):
    """The image in another size; see ``resize``.

    >>> Resize(255)
    Resize(size=255, interpolation=bilinear, max_size=None, antialias=True)
    """

    def __init__(
        self,
        size: Any,
        interpolation: Any = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, (int, Sequence)):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError("If size is a sequence, it should have 1 or 2 values")
        self.size = size
        self.max_size = max_size
        self.interpolation = as_interpolation_mode(interpolation)
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        return resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (
            f"Resize(size={self.size}, interpolation={self.interpolation.value}, max_size={self.max_size}, "
            f"antialias={self.antialias})"
        )


class RandomResizedCrop(Module):
    """A random part of the image, in a given size: the usual augmentation for ImageNet.

    Args: size: (h, w), or one number for both; scale: from which to which share of the area the part has; ratio:
    from which to which width divided by height; interpolation, antialias: see ``resize``.

    >>> RandomResizedCrop(224).size
    (224, 224)
    """

    def __init__(
        self,
        size: Any,
        scale: Any = (0.08, 1.0),
        ratio: Any = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = as_height_and_width(size)
        check_scale_and_ratio(scale, ratio)
        self.scale = scale
        self.ratio = ratio
        self.interpolation = as_interpolation_mode(interpolation)
        self.antialias = antialias

    @staticmethod
    def get_params(img: Any, scale: Any, ratio: Any) -> tuple[int, int, int, int]:
        """Draw (top, left, height, width); ten tries, then the largest part in the middle that has a fitting ratio."""
        _, H, W = get_dimensions(img)
        for _ in range(10):
            area, aspect = draw_area_and_aspect(H * W, scale, ratio)
            width, height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < width <= W and 0 < height <= H:
                top = randint(0, H - height + 1, size=(1,)).item()
                left = randint(0, W - width + 1, size=(1,)).item()
                return top, left, height, width
        height, width = _largest_with_ratio(H, W, min(ratio), max(ratio))
        return (H - height) // 2, (W - width) // 2, height, width

    def forward(self, img: Any) -> Any:
        top, left, height, width = self.get_params(img, self.scale, self.ratio)
        return resized_crop(img, top, left, height, width, self.size, self.interpolation, self.antialias)

    def __repr__(self) -> str:
        return (
            f"RandomResizedCrop(size={self.size}, scale={tuple(round(each, 4) for each in self.scale)}, "
            f"ratio={tuple(round(each, 4) for each in self.ratio)}, interpolation={self.interpolation.value}, "
            f"antialias={self.antialias})"
        )


def check_scale_and_ratio(scale: Any, ratio: Any) -> None:
    """TypeError unless both are sequences; a warning if they are not (min, max)."""
    if not isinstance(scale, Sequence):
        raise TypeError("Scale should be a sequence")
    if not isinstance(ratio, Sequence):
        raise TypeError("Ratio should be a sequence")
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=3)


def draw_area_and_aspect(area: int, scale: Any, ratio: Any) -> tuple[float, float]:
    """A share of ``area``, uniform, and a ratio of sides, uniform in its logarithm: 2 is as likely as ½."""
    log_ratio = log(tensor(ratio))
    target = area * empty(1).uniform_(scale[0], scale[1]).item()
    aspect = exp(empty(1).uniform_(log_ratio[0].item(), log_ratio[1].item())).item()
    return target, aspect


def _largest_with_ratio(H: int, W: int, lowest: float, highest: float) -> tuple[int, int]:
    if lowest > W / H:
        return round(W / lowest), W
    if highest < W / H:
        return H, round(H * highest)
    return H, W
