"""Random images, to try a program without a dataset."""

from __future__ import annotations

from typing import Any

from minitorch.tensor.random import get_rng_state, manual_seed, randint, randn, set_rng_state
from minitorch.vision.datasets.vision import Transform, VisionDataset
from minitorch.vision.transforms.conversion import to_pil_image


class FakeData(VisionDataset):
    """Images of normal noise with random classes; the same index always gives the same sample.

    Args: size: how many; image_size: (C, H, W); num_classes; transform, target_transform: functions of image and
    class; random_offset: added to the index, to have another dataset.

    >>> image, target = FakeData(size=10, image_size=(3, 8, 16))[2]
    >>> image.size, 0 <= target < 10
    ((16, 8), True)
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, ...] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        state = get_rng_state()  # the caller's random numbers go on as if nothing had been drawn here
        manual_seed(index + self.random_offset)
        image = randn(*self.image_size)
        target = int(randint(0, self.num_classes, size=(1,)).item())
        set_rng_state(state)
        return self.transformed(to_pil_image(image), target)

    def __len__(self) -> int:
        return self.size
