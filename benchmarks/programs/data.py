"""Images into batches: the digits of scikit-learn, or one of the original data sets in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.programs.recipes import Recipe
from minitorch import Generator
from minitorch.utils.data import Dataset, Subset, random_split
from minitorch.vision import datasets, transforms
from minitorch.vision.pillow import Image


@dataclass
class Images:
    """Pictures to train with, to watch while training, and to test with at the end; the names of the classes."""

    train: Any
    validation: Any
    test: Any
    classes: list[str]


class Digits(Dataset):
    """1,797 scans of handwritten digits, 8 × 8 pixels, part of scikit-learn; every fifth is kept for the test."""

    classes = [str(digit) for digit in range(10)]  # noqa: RUF012

    def __init__(self, train: bool) -> None:
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            raise SystemExit("train.py needs scikit-learn for its images: pip install 'minitorch[bench]'") from None
        digits = load_digits()
        chosen = [index for index in range(len(digits.images)) if (index % 5 != 0) == train]
        self.data = (digits.images[chosen] * (255 / 16)).round().astype("uint8")
        self.targets = [int(target) for target in digits.target[chosen]]

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return Image.fromarray(self.data[index]), self.targets[index]

    def __len__(self) -> int:
        return len(self.data)


class Transformed(Dataset):
    """A data set whose images go through ``transform``, and whose labels are counted from the first of ``labels``."""

    def __init__(self, dataset: Any, transform: Any, labels: Sequence[int]) -> None:
        self.dataset, self.transform = dataset, transform
        self.new_label = {label: place for place, label in enumerate(labels)}

    def __getitem__(self, index: int) -> tuple[Any, int]:
        image, label = self.dataset[index]
        return self.transform(image), self.new_label[label]

    def __len__(self) -> int:
        return len(self.dataset)


class InMode:
    """A transform that turns any image into a grey one ("L") or one in three colours ("RGB")."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def __call__(self, image: Any) -> Any:
        return image.convert(self.mode)


def find_images(folder: Path | None, preferred: str) -> tuple[Any, Any, list[str]]:
    """Images for training and test, untransformed, and the names of the classes.

    Looked for in ``folder``: the data set ``preferred``, then the others, then folders ``train`` and ``test`` (or
    ``valid``) with a folder a class in each. Without a folder: the digits.
    """
    if folder is None:
        return Digits(train=True), Digits(train=False), Digits.classes
    if not folder.is_dir():
        raise SystemExit(f"--data {folder}: there is no such folder")
    for name in sorted(ARCHIVES, key=lambda name: name != preferred):
        if (folder / ARCHIVES[name]).exists():
            train, test = (getattr(datasets, name)(folder, train=train) for train in (True, False))
            return train, test, list(train.classes)
    for name in ("test", "valid", "val"):
        if (folder / "train").is_dir() and (folder / name).is_dir():
            train, test = datasets.ImageFolder(folder / "train"), datasets.ImageFolder(folder / name)
            if train.classes != test.classes:
                raise SystemExit(f"--data {folder}: train has the classes {train.classes}, {name} {test.classes}")
            return train, test, train.classes
    looked_for = ", ".join([*ARCHIVES.values(), "train and test with a folder a class"])
    raise SystemExit(f"--data {folder}: no images there; looked for {looked_for}")


# Where the original files of a data set lie, below the folder that is given.
ARCHIVES = {"MNIST": "MNIST/raw", "FashionMNIST": "FashionMNIST/raw", "CIFAR10": "cifar-10-batches-py"}


def make_transform(recipe: Recipe, varied: bool, statistics: tuple[Any, Any] | None = None) -> Any:
    """An image of any size to a tensor of the network's size; ``varied``: a little different every time."""
    mean, deviation = statistics or ((0.5,) * recipe.channels,) * 2
    return transforms.Compose(
        [
            InMode("L" if recipe.channels == 1 else "RGB"),
            *recipe.framing(recipe.size, varied),
            transforms.ToTensor(),
            transforms.Normalize(mean, deviation),
        ]
    )


def load_images(
    recipe: Recipe,
    folder: Path | None,
    limit: int | None = None,
    share: tuple[int, int] = (0, 1),
    statistics: tuple[Any, Any] | None = None,
) -> Images:
    """The images of a program, ready for its network.

    Args: limit: so many for training, and for the test, at most; share: (i, n) takes the i-th of n equal parts of
    the classes; statistics: mean and standard deviation by channel that the network expects, 0.5 by default.
    """
    train, test, classes = find_images(folder, recipe.dataset)
    labels = [len(classes) * (share[0] + end) // share[1] for end in (0, 1)]
    labels = list(range(*labels))
    train, test = (_only(each, labels, limit) for each in (train, test))
    still = make_transform(recipe, False, statistics)
    test = Transformed(test, still, labels)
    validation = test
    if recipe.validation:
        # The same images are kept whatever the seed of the run: runs are compared on them.
        count = max(1, round(len(train) * recipe.validation))
        train, kept = random_split(train, [len(train) - count, count], generator=Generator().manual_seed(0))
        validation = Transformed(kept, still, labels)
    train = Transformed(train, make_transform(recipe, True, statistics), labels)
    return Images(train, validation, test, [classes[label] for label in labels])


def _only(dataset: Any, labels: list[int], limit: int | None) -> Any:
    """The images with these labels; ``limit`` of them, evenly spread, for folders are sorted by class."""
    wanted = set(labels)
    indices = [index for index, label in enumerate(dataset.targets) if int(label) in wanted]
    if limit is not None and limit < len(indices):
        indices = [indices[place * len(indices) // limit] for place in range(limit)]
    return Subset(dataset, indices)
