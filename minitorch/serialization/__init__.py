"""Saving and loading: torch's own file format, both ways, and safetensors.

A file is a zip archive: ``data.pkl``, a pickle that describes the object, and one record ``data/<key>`` for the
memory of each storage. Reading order: pickler.py and writer.py (how a file is made), atomic.py (how it takes the
old one's place), archive.py, unpickler.py, allowed.py, constructors.py and rebuild.py (how it is read without
running code), storage.py (where tensors go), saving.py and loading.py (``save`` and ``load``).
"""

from minitorch.serialization.allowed import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    safe_globals,
)
from minitorch.serialization.loading import get_unsafe_globals_in_checkpoint, load
from minitorch.serialization.safetensors import load_safetensors, save_safetensors
from minitorch.serialization.saving import save
from minitorch.serialization.storage import Storage

__all__ = [
    "Storage",
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "load_safetensors",
    "safe_globals",
    "save",
    "save_safetensors",
]
