"""Writing the zip archive that a torch file is, byte for byte as torch does.

Each record is a header, its bytes as they are, and a descriptor with checksum and length; the directory of all
records comes last. The bytes begin at a multiple of 64, so that a file can be mapped into memory and used in
place: the header is filled up with an extra field ("FB", length, Z Z Z …) that readers skip. What is too large
for 32 bits goes into 64-bit fields (zip64).

Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT and torch's caffe2/serialize/inline_container.cc
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

ALIGNMENT = 64
_ELSEWHERE = 0xFFFFFFFF  # in a field of 32 bits: the number stands in one of 64
LIMIT_32 = _ELSEWHERE  # from here on numbers do
_UTF8, _HAS_DESCRIPTOR = 0x0800, 0x0008
_CHUNK = 1 << 24


class _Entry(NamedTuple):
    """A record that has been written."""

    name: bytes
    flags: int
    checksum: int
    size: int
    offset: int


class ArchiveWriter:
    """Writes records one after another to anything that has ``write``.

    Args: root: the folder that all names of records begin with.
    """

    def __init__(self, file: Any, root: str) -> None:
        self.file = file
        self.root = root
        self.position = 0
        self.entries: list[_Entry] = []

    def write_record(self, name: str, content: Any) -> None:
        """Write one record; ``content`` is bytes or anything else that is plain memory."""
        memory = memoryview(content).cast("B") if len(content) else memoryview(b"")
        full_name, offset = f"{self.root}/{name}".encode(), self.position
        flags = _UTF8 | (_HAS_DESCRIPTOR if len(memory) else 0)
        extra = _padding(offset, len(full_name), len(memory))
        self._write(struct.pack("<4s5HIIIHH", b"PK\3\4", 0, flags, 0, 0, 0, 0, 0, 0, len(full_name), len(extra)))
        self._write(full_name + extra)
        checksum = 0
        for start in range(0, len(memory), _CHUNK):
            checksum = zlib.crc32(memory[start : start + _CHUNK], checksum)
            self._write(memory[start : start + _CHUNK])
        if len(memory):
            is_long = max(len(memory), offset) >= LIMIT_32
            self._write(struct.pack("<4sIQQ" if is_long else "<4s3I", b"PK\7\10", checksum, *[len(memory)] * 2))
        self.entries.append(_Entry(full_name, flags, checksum, len(memory), offset))

    def finish(self) -> None:
        """Write what torch puts last (version, an identity made of names and checksums) and the directory."""
        self.write_record("version", b"3\n")
        identity = [zlib.crc32(repr([entry[:1] for entry in self.entries]).encode())]
        identity.append(zlib.crc32(repr([entry.checksum for entry in self.entries]).encode()))
        self.write_record(".data/serialization_id", "".join([f"{each:020d}" for each in identity]).encode())
        start = self.position
        for entry in self.entries:
            self._write(_directory_entry(entry))
        self._write(_end(len(self.entries), self.position - start, start))

    def _write(self, content: Any) -> None:
        """Write all of ``content``: an unbuffered file may take only a part at a time."""
        self.position += len(content)
        written = self.file.write(content)
        while isinstance(written, int) and 0 < written < len(content):
            content = content[written:]
            written = self.file.write(content)


def _padding(offset: int, name_length: int, size: int) -> bytes:
    """The extra fields of a record's header that bring its bytes to a multiple of ``ALIGNMENT``."""
    extra = b""
    if size >= LIMIT_32 or offset >= LIMIT_32:
        fields = ([size, size] if size >= LIMIT_32 else []) + ([offset] if offset >= LIMIT_32 else [])
        extra = struct.pack(f"<HH{len(fields)}Q", 1, 8 * len(fields), *fields)
    start = offset + 30 + name_length + len(extra) + 4
    room = -start % ALIGNMENT
    return extra + struct.pack("<2sH", b"FB", room) + b"Z" * room


def _directory_entry(entry: _Entry) -> bytes:
    """The directory's line on one record; numbers that need 64 bits stand in an extra field."""
    size, offset = _in_32_bits(entry.size), _in_32_bits(entry.offset)
    long = ([entry.size] * 2 if size == _ELSEWHERE else []) + ([entry.offset] if offset == _ELSEWHERE else [])
    extra = struct.pack(f"<HH{len(long)}Q", 1, 8 * len(long), *long) if long else b""
    lengths = (len(entry.name), len(extra), 0)
    header = struct.pack(
        "<4s6HIII5HII", b"PK\1\2", 0, 0, entry.flags, 0, 0, 0, entry.checksum, size, size, *lengths, 0, 0, 0, offset
    )
    return header + entry.name + extra


def _in_32_bits(number: int) -> int:
    return number if number < LIMIT_32 else _ELSEWHERE


def _end(count: int, size: int, start: int) -> bytes:
    """The end of the archive: where the directory is, in 64 bits and again in 32."""
    end64 = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 0x031E, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
    short_count, short = min(count, 0xFFFF), (_in_32_bits(size), _in_32_bits(start))
    return end64 + locator + struct.pack("<4s4HIIH", b"PK\5\6", 0, 0, short_count, short_count, *short, 0)
