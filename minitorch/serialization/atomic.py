"""Replacing a file so that there is, at any moment, either the old one or the new one: never half of one.

The new content goes into a *partial* file in the same folder, is brought to the disk, and takes the old file's
place in one step. A process that is killed leaves its partial file behind, which bears an unmistakable suffix;
the next save to the same path removes it. It knows that the writer is dead by the lock: the system takes it
from a dead process.
"""

from __future__ import annotations

import contextlib
import glob
import importlib
import os
import secrets
from collections.abc import Iterator
from typing import Any, BinaryIO

SUFFIX = ".minitorch-partial"

try:
    _locks: Any = importlib.import_module("fcntl")
except ImportError:  # Windows: partial files of killed processes then stay until the user removes them
    _locks = None


@contextlib.contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """A file to write to, which becomes ``path`` when the block ends, and vanishes if the block fails.

    A link is followed, and the permissions of a file that is replaced are kept. What is no regular file (a
    device, a pipe) is written to directly.
    Raises: RuntimeError if the folder does not exist; OSError where the system refuses.
    """
    target = os.path.realpath(path)
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {os.path.dirname(path)} does not exist.")
    if os.path.exists(target) and not os.path.isfile(target):
        with open(target, "wb") as direct:
            yield direct
        return
    remove_partial_files(target)
    partial, file = _open_partial(target)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if _locks is not None:
                os.replace(partial, target)  # while the lock is still held
        if _locks is None:
            os.replace(partial, target)  # Windows does not rename open files
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)
        raise
    _sync_folder(folder)


def _open_partial(target: str) -> tuple[str, BinaryIO]:
    """Make and lock a partial file of a name that nobody else uses."""
    while True:
        partial = f"{target}.{secrets.token_hex(4)}{SUFFIX}"
        file = os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666), "wb")
        if not _lock(file):
            file.close()
            continue
        if os.path.exists(partial):  # else another process took it for a dead one's before it was locked
            if os.path.isfile(target):
                os.chmod(partial, os.stat(target).st_mode & 0o777)
            return partial, file
        file.close()


def _lock(file: BinaryIO) -> bool:
    """Lock the file for this process; False if another one holds it (or on systems without locks: True)."""
    if _locks is None:
        return True
    try:
        _locks.flock(file.fileno(), _locks.LOCK_EX | _locks.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def remove_partial_files(target: str) -> None:
    """Remove what killed processes left of their attempts to write ``target``."""
    if _locks is None:
        return
    for partial in glob.glob(f"{glob.escape(target)}.????????{SUFFIX}"):
        with contextlib.suppress(OSError), open(partial, "rb") as file:
            _locks.flock(file.fileno(), _locks.LOCK_EX | _locks.LOCK_NB)
            os.unlink(partial)


def _sync_folder(folder: str) -> None:
    """Bring the new name to the disk, where the system can (POSIX)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
