"""Parts of an image: at a given place, in the middle, at a random place."""

from __future__ import annotations

from typing import Any

from minitorch.nn.module import Module
from minitorch.tensor.random import randint
from minitorch.tensor.tensor import Tensor
from minitorch.vision.transforms.images import (
    as_height_and_width,
    get_dimensions,
    require_pil_image,
    require_tensor_image,
)
from minitorch.vision.transforms.padding import pad


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """The part of the image with the given upper left corner and size; zeros where it lies outside.

    >>> import minitorch as torch
    >>> crop(torch.arange(9).view(1, 3, 3), 1, 1, 2, 2)
    tensor([[[4, 5],
             [7, 8]]])
    """
    right, bottom = left + width, top + height
    if not isinstance(img, Tensor):
        require_pil_image(img)
        return img.crop((left, top, right, bottom))
    require_tensor_image(img)
    H, W = img.shape[-2:]
    inside = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if left >= 0 and top >= 0 and right <= W and bottom <= H:
        return inside
    margin = [
        max(-left + min(0, right), 0),
        max(-top + min(0, bottom), 0),
        max(right - max(W, left), 0),
        max(bottom - max(H, top), 0),
    ]
    return pad(inside, margin)


def center_crop(img: Any, output_size: Any) -> Any:
    """The middle of the image, with a margin of zeros where the image is smaller.

    Args: output_size: (h, w), or one number for both.
    """
    if isinstance(output_size, int) or len(output_size) == 1:
        output_size = as_height_and_width(output_size)
    height, width = output_size
    _, H, W = get_dimensions(img)
    if width > W or height > H:
        missing_rows, missing_columns = max(height - H, 0), max(width - W, 0)
        margin = [missing_columns // 2, missing_rows // 2, (missing_columns + 1) // 2, (missing_rows + 1) // 2]
        img = pad(img, margin)
        _, H, W = get_dimensions(img)
    return crop(img, round((H - height) / 2), round((W - width) / 2), height, width)


class CenterCrop(Module):
    """The middle of the image; see ``center_crop``.

    >>> CenterCrop(224)
    CenterCrop(size=(224, 224))
    """

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = as_height_and_width(size)

    def forward(self, img: Any) -> Any:
        return center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"CenterCrop(size={self.size})"


class RandomCrop(Module):
    """A part of the given size, anywhere in the image.

    Args: size: (h, w), or one number for both; padding: a margin added first, see ``pad``, as are fill and
    padding_mode; pad_if_needed: make images that are too small large enough.
    Raises: ValueError if the image is smaller than ``size``.

    >>> RandomCrop(32, padding=4)
    RandomCrop(size=(32, 32), padding=4)
    """

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = tuple(as_height_and_width(size))
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Draw (top, left, height, width)."""
        _, H, W = get_dimensions(img)
        height, width = output_size
        if height > H or width > W:
            raise ValueError(f"Required crop size {(height, width)} is larger than input image size {(H, W)}")
        if width == W and height == H:
            return 0, 0, H, W
        top = randint(0, H - height + 1, size=(1,)).item()
        left = randint(0, W - width + 1, size=(1,)).item()
        return top, left, height, width

    def forward(self, img: Any) -> Any:
        if self.padding is not None:
            img = pad(img, self.padding, self.fill, self.padding_mode)
        if self.pad_if_needed:
            _, H, W = get_dimensions(img)
            for missing in ([self.size[1] - W, 0], [0, self.size[0] - H]):
                if max(missing) > 0:
                    img = pad(img, missing, self.fill, self.padding_mode)
        return crop(img, *self.get_params(img, self.size))  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return f"RandomCrop(size={self.size}, padding={self.padding})"
