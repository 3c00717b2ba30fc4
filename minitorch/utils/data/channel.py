"""A line between the main process and one worker: whole messages over a Unix socket, open files included.

Every worker has a line of its own, so nothing is shared that a killed worker could leave locked, and its death
shows at once: the line ends.
"""

from __future__ import annotations

import array
import errno
import os
import socket
import struct
from collections.abc import Sequence

_PREFIX = struct.Struct("!QQI")  # length of the head, length of the body, number of files
_MOST_FILES = 253  # the kernel's limit for one message
_CLOSED_IN_PROGRAMS = getattr(socket, "MSG_CMSG_CLOEXEC", 0)  # received files are not for programs started later


class Channel:
    """One end of the line. ``fileno`` lets ``multiprocessing.connection.wait`` wait for it."""

    def __init__(self, end: socket.socket) -> None:
        self.socket = end

    @staticmethod
    def pair() -> tuple[Channel, Channel]:
        """The two ends of a new line."""
        first, second = socket.socketpair()
        return Channel(first), Channel(second)

    def fileno(self) -> int:
        """The socket's file descriptor."""
        return self.socket.fileno()

    def send(self, head: bytes, body: bytes = b"", files: Sequence[int] = ()) -> None:
        """Send a message of two parts and, along with it, open files; waits until the other end has room."""
        prefix = _PREFIX.pack(len(head), len(body), len(files))
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
        sent = self.socket.sendmsg([prefix, head, body], rights)
        for part in (prefix, head, body):
            if sent < len(part):
                self.socket.sendall(memoryview(part)[sent:])
            sent = max(sent - len(part), 0)

    def receive(self) -> tuple[bytearray, bytearray, list[int]]:
        """The next message; waits for it.

        Raises EOFError if the other end is gone, OSError if this process may not open the files that came along.
        """
        space = socket.CMSG_SPACE(_MOST_FILES * array.array("i").itemsize)
        flags = _CLOSED_IN_PROGRAMS | socket.MSG_WAITALL
        prefix, ancillary, found, _ = self.socket.recvmsg(_PREFIX.size, space, flags)
        if len(prefix) < _PREFIX.size:
            raise EOFError("the other end of the line is gone")
        head_length, body_length, file_count = _PREFIX.unpack(prefix)
        files = array.array("i")
        for _, _, data in ancillary:
            files.frombytes(data[: len(data) - len(data) % files.itemsize])
        if found & socket.MSG_CTRUNC or len(files) != file_count:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return self._exactly(head_length), self._exactly(body_length), files.tolist()

    def _exactly(self, length: int) -> bytearray:
        buffer = bytearray(length)
        missing = memoryview(buffer)
        while missing:
            count = self.socket.recv_into(missing)
            if count == 0:
                raise EOFError("the other end of the line is gone")
            missing = missing[count:]
        return buffer

    def close(self) -> None:
        """Close this end."""
        self.socket.close()
