"""Margins around an image: of a colour, or taken from the image itself."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np

import minitorch.dtypes as dtypes
from minitorch.nn import functional as F  # noqa: N812 (as everyone calls it)
from minitorch.nn.module import Module
from minitorch.tensor.creation import tensor
from minitorch.tensor.tensor import Tensor
from minitorch.vision.pillow import Image, ImageOps
from minitorch.vision.transforms.images import fill_for_pil, require_pil_image, require_tensor_image

_MODES = ("constant", "edge", "reflect", "symmetric")


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """The image with a margin around it.

    Args: padding: pixels, one number for all sides, two for left/right and top/bottom, four for left, top, right
    and bottom; negative numbers cut off. fill: the colour of a constant margin, a number or (Pillow images) one a
    channel. padding_mode: "constant"; "edge" repeats the last pixel, "reflect" mirrors without it, "symmetric"
    with it.
    Raises: TypeError for arguments of other types, ValueError for other lengths and modes.

    >>> import minitorch as torch
    >>> pad(torch.ones(1, 1, 2), (1, 0), fill=5)
    tensor([[[5., 1., 1., 5.]]])
    """
    check_padding(padding, padding_mode)
    left, top, right, bottom = sides = _four_sides(padding)
    if isinstance(img, Tensor):
        require_tensor_image(img)
        return _pad_tensor(img, (left, right, top, bottom), fill, padding_mode)
    require_pil_image(img)
    return _pad_pil(img, sides, fill, padding_mode)


def check_padding(padding: Any, padding_mode: Any) -> None:
    """TypeError or ValueError for a ``padding`` or mode that ``pad`` does not know."""
    if not isinstance(padding, (Number, tuple, list)):
        raise TypeError("Got inappropriate padding arg")
    if not isinstance(padding_mode, str):
        raise TypeError("Got inappropriate padding_mode arg")
    if isinstance(padding, (tuple, list)) and len(padding) not in (1, 2, 4):
        raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple")
    if padding_mode not in _MODES:
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")


def _four_sides(padding: Any) -> tuple[int, int, int, int]:
    """(left, top, right, bottom)."""
    given = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,)
    if len(given) == 4:
        return given
    return given[0], given[-1], given[0], given[-1]


def _pad_tensor(img: Tensor, widths: Sequence[int], fill: Any, padding_mode: str) -> Any:
    fill = 0 if fill is None else fill
    if not isinstance(fill, (int, float)):
        raise TypeError("Got inappropriate fill arg")
    if padding_mode == "symmetric":
        return _pad_symmetric(img, widths)
    if padding_mode == "constant":
        return F.pad(img, widths, value=float(fill))
    # One dimension in front is what the other modes expect, and they do not count in bytes.
    batch = img.unsqueeze(0) if img.ndim < 4 else img
    batch = batch if batch.ndim > 3 else batch.unsqueeze(0)
    computed = batch if batch.is_floating_point() else batch.to(dtypes.float32)
    padded = F.pad(computed, widths, mode="replicate" if padding_mode == "edge" else "reflect")
    return padded.to(img.dtype).view(*img.shape[:-2], *padded.shape[-2:])


def _pad_symmetric(img: Tensor, widths: Sequence[int]) -> Any:
    """Mirror with the edge pixel: pixel −1 is pixel 0, pixel −2 is pixel 1, and so on."""
    left, right, top, bottom = widths
    height, width = img.shape[-2:]
    rows = _mirrored(np.arange(-top, height + bottom), height)
    columns = _mirrored(np.arange(-left, width + right), width)
    return img[..., tensor(rows, device=img.device)[:, None], tensor(columns, device=img.device)]


def _mirrored(places: Any, size: int) -> Any:
    within = places % (2 * size)
    return np.minimum(within, 2 * size - 1 - within)


def _pad_pil(img: Any, sides: tuple[int, int, int, int], fill: Any, padding_mode: str) -> Any:
    if fill is not None and not isinstance(fill, (Number, tuple, list)):
        raise TypeError("Got inappropriate fill arg")
    if padding_mode == "constant":
        padded = ImageOps.expand(img, border=sides, fill=fill_for_pil(fill, img))
    else:
        padded = _pad_pil_from_itself(img, sides, padding_mode)
    if img.mode == "P":
        padded.putpalette(img.getpalette())
    return padded


def _pad_pil_from_itself(img: Any, sides: tuple[int, int, int, int], padding_mode: str) -> Any:
    left, top, right, bottom = (max(-side, 0) for side in sides)
    array = np.asarray(img.crop((left, top, img.width - right, img.height - bottom)))
    left, top, right, bottom = (max(side, 0) for side in sides)
    widths = [(top, bottom), (left, right), (0, 0)][: array.ndim]
    return Image.fromarray(np.pad(array, widths, mode=padding_mode))  # type: ignore[call-overload]


class Pad(Module):
    """A margin around the image; see ``pad``.

    >>> Pad(2)
    Pad(padding=2, fill=0, padding_mode=constant)
    """

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        check_padding(padding, padding_mode)
        if not isinstance(fill, (Number, tuple, list)):
            raise TypeError("Got inappropriate fill arg")
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img: Any) -> Any:
        return pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return f"Pad(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"
