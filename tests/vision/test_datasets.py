"""The datasets, from tiny files in the original formats, some of them downloaded from a server on this machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import minitorch
from minitorch.utils.data import DataLoader, Dataset
from minitorch.vision import datasets, transforms
from minitorch.vision.datasets.cifar import ArrayUnpickler
from minitorch.vision.datasets.folder import IMG_EXTENSIONS, default_loader, is_image_file, make_dataset
from minitorch.vision.datasets.mnist import read_idx, read_image_file, read_label_file
from tests.vision.server import Site
from tests.vision.support import same

_MISSING = r"Dataset not found or corrupted\. You can use download=True to download it"

# ---------------------------------------------------------------------------------------------------- MNIST


def _idx(array: Any, code: int = 8) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def _mnist_arrays(seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    arrays = {}
    for part, count in (("train", 7), ("t10k", 3)):
        arrays[f"{part}-images-idx3-ubyte"] = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = random.integers(0, 10, count, dtype=np.uint8)
    return arrays


def _write_mnist(root: Path, name: str = "MNIST") -> dict[str, Any]:
    folder = root / name / "raw"
    folder.mkdir(parents=True)
    arrays = _mnist_arrays()
    for filename, array in arrays.items():
        (folder / filename).write_bytes(_idx(array))
    return arrays


@pytest.mark.parametrize("name", ["MNIST", "FashionMNIST", "KMNIST"])
@pytest.mark.parametrize("train", [True, False])
def test_mnist_from_files(tmp_path: Path, name: str, train: bool) -> None:
    arrays = _write_mnist(tmp_path, name)
    dataset = getattr(datasets, name)(str(tmp_path), train=train, target_transform=lambda target: target + 100)
    part = "train" if train else "t10k"
    same(dataset.data, arrays[f"{part}-images-idx3-ubyte"])
    same(dataset.targets, arrays[f"{part}-labels-idx1-ubyte"].astype(np.int64))
    image, target = dataset[1]
    assert (image.mode, image.size) == ("L", (28, 28))
    np.testing.assert_array_equal(np.array(image), arrays[f"{part}-images-idx3-ubyte"][1])
    assert target == 100 + arrays[f"{part}-labels-idx1-ubyte"][1]
    assert type(target) is int
    assert len(dataset) == (7 if train else 3)
    assert len(dataset.classes) == 10
    assert dataset.class_to_idx[dataset.classes[3]] == 3


def test_mnist_in_batches(tmp_path: Path) -> None:
    arrays = _write_mnist(tmp_path)
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    dataset = datasets.MNIST(tmp_path, transform=transform)
    assert isinstance(dataset, Dataset)
    images, labels = next(iter(DataLoader(dataset, batch_size=5)))
    expected = torch.tensor(arrays["train-images-idx3-ubyte"][:5, None]).to(torch.float32).div(255).sub(0.5).div(0.5)
    same(images, expected)
    same(labels, arrays["train-labels-idx1-ubyte"][:5].astype(np.int64))


def test_mnist_prints_as_torchvisions(tmp_path: Path) -> None:
    _write_mnist(tmp_path)
    dataset = datasets.MNIST(tmp_path, train=False)
    assert repr(dataset) == (
        f"Dataset MNIST\n    Number of datapoints: 3\n    Root location: {tmp_path}\n    Split: Test"
    )
    dataset = datasets.MNIST(
        tmp_path,
        transform=transforms.Compose([transforms.ToTensor(), transforms.RandomCrop(3)]),
        target_transform=transforms.Lambda(int),
    )
    assert repr(dataset).splitlines()[3:] == [
        "    Split: Train",
        "    StandardTransform",
        "Transform: Compose(",
        "               ToTensor()",
        "               RandomCrop(size=(3, 3), padding=None)",
        "           )",
        "Target transform: Lambda()",
    ]


def _serve_mnist(site: Site, monkeypatch: pytest.MonkeyPatch, mirrors: list[str]) -> dict[str, Any]:
    arrays = _mnist_arrays()
    resources = []
    for name, array in arrays.items():
        data = gzip.compress(_idx(array), mtime=0)
        site.files[f"{name}.gz"] = data
        resources.append((f"{name}.gz", hashlib.md5(data).hexdigest()))
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    monkeypatch.setattr(datasets.MNIST, "mirrors", mirrors)
    return arrays


def test_mnist_download_tries_every_mirror(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = _serve_mnist(site, monkeypatch, [f"{site.url}nothing/here/", site.url])
    dataset = datasets.MNIST(tmp_path, download=True)
    same(dataset.data, arrays["train-images-idx3-ubyte"])
    assert {path for path, _ in site.requests} == {
        f"{folder}{name}.gz" for folder in ("", "nothing/here/") for name in arrays
    }
    files = sorted(os.listdir(tmp_path / "MNIST" / "raw"))
    assert files == sorted([*arrays, *(f"{name}.gz" for name in arrays)])
    site.requests.clear()
    datasets.MNIST(tmp_path, train=False, download=True)
    assert site.requests == []


def test_mnist_download_fails_clearly(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    _serve_mnist(site, monkeypatch, [f"{site.url}nowhere/"])
    with pytest.raises(
        RuntimeError, match=r"(?s)Error downloading train-images-idx3-ubyte\.gz.*nowhere.*raw"
    ) as caught:
        datasets.MNIST(tmp_path, download=True)
    assert f"{site.url}nowhere/train-images-idx3-ubyte.gz" in str(caught.value)
    assert str(tmp_path / "MNIST" / "raw") in str(caught.value)


def test_mnist_reads_compressed_files_with_the_right_md5(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = _serve_mnist(site, monkeypatch, [])
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, data in site.files.items():
        (folder / name).write_bytes(data)
    same(datasets.MNIST(tmp_path).data, arrays["train-images-idx3-ubyte"])
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    with pytest.raises(RuntimeError, match=_MISSING):
        datasets.MNIST(tmp_path)


def test_mnist_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=_MISSING):
        datasets.FashionMNIST(tmp_path)


@pytest.mark.parametrize(("code", "dtype"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")])
def test_idx_of_every_type(tmp_path: Path, code: int, dtype: str) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    (tmp_path / "file").write_bytes(_idx(array, code))
    (tmp_path / "file.gz").write_bytes(gzip.compress(_idx(array, code)))
    same(read_idx(tmp_path / "file"), array)
    same(read_idx(tmp_path / "file.gz"), array)


def test_idx_errors(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"", b"\0\0", b"\1\0\x08\1", b"\0\0\x07\1"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="is not a file in the IDX format"):
            read_idx(path)
    whole = _idx(np.zeros((2, 3), np.uint8))
    for data in (whole[:-1], whole + b"\0"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"bytes do not fit the shape \[2, 3\]"):
            read_idx(path)
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="images are"):
        read_image_file(path)
    with pytest.raises(ValueError, match="labels are"):
        read_label_file(path)


def test_published_checksums() -> None:
    assert datasets.MNIST.resources[0] == ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873")
    assert datasets.CIFAR10.tgz_md5 == "c58f30108f718f92721af3b95e74349a"
    assert datasets.CIFAR100.tgz_md5 == "eb9058c3a382ffc7106e4002c42a8d85"
    every = [md5 for cls in (datasets.MNIST, datasets.FashionMNIST, datasets.KMNIST) for _, md5 in cls.resources]
    for cls in (datasets.CIFAR10, datasets.CIFAR100):
        every += [cls.tgz_md5, cls.meta["md5"], *(md5 for _, md5 in cls.train_list + cls.test_list)]
    assert all(len(md5) == 32 and set(md5) <= set("0123456789abcdef") for md5 in every)
    assert len(set(every)) == len(every)


# ---------------------------------------------------------------------------------------------------- CIFAR


class _Python2Pickler(pickle._Pickler):  # type: ignore[misc]
    """Writes every string as Python 2 did, in whose files a string is neither text nor bytes."""

    dispatch = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def _save_string(self, value: str | bytes) -> None:
        data = value.encode("latin1") if isinstance(value, str) else value
        short = len(data) < 256
        self.write((b"U" + bytes([len(data)]) if short else b"T" + struct.pack("<i", len(data))) + data)
        self.memoize(value)

    dispatch[str] = dispatch[bytes] = _save_string


def _python2_pickle(batch: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    _Python2Pickler(stream, protocol=2).dump(batch)
    return stream.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def _cifar_files(cls: Any, seed: int = 0) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The files of the dataset, two images each, and what they hold."""
    random = np.random.default_rng(seed)
    label_key = "labels" if cls is datasets.CIFAR10 else "fine_labels"
    files, arrays = {}, {}
    for name, _ in [*cls.train_list, *cls.test_list]:
        data = random.integers(0, 256, (2, 3072), dtype=np.uint8)
        labels = random.integers(0, 10, 2).tolist()
        arrays[name] = (data, labels)
        files[name] = _python2_pickle({"data": data, label_key: labels, "filenames": ["a.png", "b.png"]})
    names = [f"class {index}" for index in range(10)]
    files[cls.meta["filename"]] = _python2_pickle({cls.meta["key"]: names})
    return files, arrays


