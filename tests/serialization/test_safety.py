"""Loading runs no code: what hostile pickles try, and what they get."""

from __future__ import annotations

import builtins
import collections
import io
import os
import pickle
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import minitorch
from minitorch import serialization
from tests.serialization.support import archive, loaded, saved

FLAG: list[str] = []


def raise_flag(*args: Any) -> None:
    FLAG.append("code was run")


class Reduces:
    """An object whose pickle calls what it is told."""

    def __init__(self, *reduced: Any) -> None:
        self.reduced = reduced

    def __reduce__(self) -> Any:
        return self.reduced


class Point:
    def __init__(self, x: int) -> None:
        self.x = x


def refused(program: bytes, message: str, **records: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError, match=message):
        loaded(archive(program, records))


def pickled(value: Any, protocol: int = 2) -> bytes:
    return pickle.dumps(value, protocol)


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
@pytest.mark.parametrize(
    "call",
    [
        (os.system, ("touch {path}",)),
        (subprocess.call, (["touch", "{path}"],)),
        (builtins.eval, ("open('{path}', 'w')",)),
        (builtins.exec, ("open('{path}', 'w')",)),
        (builtins.open, ("{path}", "w")),
        (builtins.__import__, ("antigravity",)),
        (builtins.getattr, (os, "system")),
        (Path.touch, (Path("{path}"),)),
    ],
    ids=lambda call: call[0].__name__,
)
def test_calls_are_not_made(tmp_path: Path, call: Any, protocol: int) -> None:
    path = tmp_path / "made"
    function, args = call
    if function is builtins.getattr:
        program = b"\x80\x02c__builtin__\ngetattr\ncos\n\nX\x06\x00\x00\x00system\x86R."
    else:
        filled = tuple(
            each.format(path=path) if isinstance(each, str) else [part.format(path=path) for part in each]
            for each in args
            if not isinstance(each, Path)
        ) or (path,)
        program = pickled({"w": Reduces(function, filled)}, protocol)
    refused(program, "Weights only load failed")
    assert not path.exists()


def test_blocked_modules_stay_blocked() -> None:
    program = pickled(Reduces(os.system, ("echo",)))
    with serialization.safe_globals([os.system]):
        refused(program, "Trying to load unsupported GLOBAL posix.system whose module posix is blocked")
    refused(b"cos\nsystem\n.", "whose module os is blocked")
    refused(b"cos.path\njoin\n.", "is blocked")


@pytest.mark.parametrize(
    "program",
    [
        b"ccollections\nOrderedDict.fromkeys\n.",  # an attribute of something allowed
        b"ctorch\nTensor.backward\n.",
        b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n.",
        b"ctorch._utils\n__builtins__\n.",
        b"cbuiltins\neval\n.",
        b"c__builtin__\neval\n.",
        b"c\neval\n.",
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.",
        b"cminitorch\nload\n.",
        b"cminitorch.nn.linear\nLinear\n.",
        b"(ios\nsystem\n.",  # INST
        b"(cbuiltins\neval\no.",
        b"\x82\x01.",  # EXT1, the registry of copyreg
        b"Psomething\n.",  # PERSID
    ],
)
def test_names_that_are_not_listed(program: bytes) -> None:
    refused(program, "Weights only load failed")


def test_the_hint_is_torchs() -> None:
    with pytest.raises(pickle.UnpicklingError) as theirs:
        loaded(saved(Point(1), torch), torch)
    with pytest.raises(pickle.UnpicklingError) as ours:
        loaded(saved(Point(1)))
    sentence = str(theirs.value).split("WeightsUnpickler error: ")[1].split("\n")[0]
    assert "Unsupported global: GLOBAL tests.serialization.test_safety.Point was not an allowed" in sentence
    assert sentence in str(ours.value)
    assert str(ours.value).startswith("Weights only load failed. This file can still be loaded")


