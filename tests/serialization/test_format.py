"""Files both ways between minitorch and torch: the same bytes, and the same objects from them."""

from __future__ import annotations

import collections
import io
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minitorch
from minitorch.autograd.variable import wrap
from minitorch.serialization import writer
from tests.serialization.support import archive, assert_same, loaded, round_trips, saved

LIBRARIES = (minitorch, torch)
DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


def containers(t: Any) -> Any:
    return {
        "numbers": [0, -1, 255, 256, 70000, -(2**31), 2**31, 2**70, -(2**70), 0.5, float("inf"), True, False, 1 + 2j],
        "texts": ("", "é", "日本語", "x" * 300, "\ud800"),
        "bytes": [b"abc", bytes(range(256)), bytearray(b"q")],
        "sets": [set(), {1}, {"a"}],
        "none": None,
        "nested": {"a": [{"b": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4))}], 3: "three", (1, "x"): "tuple"},
        "ordered": collections.OrderedDict([("z", 1), ("a", 2)]),
        "counter": collections.Counter("aab"),
        "torch": [t.float32, t.int64, t.bool, t.Size([2, 3]), t.Size([]), t.device("cpu"), t.device("cuda:1")],
        3.5: [[]],
    }


def tensors(t: Any) -> Any:
    base = t.arange(24, dtype=t.float64).reshape(2, 3, 4)
    return [
        base,
        base.transpose(0, 2),
        base[1, :, ::2],
        base[0, 0, 1],
        t.tensor(3.5),
        t.zeros(0),
        t.zeros(3, 0, 2),
        t.ones(1).expand(4),
        t.ones(3, 1).expand(3, 4)[1:],
        t.ones(2, requires_grad=True),
        t.ones(2, requires_grad=True) * 3,
        t.nn.Parameter(base),
        t.nn.Parameter(t.ones(2), requires_grad=False),
    ]


def model(t: Any) -> Any:
    t.manual_seed(0)
    return t.nn.Sequential(t.nn.Conv2d(1, 2, 3), t.nn.BatchNorm2d(2), t.nn.ReLU(), t.nn.Flatten(), t.nn.Linear(2, 2))


def trained(t: Any, optimizer_name: str) -> Any:
    net = t.nn.Linear(3, 2)
    with t.no_grad():
        net.weight.copy_(t.arange(6.0).reshape(2, 3))
        net.bias.zero_()
    options = {"momentum": 0.9} if optimizer_name == "SGD" else {}
    optimizer = getattr(t.optim, optimizer_name)(net.parameters(), lr=0.5, **options)
    net(t.ones(1, 3)).sum().backward()
    optimizer.step()
    return net, optimizer


@pytest.mark.parametrize(
    "make", [containers, tensors, lambda t: model(t).state_dict()], ids=["containers", "tensors", "model"]
)
def test_every_pair_of_writer_and_reader(make: Any) -> None:
    for actual, expected in round_trips(make).values():
        assert_same(actual, expected)


@pytest.mark.parametrize("name", DTYPES)
def test_dtypes(name: str) -> None:
    values = [[0, 1, 2], [3, 100, 127]]
    for actual, expected in round_trips(lambda t: t.tensor(values).to(getattr(t, name))).values():
        assert_same(actual, expected)


@pytest.mark.parametrize("make", [tensors, lambda t: model(t).state_dict()], ids=["tensors", "model"])
def test_the_file_is_torchs_byte_for_byte(make: Any) -> None:
    """All but the identity that torch derives from a hash of its own (and its checksum)."""
    ours, theirs = saved(make(minitorch)), saved(make(torch), torch)
    identity = zipfile.ZipFile(io.BytesIO(ours)).getinfo("archive/.data/serialization_id")
    assert ours[: identity.header_offset + 64] == theirs[: identity.header_offset + 64]
    assert len(ours) == len(theirs)
    one, other = (zipfile.ZipFile(io.BytesIO(each)) for each in (ours, theirs))
    assert one.testzip() is None
    assert one.namelist() == other.namelist()
    differing = [n for n in one.namelist() if one.read(n) != other.read(n)]
    assert differing == ["archive/.data/serialization_id"]
    assert [i.header_offset for i in one.infolist()] == [i.header_offset for i in other.infolist()]


def test_storages_begin_at_multiples_of_64() -> None:
    content = saved([minitorch.ones(n) for n in range(1, 9)])
    found = zipfile.ZipFile(io.BytesIO(content))
    for entry in found.infolist():
        start = entry.header_offset + 30 + int.from_bytes(content[entry.header_offset + 26 :][:2], "little")
        start += int.from_bytes(content[entry.header_offset + 28 :][:2], "little")
        assert start % 64 == 0
        assert content[start : start + entry.file_size] == found.read(entry)


