"""Samples in folders, one folder a class: ``root/dog/xxx.png``, ``root/cat/123.png``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from minitorch.vision.datasets.vision import Transform, VisionDataset
from minitorch.vision.pillow import Image

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
Extensions = str | tuple[str, ...]
FileTest = Callable[[str], bool]


def has_file_allowed_extension(filename: str, extensions: Extensions) -> bool:
    """Whether the name ends with one of the (lower-case) extensions."""
    return filename.lower().endswith(extensions if isinstance(extensions, str) else tuple(extensions))


def is_image_file(filename: str) -> bool:
    """Whether the name ends like an image's."""
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: Any) -> tuple[list[str], dict[str, int]]:
    """The folders in ``directory``, sorted, and the number of each; FileNotFoundError if there are none."""
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: index for index, name in enumerate(classes)}


def make_dataset(
    directory: Any,
    class_to_idx: dict[str, int] | None = None,
    extensions: Extensions | None = None,
    is_valid_file: FileTest | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """(path, class number) of every sample, sorted by class and path.

    Args: which files count: those with one of ``extensions``, or those for which ``is_valid_file`` is true.
    Raises: ValueError unless exactly one of the two is given, or for empty ``class_to_idx``; FileNotFoundError
    for a class without a sample unless ``allow_empty``.
    """
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    elif not class_to_idx:
        raise ValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("Both extensions and is_valid_file cannot be None or not None at the same time")
    if extensions is not None:
        allowed = extensions
        is_valid_file = lambda path: has_file_allowed_extension(path, allowed)  # noqa: E731
    samples: list[tuple[str, int]] = []
    empty = []
    for name in sorted(class_to_idx):
        paths = _files_below(os.path.join(os.path.expanduser(directory), name), is_valid_file)
        samples += [(path, class_to_idx[name]) for path in paths]
        if not paths:
            empty.append(name)
    if empty and not allow_empty:
        raise FileNotFoundError(_no_file_message(empty, extensions))
    return samples


def _files_below(folder: str, is_valid_file: Any) -> list[str]:
    found = []
    for root, _, names in sorted(os.walk(folder, followlinks=True)):
        found += [path for path in (os.path.join(root, name) for name in sorted(names)) if is_valid_file(path)]
    return found


def _no_file_message(classes: list[str], extensions: Extensions | None) -> str:
    message = f"Found no valid file for the classes {', '.join(classes)}. "
    if extensions is None:
        return message
    return f"{message}Supported extensions are: {extensions if isinstance(extensions, str) else ', '.join(extensions)}"


def pil_loader(path: Any) -> Any:
    """The image at ``path``, as RGB."""
    with open(path, "rb") as file:
        return Image.open(file).convert("RGB")


default_loader = pil_loader


class DatasetFolder(VisionDataset):
    """Samples of any kind in folders, one folder a class.

    ``samples`` lists (path, class number), ``targets`` the numbers, ``classes`` the names, ``class_to_idx`` the
    number of each name. A subclass may have a ``find_classes`` of its own.
    Args: root: the folder of the folders; loader: the function that reads a file; the others see ``make_dataset``.
    Raises: FileNotFoundError if there are no classes or a class has no file.
    """

    def __init__(
        self,
        root: Any,
        loader: Callable[[str], Any],
        extensions: Extensions | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        is_valid_file: FileTest | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.loader = loader
        self.extensions = extensions
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = self.make_dataset(self.root, self.class_to_idx, extensions, is_valid_file, allow_empty)
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(
        directory: Any,
        class_to_idx: dict[str, int],
        extensions: Extensions | None = None,
        is_valid_file: FileTest | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """See ``make_dataset``."""
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: Any) -> tuple[list[str], dict[str, int]]:
        """See ``find_classes``."""
        return find_classes(directory)

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self.transformed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Images in folders, one folder a class. Samples are (Pillow image in RGB, class number); see ``DatasetFolder``."""

    def __init__(
        self,
        root: Any,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: FileTest | None = None,
        allow_empty: bool = False,
    ) -> None:
        extensions = IMG_EXTENSIONS if is_valid_file is None else None
        super().__init__(root, loader, extensions, transform, target_transform, is_valid_file, allow_empty)
        self.imgs = self.samples
