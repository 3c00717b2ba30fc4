"""Mirror images: left to right, top to bottom."""

from __future__ import annotations

from typing import Any

from minitorch.nn.module import Module
from minitorch.tensor.random import rand
from minitorch.tensor.tensor import Tensor
from minitorch.vision.pillow import Image
from minitorch.vision.transforms.images import require_pil_image, require_tensor_image


def hflip(img: Any) -> Any:
    """The image with left and right exchanged.

    >>> import minitorch as torch
    >>> hflip(torch.tensor([[[1, 2, 3]]]))
    tensor([[[3, 2, 1]]])
    """
    return _flipped(img, -1, Image.Transpose.FLIP_LEFT_RIGHT)


def vflip(img: Any) -> Any:
    """The image with top and bottom exchanged."""
    return _flipped(img, -2, Image.Transpose.FLIP_TOP_BOTTOM)


def _flipped(img: Any, dim: int, method: Image.Transpose) -> Any:
    if isinstance(img, Tensor):
        require_tensor_image(img)
        return img.flip(dim)
    require_pil_image(img)
    return img.transpose(method)


class _RandomFlip(Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomHorizontalFlip(_RandomFlip):
    """Exchange left and right with probability ``p``.

    >>> RandomHorizontalFlip()
    RandomHorizontalFlip(p=0.5)
    """

    def forward(self, img: Any) -> Any:
        return hflip(img) if rand(1) < self.p else img


class RandomVerticalFlip(_RandomFlip):
    """Exchange top and bottom with probability ``p``."""

    def forward(self, img: Any) -> Any:
        return vflip(img) if rand(1) < self.p else img