@pytest.mark.parametrize("source", LIBRARIES, ids=["ours", "torch's"])
def test_shared_memory_stays_shared(source: Any) -> None:
    base = source.zeros(2, 3)
    parameter = source.nn.Parameter(base[0])
    again = loaded(saved([base, base.t(), base[1], parameter, parameter], source))
    again[0].fill_(7.0)
    assert again[1].tolist() == [[7.0, 7.0]] * 3
    assert again[2].tolist() == [7.0] * 3
    assert again[3].tolist() == [7.0] * 3
    assert again[3] is again[4]


def test_one_record_for_all_views_of_one_memory() -> None:
    base = minitorch.zeros(100)
    names = zipfile.ZipFile(io.BytesIO(saved([base[:10], base[10:].reshape(9, 10)]))).namelist()
    assert [name for name in names if "data/" in name and ".data" not in name] == ["archive/data/0"]


@pytest.mark.parametrize("reader", LIBRARIES, ids=["ours", "torch"])
def test_tied_parameters_stay_tied(reader: Any) -> None:
    net = minitorch.nn.Sequential(minitorch.nn.Linear(2, 2), minitorch.nn.Linear(2, 2))
    net[1].weight = net[0].weight
    state = loaded(saved(net.state_dict()), reader)
    state["0.weight"].fill_(3.0)
    assert state["1.weight"].tolist() == [[3.0, 3.0], [3.0, 3.0]]


