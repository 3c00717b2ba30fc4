"""Transforms made of transforms: one after another, sometimes, one of many, in random order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from minitorch.nn.containers import ModuleList
from minitorch.nn.module import Module
from minitorch.tensor.random import rand


def _listed(name: str, lines: list[str]) -> str:
    return "\n".join([f"{name}(", *(f"    {line}" for line in lines), ")"])


class Compose:
    """Several transforms, one after another.

    >>> from minitorch.vision import transforms
    >>> transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    Compose(
        ToTensor()
        Normalize(mean=(0.5,), std=(0.5,))
    )
    """

    def __init__(self, transforms: Any) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(type(self).__name__, [str(each) for each in self.transforms])


class Lambda:
    """A function of the caller's as a transform; TypeError if it cannot be called."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return "Lambda()"


class _RandomTransforms:
    """The list that ``RandomChoice`` and ``RandomOrder`` have; TypeError if it is none."""

    def __init__(self, transforms: Any) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __repr__(self) -> str:
        return _listed(type(self).__name__, [str(each) for each in self.transforms])


class RandomApply(Module):
    """All transforms in a row with probability ``p``, else none."""

    def __init__(self, transforms: Sequence[Any] | ModuleList, p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        if self.p < rand(1):
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(type(self).__name__, [f"p={self.p}", *(str(each) for each in self.transforms)])


class RandomChoice(_RandomTransforms):
    """One of the transforms, each with its weight in ``p`` (drawn from Python's own generator, as torchvision)."""

    def __init__(self, transforms: Any, p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"


class RandomOrder(_RandomTransforms):
    """All transforms, in random order (drawn from Python's own generator, as torchvision)."""

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for index in order:
            img = self.transforms[index](img)
        return img