def mark_tuple(*parts: bytes) -> bytes:
    return b"(" + b"".join(parts) + b"t"


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (b"ctorch\nfloat32\n)R.", "unrecognized function"),  # a call of what may be named, not called
        (b"c__builtin__\nlist\n)R.", "unrecognized function"),
        (b"c__builtin__\nint\nX\x01\x00\x00\x001\x85R.", "unrecognized function"),
        (b"ccollections\nOrderedDict\n)RK\x01\x85R.", "unrecognized function"),
        (b"ccollections\nOrderedDict\n)\x81.", "Can only create new object"),
        (b"ccollections\nOrderedDict\n]R.", "REDUCE needs a tuple"),
        (b"ccollections\nOrderedDict\n)R}X\x05\x00\x00\x00itemsK\x01sb.", "may not set the attribute 'items'"),
        (b"ccollections\nOrderedDict\n)R}X\x09\x00\x00\x00__class__K\x01sb.", "may not set the attribute"),
        (b"ccollections\nOrderedDict\n}X\x01\x00\x00\x00aK\x01sb.", "Can only build OrderedDict"),
        (b"ctorch\nTensor\n}X\x03\x00\x00\x00addK\x01sb.", "Can only build OrderedDict"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb.", "Can only build OrderedDict"),
        (b"c__builtin__\nset\nK\x01a.", "Can only append to lists"),
        (b"c__builtin__\ndict\nK\x01K\x02s.", "Can only SETITEM"),
        (b"c__builtin__\nbytearray\n\x8a\x06\x00\x00\x00\x00\x00\x01\x85R.", "expected bytes"),
        (b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00idna \x86R.", "damaged"),
        (b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00idna\x86R.", "bytes are kept as latin1"),
        (b"ccollections\ndefaultdict\nctorch._utils\n_rebuild_tensor_v2\n\x85R.", "factory of a defaultdict"),
        (b"ccollections\nCounter\nX\x01\x00\x00\x00a\x85R.", "expected dict"),
        (b"ctorch\nSize\nX\x01\x00\x00\x00a\x85R.", "expected tuple or list"),
        (b"ctorch._tensor\n_rebuild_from_type_v2\n(c__builtin__\nset\nctorch\nTensor\n))tR.", "rebuilds tensors"),
        (b"N.", None),
        (b"", "no end|exhausted|damaged"),
        (b"N", "damaged"),
        (b".", "damaged"),
        (b"0.", "damaged"),
        (b"h\x05.", "damaged"),
        (b"q\x05.", "damaged"),
        (b"K\x01Q.", "Only persistent_load of storage is allowed"),
        (mark_tuple(b"U\x06module", b"K\x01" * 4) + b"Q.", "Only persistent_load of storage is allowed"),
        (mark_tuple(b"U\x07storage", b"K\x01" * 4) + b"Q.", "a storage is named by its type"),
        (b"}]K\x01s.", "damaged"),  # a list as a key
        (b"}K\x01K\x02K\x03u.", "damaged"),
    ],
)
def test_nonsense(program: bytes, message: str | None) -> None:
    if message is None:
        assert loaded(archive(program)) is None
    else:
        refused(program, message)


def test_small_programs_cannot_make_large_results() -> None:
    twice = b")" + b"q\x01h\x01\x86" * 60  # ((x, x), (x, x)) …: 2⁶⁰ values in 300 bytes
    deep = b"\x85" * 200_000  # (((…)))
    copies = b"]q\x00(" + b"K\x01" * 5000 + b"e0" + b"c__builtin__\nset\nh\x00\x85R0" * 5000 + b"N."
    long_key = b"\x8b" + struct.pack("<I", 100_000) + b"\x01" * 100_000
    started = time.perf_counter()
    refused(b"}" + twice + b"K\x01s.", "more than 1000 values")
    refused(b"}" + b")" + deep + b"K\x01s.", "more than 1000 values")
    refused(b"c__builtin__\nset\n]" + b")" + deep + b"a\x85R.", "more than 1000 values")
    refused(copies, "copies more values than its size allows")
    refused(b"}" + long_key + b"K\x01s.", "more than 1000 values")
    assert time.perf_counter() - started < 10


# ------------------------------------------------------------------------------------------- tensors that lie


def tensor_program(numel: Any = 4, offset: Any = 0, size: Any = (4,), stride: Any = (1,), **other: Any) -> bytes:
    """The pickle of a float32 tensor with these claims about its storage."""
    storage = ("storage", other.get("kind", Named("torch", "FloatStorage")), "0", other.get("location", "cpu"), numel)
    args = (Persistent(storage), offset, size, stride, other.get("grad", False), other.get("hooks", _NO_HOOKS))
    stream = io.BytesIO()
    LyingPickler(stream, 2).dump(Reduces(Named("torch._utils", "_rebuild_tensor_v2"), args))
    return stream.getvalue()


_NO_HOOKS: Any = collections.OrderedDict()


class Named:
    def __init__(self, module: str, name: str) -> None:
        self.text = f"c{module}\n{name}\n".encode()

    def __call__(self) -> None:
        """Makes it something that a pickler takes for a function."""


class Persistent:
    def __init__(self, identity: Any) -> None:
        self.identity = identity


class LyingPickler(pickle._Pickler):
    def persistent_id(self, value: Any) -> Any:
        return value.identity if isinstance(value, Persistent) else None

    def save_global(self, value: Any, name: Any = None) -> None:
        if isinstance(value, Named):
            self.write(value.text)
            self.memoize(value)
        else:
            super().save_global(value, name)

    def reducer_override(self, value: Any) -> Any:
        return "named" if isinstance(value, Named) else NotImplemented


def test_the_honest_claims_are_accepted() -> None:
    assert loaded(archive(tensor_program(), {"0": bytes(16)})).tolist() == [0.0] * 4
    assert loaded(archive(tensor_program(), {"0": bytes(16)}), torch).tolist() == [0.0] * 4
    huge = loaded(archive(tensor_program(size=(2**40,), stride=(0,)), {"0": bytes(16)}))
    assert huge.shape == (2**40,)  # a window of 2⁴⁰ elements on one: it takes no memory


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"numel": 5}, "holds 16 bytes, but 5 elements of torch.float32 need 20"),
        ({"numel": 2**62}, "holds 16 bytes"),
        ({"numel": 3}, "holds 16 bytes"),
        ({"numel": -1}, "a storage is named by"),
        ({"numel": True}, "a storage is named by"),
        ({"numel": "4"}, "a storage is named by"),
        ({"kind": Named("torch", "float32")}, "a storage is named by"),
        ({"kind": Named("torch", "DoubleStorage")}, "holds 16 bytes, but 4 elements of torch.float64 need 32"),
        ({"location": "nowhere:3"}, "don't know how to restore data location"),
        ({"offset": 1}, "out of bounds"),
        ({"offset": -1}, "non-negative"),
        ({"offset": 2**70}, "out of bounds"),
        ({"offset": 1.0}, "non-negative integers"),
        ({"size": (5,)}, "out of bounds"),
        ({"size": (-1,)}, "non-negative"),
        ({"size": (2**70,)}, "out of bounds"),
        ({"size": (2**62,), "stride": (0,)}, "damaged"),
        ({"size": (4, 1)}, "2 sizes but 1 strides"),
        ({"size": (1,) * 200, "stride": (1,) * 200}, "damaged"),
        ({"size": "abcd"}, "non-negative"),
        ({"size": (2, 2), "stride": (3, 2)}, "out of bounds"),
        ({"stride": (-1,)}, "non-negative"),
        ({"stride": (2,)}, "out of bounds"),
        ({"size": (0,), "offset": 5}, "out of bounds"),
        ({"grad": 1}, "requires_grad must be a bool"),
        ({"hooks": {}}, "hooks"),
        ({"hooks": collections.OrderedDict(a=1)}, "hooks"),
    ],
)
def test_claims_beyond_the_storage(claims: Any, message: str) -> None:
    with pytest.raises((RuntimeError, pickle.UnpicklingError), match=message):
        loaded(archive(tensor_program(**claims), {"0": bytes(16)}))


