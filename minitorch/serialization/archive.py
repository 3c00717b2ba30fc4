"""Reading the zip archive that a torch file is: a directory at its end, and records stored without compression.

Everything is checked before memory is taken for it: a record cannot be longer than the file, all of them
together neither, and compressed records (which could swell to any size) are refused. Checksums are compared.
"""

from __future__ import annotations

import io
import mmap as memory_map
import os
import struct
import zipfile
import zlib
from typing import Any, BinaryIO

from minitorch.backend import Array, host

_LOCAL_HEADER = struct.Struct("<4s5HIIIHH")
_UTF8 = 0x0800  # the flag of a record whose name is in UTF-8
_CHUNK = 1 << 20
_DAMAGED = (
    "PytorchStreamReader failed reading zip archive: {}. There is a high likelihood that your checkpoint file is "
    "corrupted. This can happen if the checkpoint was not saved properly, was transferred incorrectly, or the "
    "file was modified after saving."
)
_VERSIONS = range(1, 11)  # of the format, as far as torch knows them
_LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the pickled number that torch's old files begin with


class Archive:
    """The records of a torch file, by name; the folder that all of them lie in is left out of the names.

    Args: file: opened for reading bytes, seekable.
    Raises: RuntimeError if it is no archive, or a damaged one.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = file.seek(0, os.SEEK_END)
        entries = _directory(file)
        self.root = entries[0].filename.partition("/")[0] if entries else ""
        self.entries: dict[str, zipfile.ZipInfo] = {}
        for entry in entries:
            self._add(entry)
        if sum([entry.file_size for entry in entries]) > self.size:
            raise RuntimeError(_DAMAGED.format("the records claim to be longer than the file"))

    def _add(self, entry: zipfile.ZipInfo) -> None:
        folder, _, name = entry.filename.partition("/")
        if folder != self.root or name in self.entries:
            raise RuntimeError(_DAMAGED.format(f"unexpected record {entry.filename[:100]!r}"))
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise RuntimeError(_DAMAGED.format(f"record {name[:100]!r} is compressed, which torch's never are"))
        self.entries[name] = entry

    def __contains__(self, name: str) -> bool:
        return name in self.entries

    def length(self, name: str) -> int:
        """The number of bytes in a record; RuntimeError if there is none of this name."""
        if name not in self.entries:
            raise RuntimeError(f"PytorchStreamReader failed locating file {name[:100]}: file not found")
        return self.entries[name].file_size

    def read(self, name: str) -> bytes:
        """A whole record."""
        content = bytearray(self.length(name))
        self.read_into(name, memoryview(content))
        return bytes(content)

    def read_into(self, name: str, target: memoryview) -> None:
        """Fill ``target``, which is as long as the record, with its bytes.

        Raises: RuntimeError if the file ends too early or the checksum is wrong.
        """
        self.file.seek(self.offset(name))
        checksum = 0
        for start in range(0, len(target), _CHUNK):
            piece = target[start : start + _CHUNK]
            _read_exactly(self.file, piece)
            checksum = zlib.crc32(piece, checksum)
        expected = self.entries[name].CRC
        if checksum != expected and expected != 0:  # torch writes 0 where it was told not to compute it
            raise RuntimeError(_DAMAGED.format(f"the checksum of record {name!r} is wrong"))

    def offset(self, name: str) -> int:
        """Where in the file the bytes of a record begin."""
        length, entry = self.length(name), self.entries[name]
        header, full_name = bytearray(_LOCAL_HEADER.size), _name_bytes(entry)
        if 0 <= entry.header_offset < self.size:
            self.file.seek(entry.header_offset)
            _read_exactly(self.file, memoryview(header))
        signature, _, _, method, *_, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        local_name = bytearray(name_length)
        _read_exactly(self.file, memoryview(local_name))
        offset = entry.header_offset + len(header) + name_length + extra_length
        is_right = signature == b"PK\x03\x04" and method == zipfile.ZIP_STORED and local_name == full_name
        if not is_right or offset + length > self.size:
            raise RuntimeError(_DAMAGED.format(f"record {name!r} is not where the directory says"))
        return offset

    def check_version(self) -> None:
        """Raise RuntimeError unless the format is of a version that torch reads."""
        record = "version" if "version" in self.entries else ".data/version"
        version = self.read(record).strip()
        if not version.isdigit() or len(version) > 2 or int(version) not in _VERSIONS:
            raise RuntimeError(
                f"Attempted to read a PyTorch file with version {version[:20]!r}, but the maximum supported version "
                f"for reading is {_VERSIONS[-1]}"
            )

    def byteorder(self) -> str:
        """``little`` or ``big``: the order of the bytes in each element; files without a mark are little."""
        if "byteorder" not in self.entries:
            return "little"
        order = self.read("byteorder") if self.length("byteorder") < 10 else b"?"
        if order not in (b"little", b"big"):
            raise ValueError(f"Unknown endianness type: {order.decode('ascii', 'replace')}")
        return order.decode()

    def map(self) -> memory_map.mmap:
        """The file in memory, page by page as it is used; changes are not written back."""
        return memory_map.mmap(self.file.fileno(), 0, access=memory_map.ACCESS_COPY)


def _directory(file: BinaryIO) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ArithmeticError, ValueError, struct.error) as error:
        reason = f"failed finding central directory ({error})"
        raise RuntimeError(_DAMAGED.format(reason)) from error
    except OSError as error:  # a damaged offset may point before the beginning
        raise RuntimeError(_DAMAGED.format(f"failed reading central directory ({error})")) from error


def _name_bytes(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & _UTF8 else "cp437")


def _read_exactly(file: BinaryIO, target: memoryview) -> None:
    """Fill ``target`` from the file; RuntimeError if the file ends before."""
    filled = 0
    while filled < len(target):
        piece = file.read(len(target) - filled)
        if not piece:
            raise RuntimeError(_DAMAGED.format("unexpected end of file"))
        target[filled : filled + len(piece)] = piece
        filled += len(piece)


def mapped(pages: memory_map.mmap, offset: int, numel: int, dtype: Any) -> Array:
    """An array on mapped memory (an empty one cannot be)."""
    return host.frombuffer(pages, dtype, numel, offset) if numel else host.empty(0, dtype)


def check_is_archive(file: Any) -> None:
    """Look at the first bytes of a file and leave it where it was.

    Raises: EOFError if it is empty (or was read to its end already), RuntimeError, naming the format, if it is
    not torch's zip format; AttributeError or UnsupportedOperation if it cannot be read or sought in.
    """
    try:
        position = file.tell()
        file.seek(position)
        start = file.read(512)
        file.seek(position)
    except (io.UnsupportedOperation, AttributeError) as error:
        raise type(error)(
            f"{error}. You can only torch.load from a file that is seekable. Please pre-load the data into a buffer "
            "like io.BytesIO and try to load from it instead."
        ) from None
    if not start:
        raise EOFError("Ran out of input: the file is empty, or was read to its end (is a seek(0) missing?)")
    if not start.startswith(b"PK\x03\x04"):
        raise RuntimeError(_what_it_is(start))


def _what_it_is(start: bytes) -> str:
    again = "load it with torch and save it again with torch.save, which writes the zip format since torch 1.6"
    if start.startswith(_LEGACY_START):
        return f"the file is in torch's legacy (non-zip) format, which minitorch does not read; {again}"
    if start[257:262] == b"ustar":
        return f"the file is in torch's old tar format (before 0.1.10), which minitorch does not read; {again}"
    if start[:1] == b"\x80" and start[1:2] <= b"\x05":
        return "the file is a bare pickle, not an archive written by torch.save"
    return f"the file is not an archive written by torch.save: it starts with {start[:8]!r}, not b'PK\\x03\\x04'"