def _tiny(cls: Any, files: dict[str, bytes], url: str = "") -> tuple[Any, bytes]:
    """A class with these files' checksums, and the archive that holds them."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{cls.base_folder}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    md5 = {name: hashlib.md5(data).hexdigest() for name, data in files.items()}
    attributes = {
        "url": url + cls.filename,
        "tgz_md5": hashlib.md5(stream.getvalue()).hexdigest(),
        "train_list": [[name, md5[name]] for name, _ in cls.train_list],
        "test_list": [[name, md5[name]] for name, _ in cls.test_list],
        "meta": {**cls.meta, "md5": md5[cls.meta["filename"]]},
    }
    return type(cls.__name__, (cls,), attributes), stream.getvalue()


@pytest.mark.parametrize("cls", [datasets.CIFAR10, datasets.CIFAR100])
@pytest.mark.parametrize("train", [True, False])
def test_cifar(tmp_path: Path, site: Site, cls: Any, train: bool) -> None:
    files, arrays = _cifar_files(cls)
    tiny, archive = _tiny(cls, files, site.url)
    with pytest.raises(RuntimeError, match=_MISSING):
        tiny(tmp_path)
    site.files[cls.filename] = archive
    dataset = tiny(tmp_path, train=train, download=True)
    parts = [arrays[name] for name, _ in (cls.train_list if train else cls.test_list)]
    expected = np.concatenate([data for data, _ in parts]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(dataset.data, expected)
    assert dataset.data.dtype == np.uint8
    assert dataset.targets == [label for _, labels in parts for label in labels]
    image, target = dataset[1]
    assert (image.mode, image.size, target) == ("RGB", (32, 32), dataset.targets[1])
    np.testing.assert_array_equal(np.array(image), expected[1])
    assert dataset.classes[3] == "class 3"
    assert dataset.class_to_idx["class 3"] == 3
    assert repr(dataset) == (
        f"Dataset {cls.__name__}\n    Number of datapoints: {len(expected)}\n    Root location: {tmp_path}\n"
        f"    Split: {'Train' if train else 'Test'}"
    )
    site.requests.clear()
    tiny(tmp_path, download=True)
    assert site.requests == []


def test_damaged_cifar_is_found_out(tmp_path: Path) -> None:
    files, _ = _cifar_files(datasets.CIFAR10)
    tiny, _ = _tiny(datasets.CIFAR10, files)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    assert len(tiny(tmp_path)) == 10
    (folder / "batches.meta").write_bytes(b"damaged")
    with pytest.raises(RuntimeError, match="Dataset metadata file not found or corrupted"):
        tiny(tmp_path)
    (folder / "data_batch_3").write_bytes(files["data_batch_3"][:-1])
    with pytest.raises(RuntimeError, match=_MISSING):
        tiny(tmp_path)


class _Evil:
    def __reduce__(self) -> Any:
        return os.system, ("true",)


def test_pickles_cannot_run_code() -> None:
    for evil in (_Evil(), {b"data": [_Evil()]}, os.system, Path):
        data = io.BytesIO(pickle.dumps(evil, protocol=2))
        with pytest.raises(pickle.UnpicklingError, match="which no image file needs; not loaded"):
            ArrayUnpickler(data, encoding="latin1").load()
    text = b"c_codecs\nencode\n(Vabc\nVrot13\ntR."
    with pytest.raises(pickle.UnpicklingError, match="asks for the encoding 'rot13'"):
        ArrayUnpickler(io.BytesIO(text)).load()


def test_arrays_of_both_numpy_generations_are_read() -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    new = pickle.dumps({"data": array, "labels": [1]}, protocol=2)
    old = new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    for data in {new, old}:
        np.testing.assert_array_equal(ArrayUnpickler(io.BytesIO(data), encoding="latin1").load()["data"], array)


# -------------------------------------------------------------------------------------------------- folders


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """dog/1.png, dog/deep/2.JPG, cat/3.bmp, and a text file."""
    for index, name in enumerate(["dog/1.png", "dog/deep/2.JPG", "cat/3.bmp"]):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 3), 50 * index).save(path)
    (tmp_path / "dog" / "notes.txt").write_text("not an image")
    (tmp_path / "readme.txt").write_text("not a class")
    return tmp_path


def test_image_folder(pictures: Path) -> None:
    dataset = datasets.ImageFolder(str(pictures), transform=transforms.ToTensor())
    assert dataset.classes == ["cat", "dog"]
    assert dataset.class_to_idx == {"cat": 0, "dog": 1}
    expected = [("cat/3.bmp", 0), ("dog/1.png", 1), ("dog/deep/2.JPG", 1)]
    assert dataset.imgs == dataset.samples == [(str(pictures / name), target) for name, target in expected]
    assert dataset.targets == [0, 1, 1]
    assert len(dataset) == 3
    image, target = dataset[0]
    assert target == 0
    same(image, torch.full((3, 3, 4), 100 / 255))
    assert repr(dataset).startswith(
        f"Dataset ImageFolder\n    Number of datapoints: 3\n    Root location: {pictures}\n"
    )


def test_dataset_folder(pictures: Path) -> None:
    dataset = datasets.DatasetFolder(pictures, Path, (".txt", ".png"), target_transform=str, allow_empty=True)
    assert [(sample.name, target) for sample, target in (dataset[0], dataset[1])] == [
        ("1.png", "1"),
        ("notes.txt", "1"),
    ]
    by_test = datasets.ImageFolder(pictures, is_valid_file=lambda path: path.endswith((".txt", ".bmp")))
    assert [os.path.basename(path) for path, _ in by_test.samples] == ["3.bmp", "notes.txt"]
    with pytest.raises(ValueError, match="Both extensions and is_valid_file cannot be None or not None"):
        datasets.DatasetFolder(pictures, Path)
    with pytest.raises(ValueError, match="Both extensions and is_valid_file cannot be None or not None"):
        datasets.DatasetFolder(pictures, Path, ".png", is_valid_file=is_image_file)


def test_folders_without_what_is_needed(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no valid file for the classes cat. Supported extensions are: .png"):
        datasets.DatasetFolder(pictures, Path, ".png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="Couldn't find any class folder in"):
        datasets.ImageFolder(tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        datasets.ImageFolder(tmp_path / "missing")
    with pytest.raises(ValueError, match="must have at least one entry"):
        make_dataset(pictures, {}, IMG_EXTENSIONS)
    assert make_dataset(pictures, None, ".bmp", allow_empty=True) == [(str(pictures / "cat" / "3.bmp"), 0)]


def test_the_loader_closes_its_file(pictures: Path) -> None:
    image = default_loader(str(pictures / "dog" / "1.png"))
    os.remove(pictures / "dog" / "1.png")
    assert image.convert("L").getpixel((0, 0)) == 0
    assert image.mode == "RGB"


# ------------------------------------------------------------------------------------------------ fake data


@pytest.mark.parametrize("offset", [0, 5])
def test_fake_data(offset: int) -> None:
    dataset = datasets.FakeData(4, (3, 8, 10), num_classes=7, random_offset=offset)
    minitorch.manual_seed(9)
    torch.manual_seed(9)
    image, target = dataset[2]
    assert minitorch.rand(1).item() == torch.rand(1).item()  # the caller's numbers go on
    torch.manual_seed(2 + offset)
    expected = torch.randn(3, 8, 10).mul(255).numpy()
    assert target == torch.randint(0, 7, size=(1,)).item()
    inside = (expected >= 0) & (expected < 256) & (np.abs(expected - np.round(expected)) > 1e-3)
    np.testing.assert_array_equal(np.array(image).transpose(2, 0, 1)[inside], expected.astype(int)[inside])
    assert image.size == (10, 8)
    with pytest.raises(IndexError, match="FakeData index out of range"):
        dataset[4]
    assert len(dataset) == 4


def test_fake_data_with_transforms() -> None:
    dataset = datasets.FakeData(2, (3, 4, 4), transform=transforms.ToTensor(), target_transform=lambda target: -target)
    images, targets = next(iter(DataLoader(dataset, batch_size=2)))
    assert images.shape == (2, 3, 4, 4)
    assert bool((targets <= 0).all())


# ----------------------------------------------------------------------------------------------- base class


def test_vision_dataset_takes_one_kind_of_transform() -> None:
    with pytest.raises(ValueError, match="Only transforms or transform/target_transform can be passed as argument"):
        datasets.VisionDataset("", transforms=lambda x, y: (x, y), transform=lambda x: x)
    both = datasets.VisionDataset("~", transform=lambda x: x + 1, target_transform=lambda y: -y)
    assert both.transforms is not None
    assert both.transforms(1, 2) == (2, -2)
    assert both.root == os.path.expanduser("~")
    assert datasets.VisionDataset(Path("~/images")).root == Path.home() / "images"
