"""safetensors files both ways, through their own library."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pytest
import torch

import minitorch
from minitorch.serialization import load_safetensors, save_safetensors
from tests.serialization.support import assert_same

library = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


def tensors(t: Any) -> Any:
    values = {name: t.tensor([[0, 1], [2, 3]]).to(getattr(t, name)) for name in DTYPES}
    return {**values, "scalar": t.tensor(2.5), "empty": t.zeros(0, 3)}


def test_ours_in_torch(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_safetensors({**tensors(minitorch), "t": minitorch.arange(6).reshape(2, 3).t()}, path, {"note": "é"})
    found = library.load_file(path)
    assert found.pop("t").tolist() == [[0, 3], [1, 4], [2, 5]]
    assert_same(dict(sorted(found.items())), dict(sorted(tensors(torch).items())))
    with importlib.import_module("safetensors").safe_open(path, "pt") as file:
        assert file.metadata() == {"note": "é"}
    assert os.listdir(tmp_path) == ["a.safetensors"]


@pytest.mark.parametrize("read", [load_safetensors, minitorch.load], ids=["load_safetensors", "load"])
def test_torchs_in_ours(tmp_path: Path, read: Any) -> None:
    path = tmp_path / "a.safetensors"
    library.save_file(tensors(torch), path)
    found = read(path)
    assert_same(dict(sorted(found.items())), dict(sorted(tensors(torch).items())))
    found["float32"].add_(1.0)  # the memory is ours to change


def test_a_state_dict(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    net, other = minitorch.nn.Linear(3, 2), minitorch.nn.Linear(3, 2)
    save_safetensors(net.state_dict(), path)
    other.load_state_dict(load_safetensors(path, device="cpu"))
    assert other.weight.tolist() == net.weight.tolist()


def test_errors(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(TypeError, match="expected tensors under strings, got int under 'a'"):
        save_safetensors({"a": 1}, path)
    with pytest.raises(FileNotFoundError):
        load_safetensors(path)
    path.write_bytes(b"no such format")
    with pytest.raises(RuntimeError, match="damaged or of another format"):
        load_safetensors(path)
    library.save_file({"a": torch.ones(2, dtype=torch.bfloat16)}, path)
    with pytest.raises(TypeError, match="has a dtype that minitorch lacks"):
        load_safetensors(path)
    with pytest.raises(RuntimeError, match="with dict map_location is not supported"):
        minitorch.load(path, map_location={"cpu": "cpu"})


def test_the_extra_is_named_where_the_library_is_missing(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(importlib.import_module("sys").modules, "safetensors.numpy", None)
    for call in (lambda: save_safetensors({}, tmp_path / "a"), lambda: load_safetensors(tmp_path / "a")):
        with pytest.raises(ImportError, match=r"pip install 'minitorch\[safetensors\]'"):
            call()
