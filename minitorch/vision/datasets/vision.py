"""``VisionDataset``: what all image datasets have in common, a folder, transforms and a way to print."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minitorch.utils.data import Dataset

Transform = Callable[[Any], Any]


class VisionDataset(Dataset[Any]):
    """The base of image datasets: subclasses define ``__getitem__`` and ``__len__``.

    Args: root: the folder (``~`` is the home folder); transforms: a function of sample and target; or transform:
    a function of the sample, target_transform: a function of the target.
    Raises: ValueError if both kinds of transforms are given.
    """

    def __init__(
        self,
        root: Any = None,
        transforms: Callable[[Any, Any], Any] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        if isinstance(root, Path):
            self.root = root.expanduser()
        is_separate = transform is not None or target_transform is not None
        if transforms is not None and is_separate:
            raise ValueError("Only transforms or transform/target_transform can be passed as argument")
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = StandardTransform(transform, target_transform) if is_separate else transforms

    def __len__(self) -> int:
        raise NotImplementedError

    def transformed(self, sample: Any, target: Any) -> tuple[Any, Any]:
        """Sample and target after their transforms, where there are any."""
        if self.transform is not None:
            sample = self.transform(sample)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return sample, target

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transforms is not None:
            body.append(repr(self.transforms))
        return "\n".join([f"Dataset {type(self).__name__}", *(f"    {line}" for line in body)])

    def extra_repr(self) -> str:
        """More lines for the printed form."""
        return ""


class StandardTransform:
    """A function of the sample and one of the target, as one function of both."""

    def __init__(self, transform: Transform | None = None, target_transform: Transform | None = None) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        lines = [type(self).__name__]
        for head, transform in (("Transform: ", self.transform), ("Target transform: ", self.target_transform)):
            if transform is not None:
                first, *rest = repr(transform).splitlines()
                lines += [head + first, *(" " * len(head) + line for line in rest)]
        return "\n".join(lines)
