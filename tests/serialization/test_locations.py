"""``map_location``: where tensors go that were saved from another device."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import minitorch
from minitorch.backend import accelerator
from minitorch.serialization import Storage
from tests.harness.strict_array import strict
from tests.serialization.support import archive, loaded, saved

HERE = saved([torch.arange(3.0), torch.ones(2)], torch)


def saved_from(location: str) -> bytes:
    """A file like ``HERE`` whose storages bear another location."""
    found = zipfile.ZipFile(io.BytesIO(HERE))
    old, new = (b"X" + len(each).to_bytes(4, "little") + each.encode() for each in ("cpu", location))
    program = found.read("archive/data.pkl").replace(old, new)
    return archive(program, {key: found.read(f"archive/data/{key}") for key in "01"})


@pytest.mark.parametrize(
    "map_location",
    [
        "cpu",
        b"cpu",
        minitorch.device("cpu"),
        {"cuda:0": "cpu"},
        lambda storage, location: storage,
        lambda storage, location: storage.cpu(),
    ],
    ids=["text", "bytes", "device", "dict", "function", "cpu()"],
)
def test_from_a_gpu_to_the_cpu(map_location: Any) -> None:
    found = loaded(saved_from("cuda:0"), map_location=map_location)
    assert found[0].device == minitorch.device("cpu")
    assert found[0].tolist() == [0.0, 1.0, 2.0]


def test_a_function_is_asked_once_a_storage() -> None:
    asked: list[Any] = []

    def ask(storage: Storage, location: str) -> Any:
        asked.append((storage.nbytes(), storage.dtype, location, storage.device.type))

    base = minitorch.arange(3.0)
    found = loaded(saved([base, base[1:], minitorch.ones(2)]), map_location=ask)
    assert asked == [(12, minitorch.float32, "cpu", "cpu"), (8, minitorch.float32, "cpu", "cpu")]
    assert found[1].tolist() == [1.0, 2.0]


def test_wrong_map_locations() -> None:
    with pytest.raises(TypeError, match="map_location must be a device, a string, a dict or a function"):
        loaded(HERE, map_location=5)
    with pytest.raises((TypeError, Exception), match="map_location must return a storage or None, got int"):
        loaded(HERE, map_location=lambda storage, location: 5)
    for location in ("foo", "meta"):
        with pytest.raises(RuntimeError, match=rf"don't know how to restore .* \(tagged with {location}\)"):
            loaded(HERE, map_location=location)


@pytest.mark.skipif(minitorch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize(
    ("content", "map_location"),
    [(saved_from("cuda:0"), None), (HERE, "cuda"), (HERE, {"cpu": "cuda:1"}), (HERE, lambda s, _: s.cuda())],
)
def test_without_a_gpu_the_error_is_torchs(content: bytes, map_location: Any) -> None:
    with pytest.raises(RuntimeError) as ours:
        loaded(content, map_location=map_location)
    if not torch.cuda.is_available() and not callable(map_location):
        with pytest.raises(RuntimeError) as theirs:
            loaded(content, torch, map_location=map_location)
        assert str(ours.value) == str(theirs.value)
    assert "please use torch.load with map_location=torch.device('cpu')" in str(ours.value)


@pytest.fixture(params=[pytest.param("cuda", marks=pytest.mark.cuda), "stand-in"])
def gpu(request: Any) -> Iterator[None]:
    """A GPU, or the strict stand-in for CuPy."""
    if request.param == "cuda":
        yield
        return
    previous = accelerator.install(strict)
    yield
    accelerator.install(previous)


@pytest.mark.usefixtures("gpu")
def test_to_a_gpu_and_back() -> None:
    base = minitorch.arange(6.0, device="cuda").reshape(2, 3)
    content = saved([base, base.t(), minitorch.nn.Parameter(base[0])])
    found = loaded(content)
    assert [str(each.device) for each in found] == ["cuda:0"] * 3
    found[0].fill_(2.0)
    assert found[1].tolist() == [[2.0, 2.0]] * 3
    assert found[2].tolist() == [2.0] * 3
    assert loaded(content, map_location="cpu")[1].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert loaded(content, torch, map_location="cpu")[1].tolist() == [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]]
    assert loaded(HERE, map_location="cuda:0")[0].is_cuda
    assert loaded(HERE, map_location=lambda storage, _: storage.cuda(0))[0].tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(RuntimeError, match="Attempting to deserialize object on CUDA device 63 but"):
        loaded(HERE, map_location="cuda:63")