def test_a_storage_that_is_not_there() -> None:
    with pytest.raises(RuntimeError, match="failed locating file data/0"):
        loaded(archive(tensor_program()))


def test_integers_cannot_require_gradients() -> None:
    program = tensor_program(kind=Named("torch", "IntStorage"), grad=True)
    with pytest.raises(RuntimeError, match="can require gradients"):
        loaded(archive(program, {"0": bytes(16)}))


# ------------------------------------------------------------------------------------------- the user's list


def test_safe_globals() -> None:
    content = saved([Point(3)])
    serialization.add_safe_globals([Point])
    assert serialization.get_safe_globals() == [Point]
    assert loaded(content)[0].x == 3
    serialization.clear_safe_globals()
    with pytest.raises(pickle.UnpicklingError):
        loaded(content)
    with serialization.safe_globals([(Point, "tests.serialization.test_safety.Point")]):
        assert loaded(content)[0].x == 3
    assert serialization.get_safe_globals() == []


def test_safe_globals_need_a_name_of_text() -> None:
    for wrong, error in (((Point,), ValueError), ((Point, 3), TypeError)):
        with serialization.safe_globals([wrong]), pytest.raises(pickle.UnpicklingError) as caught:  # type: ignore
            loaded(saved(1))
        assert isinstance(caught.value.__cause__, error)


