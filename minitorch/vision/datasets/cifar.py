"""CIFAR-10 and CIFAR-100: 60,000 small colour photographs, 32 × 32, in ten or a hundred classes.

The files are Python pickles, and a pickle can call any function it names. So they are read with an unpickler
that knows four names, all that an array of bytes needs, and refuses every other.
"""

from __future__ import annotations

import os
import pickle
from typing import Any

import numpy as np

from minitorch.vision.datasets.utils import check_integrity, download_and_extract_archive
from minitorch.vision.datasets.vision import Transform, VisionDataset
from minitorch.vision.pillow import Image

_NOT_FOUND = "Dataset not found or corrupted. You can use download=True to download it"


def _as_bytes(text: str, encoding: str) -> bytes:
    """What pickles call ``_codecs.encode`` for: bytes that an old protocol wrote as text."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"the file asks for the encoding {encoding!r}")
    return text.encode("latin1")


_reconstruct = np.empty(0).__reduce__()[0]  # NumPy's own function for it, wherever this version keeps it
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _as_bytes,
}


class ArrayUnpickler(pickle.Unpickler):
    """Reads numbers, strings, lists, dictionaries and NumPy arrays; UnpicklingError for anything else."""

    def find_class(self, module: str, name: str) -> Any:
        """The object of that name, if it is one of the few allowed."""
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which no image file needs; not loaded")
        return _ALLOWED[module, name]


class CIFAR10(VisionDataset):
    """Photographs of ten kinds of things: 50,000 to train, 10,000 to test. Samples are (Pillow image, class number).

    ``data`` holds the images as an array (N, 32, 32, 3) of bytes, ``targets`` the classes as a list.
    Args: root: the folder that holds ``cifar-10-batches-py``; train: which of the two parts; transform,
    target_transform: functions of the image and of the class; download: fetch the files if they are not there.
    Raises: RuntimeError if the files are not there or have the wrong MD5, or cannot be downloaded.
    Source: Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [  # noqa: RUF012
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]  # noqa: RUF012
    meta = {  # noqa: RUF012
        "filename": "batches.meta",
        "key": "label_names",
        "md5": "5ff9c542aee3614f3951f8cda6e48888",
    }

    def __init__(
        self,
        root: Any,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if not self._check_integrity():
            raise RuntimeError(_NOT_FOUND)
        batches = [self._read(filename) for filename, _ in (self.train_list if train else self.test_list)]
        images = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
        self.data: Any = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        self.targets: list[int] = []
        for batch in batches:
            self.targets += batch["labels"] if "labels" in batch else batch["fine_labels"]
        self._load_meta()

    def _path(self, filename: str) -> str:
        return os.path.join(self.root, self.base_folder, filename)

    def _read(self, filename: str) -> Any:
        with open(self._path(filename), "rb") as file:
            return ArrayUnpickler(file, encoding="latin1").load()

    def _load_meta(self) -> None:
        if not check_integrity(self._path(self.meta["filename"]), self.meta["md5"]):
            raise RuntimeError("Dataset metadata file not found or corrupted. You can use download=True to download it")
        self.classes: list[str] = self._read(self.meta["filename"])[self.meta["key"]]
        self.class_to_idx = {name: index for index, name in enumerate(self.classes)}

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        return self.transformed(Image.fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def _check_integrity(self) -> bool:
        files = [*self.train_list, *self.test_list]
        return all(check_integrity(self._path(filename), md5) for filename, md5 in files)

    def download(self) -> None:
        """Fetch and unpack the archive, unless its files are there."""
        if not self._check_integrity():
            download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.tgz_md5)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """Photographs of a hundred kinds of things, 500 each to train and 100 to test; all else as in ``CIFAR10``."""

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]  # noqa: RUF012
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]  # noqa: RUF012
    meta = {  # noqa: RUF012
        "filename": "meta",
        "key": "fine_label_names",
        "md5": "7973b15100ade9c7d40fb424638fde48",
    }
