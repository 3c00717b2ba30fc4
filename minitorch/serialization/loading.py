"""``load``: the object in a file of torch's zip format, made without running any of the file's code."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import sys
import warnings
from typing import Any, BinaryIO

from minitorch.backend import host
from minitorch.device import device
from minitorch.serialization import allowed, names, rebuild, safetensors, unpickler
from minitorch.serialization.archive import Archive, check_is_archive, mapped
from minitorch.serialization.storage import Restore, Storage, restorer

_UNSAFE = (
    "Re-running `torch.load` with `weights_only` set to `False` will likely succeed, but it can result in arbitrary "
    "code execution. Do it only if you got the file from a trusted source."
)


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = True,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """The object that ``save``, here or in torch, wrote to ``f``.

    By default no code is run: a file may hold tensors, parameters, numbers, strings and containers of them, and
    what was listed with ``serialization.add_safe_globals``. Tensors that shared memory share it again. A path
    that ends in ``.safetensors`` is read as such.

    Args:
        f: a path, or a file of bytes that can be sought in.
        map_location: where tensors go that were saved from elsewhere: a device, a dictionary from saved
            locations to others, or a function of storage and location. Default: back to where they were.
        pickle_module: with ``weights_only=False``: the module whose unpickler is used.
        weights_only: False runs whatever code the file names: only for files that you trust.
        mmap: read tensors from the disk when they are used; needs a path. Changes are not written back.
        pickle_load_args: with ``weights_only=False``: options of the unpickler, such as ``encoding``.
    Raises: UnpicklingError for a file that wants to run code; RuntimeError for a damaged file, for one of
    another format (torch's legacy one too), for a device that is not there and for dtypes that NumPy lacks;
    EOFError for an empty file.

    >>> import io
    >>> import minitorch as torch
    >>> file = io.BytesIO()
    >>> torch.save(torch.nn.Linear(2, 1).state_dict(), file)
    >>> _ = file.seek(0)
    >>> list(torch.load(file, map_location="cpu"))
    ['weight', 'bias']
    """
    is_path = isinstance(f, (str, os.PathLike))
    if weights_only is not False and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if weights_only is not False and pickle_load_args:
        warnings.warn("pickle_load_args only works if `weights_only=False`.", stacklevel=2)
    if mmap and not is_path:
        raise ValueError("f must be a file path in order to use the mmap argument")
    if is_path and os.fspath(f).endswith(".safetensors"):
        return _load_safetensors(os.fspath(f), map_location)
    with open(f, "rb") if is_path else _borrowed(f) as file:
        check_is_archive(file)
        reader = _Reader(Archive(file), restorer(map_location), bool(mmap))
        program = reader.archive.read("data.pkl")
        if weights_only is not False:
            return _load_weights(program, reader)
        return _load_trusted(program, reader, pickle_module or pickle, pickle_load_args)


class _borrowed:  # noqa: N801 (used as a function)
    """A file that belongs to the caller, who closes it."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def __enter__(self) -> BinaryIO:
        return self.file

    def __exit__(self, *error: object) -> None:
        """Leave the file open."""


def _load_safetensors(path: str, map_location: Any) -> Any:
    if map_location is not None and not isinstance(map_location, (str, device)):
        kind = "dict" if isinstance(map_location, dict) else "callable"
        raise RuntimeError(
            f"Loading safetensors file with {kind} map_location is not supported. Use a device string or "
            "torch.device instead."
        )
    return safetensors.load_safetensors(path, "cpu" if map_location is None else map_location)


class _Reader:
    """The storages of a file, each read when it is first named."""

    def __init__(self, archive: Archive, restore: Restore, is_mapped: bool) -> None:
        if "constants.pkl" in archive:
            raise RuntimeError("the file is a TorchScript archive (torch.jit.save), which minitorch does not run")
        archive.check_version()
        self.archive = archive
        self.restore = restore
        self.is_swapped = archive.byteorder() != sys.byteorder
        self.pages = archive.map() if is_mapped else None
        self.storages: dict[str, tuple[Storage, Any]] = {}

    def persistent_load(self, identity: Any) -> Storage:
        """The storage that a pickle names: ``('storage', type, key, location, number of elements)``.

        Raises: UnpicklingError for an id of another form; RuntimeError if the record is not as long as it says.
        """
        if type(identity) is not tuple or len(identity) != 5 or identity[0] != "storage":
            raise pickle.UnpicklingError("Only persistent_load of storage is allowed, as a tuple of five")
        _, kind, key, location, numel = identity
        kinds = [type(each) for each in identity[1:]]
        if kinds != [names.StorageType, str, str, int] or numel < 0:
            raise pickle.UnpicklingError("a storage is named by its type, key, location and number of elements")
        if key not in self.storages:
            self.storages[key] = self.restore(self._read(f"data/{key}", kind, numel), location), identity[1:]
        storage, first_identity = self.storages[key]
        if first_identity != identity[1:]:
            raise pickle.UnpicklingError(f"storage {key[:100]!r} is named in two different ways")
        return storage

    def _read(self, record: str, kind: names.StorageType, numel: int) -> Storage:
        dtype, length = kind.dtype.numpy, self.archive.length(record)
        if length != numel * dtype.itemsize:
            raise RuntimeError(
                f"record {record[:100]!r} holds {length} bytes, but {numel} elements of {kind.dtype} need "
                f"{numel * dtype.itemsize}"
            )
        if self.pages is not None:
            array = mapped(self.pages, self.archive.offset(record), numel, dtype)
        else:
            array = host.empty(numel, dtype)
            self.archive.read_into(record, array.view("uint8").data)
        return Storage(array.byteswap(inplace=True) if self.is_swapped else array)


# ------------------------------------------------------------------------------------------ without running code


def _load_weights(program: bytes, reader: _Reader) -> Any:
    try:
        return unpickler.loads(program, reader.persistent_load)
    except pickle.UnpicklingError as error:
        raise pickle.UnpicklingError(_advice(str(error))) from error.__cause__


def _advice(message: str) -> str:
    """torch's text around the reason why a file was refused."""
    if "was not an allowed global by default" in message:
        return (
            "Weights only load failed. This file can still be loaded, to do so you have two options, do those steps "
            f"only if you trust the source of the checkpoint. \n\t(1) {_UNSAFE}\n\t(2) Alternatively, to load with "
            "`weights_only=True` please check the recommended steps in the following error message.\n\t"
            f"WeightsUnpickler error: {message}"
        )
    return f"Weights only load failed. {_UNSAFE}\n\nWeightsUnpickler error: {message}"


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The names in a file that ``load`` would refuse, found without loading it.

    >>> import io
    >>> import minitorch as torch
    >>> file = io.BytesIO()
    >>> torch.save(torch.nn.Flatten(), file)
    >>> torch.serialization.get_unsafe_globals_in_checkpoint(file)
    ['minitorch.nn.flatten.Flatten']
    """
    with open(f, "rb") if isinstance(f, (str, os.PathLike)) else _borrowed(f) as file:
        program = Archive(file).read("data.pkl")
    found = set()
    for instruction, argument, _ in pickletools.genops(program):
        if instruction.name == "GLOBAL":
            found.add(".".join(allowed.modern_name(*str(argument).split(" ", 1))))
    return sorted(found - allowed.ALLOWED.keys() - allowed.users_globals().keys())


# --------------------------------------------------------------------------------------------- running its code


def _load_trusted(program: bytes, reader: _Reader, pickle_module: Any, options: dict[str, Any]) -> Any:
    class TrustedUnpickler(pickle_module.Unpickler):
        """Imports what the file names, but torch's names from our tables."""

        def persistent_load(self, identity: Any) -> Storage:
            return reader.persistent_load(identity)

        def find_class(self, module: str, name: str) -> Any:
            found = _from_tables(f"{module}.{name}")
            return super().find_class(module, name) if found is None else found

    return TrustedUnpickler(io.BytesIO(program), **{"encoding": "utf-8", **options}).load()


def _from_tables(path: str) -> Any:
    """What one of torch's names means here, None for a name that is not torch's.

    Raises: RuntimeError for a name of torch's that means nothing here.
    """
    if path.partition(".")[0] != "torch":
        return None
    if path in rebuild.BY_NAME or path in allowed.ALLOWED:
        return allowed.ALLOWED[path]
    if path in names.UNSUPPORTED:
        raise RuntimeError(names.UNSUPPORTED[path])
    raise RuntimeError(
        f"the file names {path}, code of torch's own: a whole module of torch cannot be loaded without torch. Save "
        "its state_dict() instead"
    )
