"""MNIST and the datasets in its format: handwritten digits, fashion articles, Japanese characters; 28 × 28, grey.

The files are in the IDX format: two zero bytes, the element type, the number of dimensions, each size as a
big-endian 32-bit integer, then the elements.
"""

from __future__ import annotations

import gzip
import math
import os
from typing import Any

import numpy as np

from minitorch.tensor.creation import from_numpy
from minitorch.tensor.tensor import Tensor
from minitorch.vision.datasets.utils import check_integrity, download_and_extract_archive
from minitorch.vision.datasets.vision import Transform, VisionDataset
from minitorch.vision.pillow import Image

_IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: Any) -> Tensor:
    """A file in the IDX format, or one compressed with gzip, as a tensor; ValueError if it is none or incomplete."""
    opener: Any = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rb") as file:
        data = file.read()
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _IDX_TYPES:
        raise ValueError(f"{path} is not a file in the IDX format")
    element, dimensions = np.dtype(_IDX_TYPES[data[2]]), data[3]
    start = 4 + 4 * dimensions
    shape = [int.from_bytes(data[place : place + 4], "big") for place in range(4, start, 4)]
    if len(data) != start + math.prod(shape) * element.itemsize:
        raise ValueError(f"{path}: {len(data)} bytes do not fit the shape {shape} of {element} that it announces")
    array = np.frombuffer(data, element, offset=start).reshape(shape)
    return from_numpy(array.astype(element.newbyteorder("=")))


def read_image_file(path: Any) -> Tensor:
    """Images (N, H, W) as bytes; ValueError if the file holds anything else."""
    images = read_idx(path)
    if images.ndim != 3 or images.array.dtype != np.uint8:
        raise ValueError(f"{path}: images are (N, H, W) bytes, found {tuple(images.shape)} of {images.dtype}")
    return images


def read_label_file(path: Any) -> Tensor:
    """Labels (N,) as int64; ValueError if the file holds anything else."""
    labels = read_idx(path)
    if labels.ndim != 1 or labels.array.dtype != np.uint8:
        raise ValueError(f"{path}: labels are (N,) bytes, found {tuple(labels.shape)} of {labels.dtype}")
    return labels.long()


class MNIST(VisionDataset):
    """Handwritten digits: 60,000 to train, 10,000 to test. Samples are (Pillow image, class number).

    ``data`` holds the images as a tensor (N, 28, 28) of bytes, ``targets`` the classes.
    Args: root: the folder that holds ``MNIST/raw``; train: which of the two parts; transform, target_transform:
    functions of the image and of the class; download: fetch the files if they are not there.
    Raises: RuntimeError if the files are not there, or cannot be downloaded.
    Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", 1998.
    """

    mirrors = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"]  # noqa: RUF012
    resources = [  # noqa: RUF012
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    classes = [  # noqa: RUF012
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]

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
        if not self._check_exists():
            raise RuntimeError("Dataset not found or corrupted. You can use download=True to download it")
        self.data, self.targets = self._load_data()

    def _load_data(self) -> tuple[Tensor, Tensor]:
        part = "train" if self.train else "t10k"
        images = read_image_file(self._readable(f"{part}-images-idx3-ubyte"))
        labels = read_label_file(self._readable(f"{part}-labels-idx1-ubyte"))
        if len(images) != len(labels):
            raise ValueError(f"{self.raw_folder}: {len(images)} images but {len(labels)} labels")
        return images, labels

    def _readable(self, name: str) -> str:
        """The unpacked file, or the compressed one if there is no other."""
        path = os.path.join(self.raw_folder, name)
        return path if os.path.isfile(path) else f"{path}.gz"

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        return self.transformed(Image.fromarray(self.data[index].numpy()), int(self.targets[index]))

    def __len__(self) -> int:
        return len(self.data)

    @property
    def raw_folder(self) -> str:
        """Where the files are: root/MNIST/raw, with the class's own name."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: index for index, name in enumerate(self.classes)}

    def _check_exists(self) -> bool:
        """Whether each file is there, unpacked or compressed (then with the right MD5)."""
        paths = [(os.path.join(self.raw_folder, filename), md5) for filename, md5 in self.resources]
        return all(check_integrity(path.removesuffix(".gz")) or check_integrity(path, md5) for path, md5 in paths)

    def download(self) -> None:
        """Fetch and unpack the files that are not there, from the first mirror that has them."""
        if self._check_exists():
            return
        os.makedirs(self.raw_folder, exist_ok=True)
        for filename, md5 in self.resources:
            self._download_from_mirrors(filename, md5)

    def _download_from_mirrors(self, filename: str, md5: str) -> None:
        reasons = []
        for mirror in self.mirrors:
            url = f"{mirror}{filename}"
            try:
                print(f"Downloading {url}")
                return download_and_extract_archive(url, self.raw_folder, filename=filename, md5=md5)
            except RuntimeError as error:
                print(f"Failed to download (trying next):\n{error}")
                reasons.append(str(error))
        raise RuntimeError("\n".join([f"Error downloading {filename}", *reasons]))

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """Articles of clothing in the format of MNIST, of which it has everything else; a harder task.

    Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset", 2017.
    """

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]  # noqa: RUF012
    resources = [  # noqa: RUF012
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = [  # noqa: RUF012
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


class KMNIST(MNIST):
    """Cursive Japanese characters in the format of MNIST, of which it has everything else.

    Source: Clanuwat et al., "Deep learning for classical Japanese literature", 2018.
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]  # noqa: RUF012
    resources = [  # noqa: RUF012
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]  # noqa: RUF012