def test_whole_modules_from_the_users_list() -> None:
    net = minitorch.nn.Linear(2, 1)
    content = saved(net)
    with pytest.raises(pickle.UnpicklingError, match=r"add_safe_globals\(\[minitorch.nn.linear.Linear\]\)"):
        loaded(content)
    assert serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(content)) == ["minitorch.nn.linear.Linear"]
    with serialization.safe_globals([minitorch.nn.Linear]):
        assert loaded(content).weight.tolist() == net.weight.tolist()


# ---------------------------------------------------------------------------- files that the caller trusts


def test_trusted_files_run_code() -> None:
    FLAG.clear()
    content = archive(pickled(Reduces(raise_flag, ())))
    with pytest.raises(pickle.UnpicklingError):
        loaded(content)
    assert FLAG == []
    loaded(content, weights_only=False)
    assert FLAG == ["code was run"]


def test_whole_modules() -> None:
    net = minitorch.nn.Sequential(
        minitorch.nn.Conv2d(1, 2, 3), minitorch.nn.BatchNorm2d(2), minitorch.nn.Flatten(), minitorch.nn.Linear(2, 2)
    )
    net[3].tied = net[3].weight
    again = loaded(saved({"net": net, "dtype": minitorch.float16}), weights_only=False)
    x = minitorch.ones(2, 1, 3, 3)
    assert again["dtype"] is minitorch.float16
    assert again["net"][3].tied is again["net"][3].weight
    assert again["net"](x).tolist() == net(x).tolist()
    assert str(again["net"]) == str(net)


def test_torchs_checkpoints_load_when_trusted() -> None:
    content = saved(torch.nn.Linear(2, 1).state_dict(), torch)
    assert list(loaded(content, weights_only=False)) == ["weight", "bias"]
    assert list(loaded(content, weights_only=False, pickle_module=pickle, encoding="latin1")) == ["weight", "bias"]


def test_torchs_modules_do_not_make_us_import_torch() -> None:
    with pytest.raises(RuntimeError, match=r"torch\.nn\.modules\.linear\.Linear, code of torch's own"):
        loaded(saved(torch.nn.Linear(2, 1), torch), weights_only=False)


def test_arguments_that_exclude_each_other() -> None:
    content = saved(1)
    with pytest.raises(RuntimeError, match="Can not safely load weights when explicit pickle_module is specified"):
        loaded(content, pickle_module=pickle)
    with pytest.raises(ValueError, match="f must be a file path in order to use the mmap argument"):
        loaded(content, mmap=True)
    with pytest.warns(UserWarning, match="pickle_load_args only works"):
        loaded(content, encoding="ascii")


def test_subclass_of_tensor_needs_the_users_word() -> None:
    class_of_tests = MyTensor(minitorch.ones(2))
    content = saved(class_of_tests)
    with pytest.raises(pickle.UnpicklingError, match="MyTensor was not an allowed global"):
        loaded(content)
    with serialization.safe_globals([MyTensor]):
        assert type(loaded(content)) is MyTensor


class MyTensor(minitorch.nn.Parameter):
    """A parameter of a class of the user's."""
