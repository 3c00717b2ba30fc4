"""Rectangles wiped out, so that a network does not rely on one place alone.

Source: Zhong et al., "Random erasing data augmentation", 2017.
"""

from __future__ import annotations

import math
from numbers import Number
from typing import Any

from minitorch.nn.module import Module
from minitorch.tensor.creation import empty, tensor
from minitorch.tensor.random import rand, randint
from minitorch.tensor.tensor import Tensor
from minitorch.vision.transforms.resizing import check_scale_and_ratio, draw_area_and_aspect


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Tensor, inplace: bool = False) -> Tensor:
    """The image with ``v`` in the h × w pixels from row ``i`` and column ``j`` on; TypeError unless it is a tensor.

    >>> import minitorch as torch
    >>> erase(torch.ones(1, 2, 2), 0, 0, 1, 2, torch.zeros(1, 1, 1))
    tensor([[[0., 0.],
             [1., 1.]]])
    """
    if not isinstance(img, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    result = img if inplace else img.clone()
    result[..., i : i + h, j : j + w] = v
    return result


class RandomErasing(Module):
    """Wipe out a random rectangle of a tensor image with probability ``p``.

    Args: scale: from which to which share of the area; ratio: from which to which ratio of sides; value: a
    number, one a channel, or "random" for normal noise; inplace: write into the image itself.
    Raises: TypeError and ValueError for arguments out of range.

    >>> RandomErasing()
    RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False)
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Any = (0.02, 0.33),
        ratio: Any = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, (Number, str, tuple, list)):
            raise TypeError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        check_scale_and_ratio(scale, ratio)
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError("Scale should be between 0 and 1")
        if p < 0 or p > 1:
            raise ValueError("Random erasing probability should be between 0 and 1")
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Tensor, scale: Any, ratio: Any, value: list[float] | None = None
    ) -> tuple[int, int, int, int, Tensor]:
        """Draw (row, column, height, width, values); after ten tries in vain, the image as it is."""
        channels, H, W = img.shape[-3:]
        for _ in range(10):
            area, aspect = draw_area_and_aspect(H * W, scale, ratio)
            h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if not (h < H and w < W):
                continue
            v = empty(channels, h, w).normal_() if value is None else tensor(value)[:, None, None]
            i = randint(0, H - h + 1, size=(1,)).item()
            j = randint(0, W - w + 1, size=(1,)).item()
            return i, j, h, w, v
        return 0, 0, H, W, img

    def forward(self, img: Tensor) -> Tensor:
        if not rand(1) < self.p:
            return img
        value = self._values(img.shape[-3])
        i, j, h, w, v = self.get_params(img, self.scale, self.ratio, value)
        return erase(img, i, j, h, w, v, self.inplace)

    def _values(self, channels: int) -> list[float] | None:
        if isinstance(self.value, str):
            return None
        given: Any = self.value if isinstance(self.value, (tuple, list)) else [self.value]
        value = [float(each) for each in given]
        if len(value) not in (1, channels):
            raise ValueError(
                f"If value is a sequence, it should have either a single value or {channels} (number of input channels)"
            )
        return value

    def __repr__(self) -> str:
        return (
            f"RandomErasing(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
            f"inplace={self.inplace})"
        )