def test_memory_that_torch_does_not_know_is_copied() -> None:
    backwards = wrap(np.arange(4.0)[::-1], minitorch.Tensor)
    with_gaps = minitorch.from_numpy(np.frombuffer(b"x" + np.arange(4.0).tobytes() + b"x" * 7, "u1")[1:33].view("f8"))
    fortran = minitorch.from_numpy(np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    again = loaded(saved([backwards, with_gaps, fortran]), torch)
    assert again[0].tolist() == [3.0, 2.0, 1.0, 0.0]
    assert again[1].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert again[2].tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert again[2].stride() == (1, 2)


def test_loaded_tensors_can_be_changed_and_trained() -> None:
    weight = loaded(saved({"w": torch.nn.Parameter(torch.ones(3))}, torch))["w"]
    (weight * weight).sum().backward()
    assert weight.grad.tolist() == [2.0, 2.0, 2.0]
    with minitorch.no_grad():
        weight.add_(1.0)
    assert weight.tolist() == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_training_goes_on_from_torchs_checkpoint_and_back(name: str) -> None:
    """A step after loading, in the other library, equals torch's own second step."""
    their_net, their_optimizer = trained(torch, name)
    state = {"net": their_net.state_dict(), "optimizer": their_optimizer.state_dict()}
    checkpoint = saved(state, torch)
    net, optimizer = trained(minitorch, name)
    for library, its_net, its_optimizer, content in (
        (minitorch, net, optimizer, checkpoint),
        (torch, their_net, their_optimizer, saved(loaded(checkpoint))),
    ):
        found = loaded(content, library)
        its_net.load_state_dict(found["net"])
        its_optimizer.load_state_dict(found["optimizer"])
        its_optimizer.zero_grad()
        its_net(library.ones(1, 3)).sum().backward()
        its_optimizer.step()
    torch.testing.assert_close(torch.tensor(net.weight.tolist()), their_net.weight.detach())


def test_defaultdict() -> None:
    """torch refuses it by default; its factory can only be a container or a number."""
    again = loaded(saved(collections.defaultdict(list, {"a": [1]}), torch))
    assert again == {"a": [1]}
    assert again["new"] == []


@pytest.mark.parametrize("protocol", range(6))
def test_pickle_protocols(protocol: int) -> None:
    value = containers(minitorch)
    assert_same(loaded(saved(value, pickle_protocol=protocol)), value)


def test_no_bytes_and_frozen_sets() -> None:
    """torch cannot load its own file with b"" in it, but ours; frozen sets it refuses."""
    value = [b"", bytearray(), frozenset(), frozenset([1, (2, "x")])]
    assert loaded(saved(value)) == value
    assert loaded(saved(value, torch)) == value
    assert loaded(saved(value[:2]), torch) == value[:2]


def test_recursive_list() -> None:
    value: list[Any] = [1]
    value.append((value,))
    again = loaded(saved(value))
    assert again[1][0] is again


@pytest.mark.parametrize("by", LIBRARIES, ids=["ours", "torch's"])
def test_paths(tmp_path: Path, by: Any) -> None:
    for name in ("a.pt", "no_suffix", "ü.pt", "two.dots.pt"):
        path = tmp_path / name
        by.save(by.ones(2), path)
        for reader in LIBRARIES:
            assert reader.load(path).tolist() == [1.0, 1.0]
            assert reader.load(str(path)).tolist() == [1.0, 1.0]
        with open(path, "rb") as file:
            assert minitorch.load(file).tolist() == [1.0, 1.0]
    assert zipfile.ZipFile(tmp_path / "two.dots.pt").namelist()[0] == "two.dots/data.pkl"


def test_file_that_takes_a_part_at_a_time() -> None:
    class Slow(io.BytesIO):
        def write(self, content: Any) -> int:
            return super().write(bytes(content[:100]))

    file = Slow()
    minitorch.save(minitorch.arange(1000), file)
    assert loaded(file.getvalue(), torch).tolist() == list(range(1000))


@pytest.mark.parametrize("mmap", [None, False, True])
def test_mapped_memory(tmp_path: Path, mmap: bool | None) -> None:
    path = tmp_path / "a.pt"
    torch.save([torch.arange(5), torch.zeros(0), torch.ones(2)], path)
    found = minitorch.load(path, mmap=mmap)
    assert [each.tolist() for each in found] == [[0, 1, 2, 3, 4], [], [1.0, 1.0]]
    found[0].fill_(9)
    assert minitorch.load(path)[0].tolist() == [0, 1, 2, 3, 4]
    minitorch.save(found, tmp_path / "b.pt")
    assert torch.load(tmp_path / "b.pt")[0].tolist() == [9] * 5
    assert os.path.getsize(tmp_path / "b.pt") < 4000


def test_torch_maps_and_computes_offsets_of_our_files(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    minitorch.save([minitorch.arange(n) for n in (3, 100, 1, 7)], path)
    with torch.utils.serialization.config.patch({"load.calculate_storage_offsets": True}):
        found = torch.load(path, mmap=True)
    assert [each.tolist() for each in found] == [list(range(n)) for n in (3, 100, 1, 7)]


def test_64_bit_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files beyond 4 GiB, made small by moving the limit: readers accept 64-bit fields for small numbers too."""
    monkeypatch.setattr(writer, "LIMIT_32", 2000)
    value = [minitorch.arange(400), minitorch.ones(3), minitorch.arange(10)]
    content = saved(value)
    monkeypatch.undo()
    assert content.count(b"\xff" * 8) == 1  # a long record: both sizes elsewhere
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    for by in LIBRARIES:
        assert [each.tolist() for each in loaded(content, by)] == [each.tolist() for each in value]


def test_big_endian_file() -> None:
    program = zipfile.ZipFile(io.BytesIO(saved(torch.tensor([1, 2, 3]), torch))).read("archive/data.pkl")
    content = archive(program, {"0": np.array([1, 2, 3], ">i8").tobytes()}, byteorder=b"big")
    assert loaded(content, torch).tolist() == [1, 2, 3]
    assert loaded(content).tolist() == [1, 2, 3]
    assert sys.byteorder == "little"


def test_files_without_checksums() -> None:
    torch.serialization.set_crc32_options(False)
    try:
        content = saved(torch.ones(3), torch)
    finally:
        torch.serialization.set_crc32_options(True)
    assert loaded(content).tolist() == [1.0, 1.0, 1.0]


def test_tensor_attributes_of_torch() -> None:
    tensor = torch.ones(2)
    tensor.note = "kept"
    parameter = torch.nn.Parameter(tensor)
    parameter.note = [1]
    again = loaded(saved([tensor, parameter], torch))
    assert again[0].note == "kept"
    assert again[1].note == [1]
    assert isinstance(again[1], minitorch.nn.Parameter)


def test_storages_of_torch() -> None:
    again = loaded(saved(torch.arange(3, dtype=torch.uint8).untyped_storage(), torch))
    assert again.nbytes() == len(again) == 3
    assert loaded(saved(again), torch).tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", ["bfloat16", "complex64", "uint16", "float8_e4m3fn"])
def test_dtypes_that_numpy_lacks(dtype: str) -> None:
    content = saved({"w": torch.zeros(2, dtype=getattr(torch, dtype))}, torch)
    with pytest.raises(RuntimeError, match=f"minitorch has no torch.{dtype}"):
        loaded(content)
    with pytest.raises(RuntimeError, match=f"minitorch has no torch.{dtype}"):
        loaded(saved(getattr(torch, dtype), torch), weights_only=False)


def test_sparse_tensors_are_refused() -> None:
    with pytest.raises(RuntimeError, match="minitorch has no sparse tensors"):
        loaded(saved(torch.eye(2).to_sparse(), torch))


def test_saving_errors(tmp_path: Path) -> None:
    x = minitorch.arange(4, dtype=minitorch.float32)
    same_memory = minitorch.from_numpy(x.numpy().view("int32"))
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        saved([x, same_memory])
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        minitorch.save(1, tmp_path / "none" / "a.pt")
    with pytest.raises(AttributeError, match="expected 'f' to be string, path, or a file-like object"):
        minitorch.save(1, 5)
    with pytest.raises(RuntimeError, match="legacy"):
        minitorch.save(1, tmp_path / "a.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(TypeError, match="not written in Python"):
        minitorch.save(1, tmp_path / "a.pt", pickle_module=type("m", (), {"Pickler": dict, "__name__": "m"}))
    assert os.listdir(tmp_path) == []
