"""``save``: an object into a file of torch's zip format."""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

from minitorch.backend import to_numpy
from minitorch.serialization.atomic import replacing
from minitorch.serialization.pickler import SavedStorage, dumps
from minitorch.serialization.writer import ALIGNMENT, ArchiveWriter


def save(
    obj: object,
    f: Any,
    pickle_module: Any = pickle,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write ``obj`` to a file that ``load`` reads, here and in torch.

    Tensors that share memory still share it after loading. Attributes that were set on a tensor, hooks and
    gradients are not saved. Modules can be saved whole, but such a file is bound to the module's code and runs
    it when loaded (``load(…, weights_only=False)``): save ``module.state_dict()`` instead.

    A path is replaced in one step: whatever happens meanwhile, it names the old file or the new one.

    Args:
        obj: tensors, numbers, strings, containers of them, or anything that can be pickled.
        f: a path, or an object with ``write`` for bytes.
        pickle_module: the module whose pickler is used; it must be written in Python, as ``dill`` is.
        pickle_protocol: of the pickle; torch loads 2.
    Raises: RuntimeError if the folder does not exist, for two tensors that show the same memory as different
    types, and for torch's legacy format (``_use_new_zipfile_serialization=False``); AttributeError if ``f`` is
    neither a path nor a file; PicklingError and its like for what cannot be pickled (the file is then untouched).

    >>> import io
    >>> import minitorch as torch
    >>> file = io.BytesIO()
    >>> torch.save({"weight": torch.ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> torch.load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    if not _use_new_zipfile_serialization:
        raise RuntimeError("save: minitorch writes torch's zip format only, not the legacy one")
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    program, storages = dumps(obj, pickle_module, pickle_protocol)
    if not isinstance(f, (str, os.PathLike)):
        _write(f, "archive", program, storages, not _disable_byteorder_record)
        return
    path = os.fspath(f)
    with replacing(path) as file:
        _write(file, _folder_name(path), program, storages, not _disable_byteorder_record)


def _folder_name(path: str) -> str:
    """The folder within the archive is named after the file, where that is possible."""
    name = os.path.splitext(os.path.basename(path))[0]
    return name if path.isascii() and not name.startswith(".") else "archive"


def _write(file: Any, folder: str, program: bytes, storages: list[SavedStorage], with_byteorder: bool) -> None:
    archive = ArchiveWriter(file, folder)
    archive.write_record("data.pkl", program)
    archive.write_record(".format_version", b"1")
    archive.write_record(".storage_alignment", str(ALIGNMENT).encode())
    if with_byteorder:
        archive.write_record("byteorder", sys.byteorder.encode())
    for storage in storages:
        archive.write_record(f"data/{storage.key}", to_numpy(storage.flat).view("uint8"))
    archive.finish()
    if hasattr(file, "flush"):
        file.flush()
