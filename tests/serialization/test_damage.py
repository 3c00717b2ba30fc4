"""Damaged files: cut off, flipped bits, wrong formats, bombs. Each loads what was saved or fails cleanly."""

from __future__ import annotations

import io
import pickle
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

import minitorch
from tests.serialization.support import CLEAN_ERRORS, archive, assert_same, loaded, saved


def checkpoint(t: Any) -> Any:
    return {"w": t.arange(12.0).reshape(3, 4), "b": t.nn.Parameter(t.ones(2)), "epoch": 3, "name": "é", "s": {1}}


@pytest.mark.parametrize("by", [minitorch, torch], ids=["ours", "torch's"])
def test_flipped_bytes(by: Any) -> None:
    content, expected = saved(checkpoint(by), by), checkpoint(minitorch)
    refused = 0
    for position in range(0, len(content), 7):
        for mask in (0xFF, 1 << position % 8):
            damaged = bytearray(content)
            damaged[position] ^= mask
            try:
                found = loaded(bytes(damaged))
            except CLEAN_ERRORS:
                refused += 1
            else:
                assert_same(found, expected)
    assert refused > 50


def test_truncated_files() -> None:
    content = saved(checkpoint(minitorch))
    for length in [*range(0, len(content), 13), len(content) - 1]:
        with pytest.raises(CLEAN_ERRORS):
            loaded(content[:length])


def test_pickles_with_random_changes() -> None:
    """A hostile writer keeps the checksums right: whatever the program says, it runs no code and ends."""
    program = zipfile.ZipFile(io.BytesIO(saved(checkpoint(minitorch)))).read("archive/data.pkl")
    chance = random.Random(0)
    storages = {"0": bytes(48), "1": bytes(8)}
    refused = 0
    for _ in range(1500):
        changed = bytearray(program)
        for _ in range(chance.randint(1, 3)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        try:
            loaded(archive(bytes(changed), storages))
        except CLEAN_ERRORS:
            refused += 1
    assert refused > 500


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", EOFError, "Ran out of input"),
        (b"hello, world", RuntimeError, "not an archive written by torch.save: it starts with b'hello, w'"),
        (pickle.dumps([1]), RuntimeError, "bare pickle"),
        (b"PK\x03\x04 and nothing more", RuntimeError, "failed finding central directory"),
        (b"PK\x05\x06" + bytes(18), RuntimeError, "not an archive"),
        (b"x" * 257 + b"ustar" + b"x" * 300, RuntimeError, "tar format"),
    ],
)
def test_other_formats(content: bytes, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        loaded(content)


def test_legacy_format_is_named() -> None:
    with pytest.raises(RuntimeError, match=r"legacy \(non-zip\) format"):
        loaded(saved(torch.ones(2), torch, _use_new_zipfile_serialization=False))


def test_torchscript_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="TorchScript"):
        loaded(archive(b"N.", **{"constants.pkl": b"N."}))


def test_a_file_read_to_its_end() -> None:
    file = io.BytesIO()
    minitorch.save(1, file)
    with pytest.raises(EOFError, match=r"seek\(0\)"):
        minitorch.load(file)


def test_files_that_cannot_be_sought_in() -> None:
    class Pipe(io.RawIOBase):
        pass

    for file in (Pipe(), 5):
        with pytest.raises((AttributeError, io.UnsupportedOperation), match="from a file that is seekable"):
            minitorch.load(file)
    with pytest.raises(FileNotFoundError):
        minitorch.load("/there/is/no/such/file.pt")


def zipped(records: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in records:
            made.writestr(name, content)
    return file.getvalue()


def test_missing_records() -> None:
    for records, missing in (
        ([("a/version", b"3\n")], "data.pkl"),
        ([("a/data.pkl", b"N.")], ".data/version"),
    ):
        with pytest.raises(RuntimeError, match=f"failed locating file {missing}: file not found"):
            loaded(zipped(records))
    with pytest.raises(RuntimeError, match="not an archive"):
        loaded(zipped([]))
    assert loaded(zipped([("a/data.pkl", b"N."), ("a/version", b"3\n")])) is None


@pytest.mark.parametrize("version", [b"0", b"11", b"", b"x", b"9" * 100])
def test_unknown_versions(version: bytes) -> None:
    with pytest.raises(RuntimeError, match="maximum supported version for reading is 10"):
        loaded(zipped([("a/data.pkl", b"N."), ("a/version", version)]))


def test_unknown_byteorder() -> None:
    with pytest.raises(ValueError, match="Unknown endianness type: middle"):
        loaded(archive(b"N.", byteorder=b"middle"))


def test_records_in_another_folder_or_twice() -> None:
    good = [("a/data.pkl", b"N."), ("a/version", b"3\n")]
    with pytest.raises(RuntimeError, match="unexpected record"):
        loaded(zipped([*good, ("b/data/0", b"")]))
    with pytest.warns(UserWarning, match="Duplicate"), pytest.raises(RuntimeError, match="unexpected record"):
        loaded(zipped([*good, good[0]]))


def test_compressed_bombs_are_refused() -> None:
    content = zipped([("a/data.pkl", b"N." + bytes(10_000_000)), ("a/version", b"3\n")], zipfile.ZIP_DEFLATED)
    assert len(content) < 20_000
    with pytest.raises(RuntimeError, match="is compressed"):
        loaded(content)


def test_overlapping_records_are_refused() -> None:
    """Many directory entries for the same bytes: each within the file, all together far beyond it."""
    content = zipped([("a/data.pkl", b"N." + bytes(1000)), ("a/version", b"3\n")])
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    entry = content[start : content.index(b"PK\x01\x02", start + 4)]
    many = b"".join([entry.replace(b"a/data.pkl", b"a/data/%03d" % n) for n in range(200)])
    directory = content[start:end] + many
    finish = struct.pack("<4s4HIIH", b"PK\x05\x06", 0, 0, 202, 202, len(directory), start, 0)
    with pytest.raises(RuntimeError, match="claim to be longer than the file"):
        loaded(content[:start] + directory + finish)


def test_a_record_longer_than_the_file() -> None:
    content = bytearray(zipped([("a/data.pkl", b"N."), ("a/version", b"3\n")]))
    start = content.index(b"PK\x01\x02")
    content[start + 20 : start + 28] = struct.pack("<II", 2**31, 2**31)
    with pytest.raises(RuntimeError, match="claim to be longer than the file"):
        loaded(bytes(content))
