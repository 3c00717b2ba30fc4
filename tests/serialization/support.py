"""Files in memory, hand-made archives, and equality of what was loaded, here or in torch."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import minitorch
from minitorch.serialization.writer import ArchiveWriter

CLEAN_ERRORS = (RuntimeError, pickle.UnpicklingError, EOFError)


def saved(value: Any, by: Any = minitorch, **options: Any) -> bytes:
    """The file that ``by`` (minitorch or torch) makes of ``value``."""
    file = io.BytesIO()
    by.save(value, file, **options)
    return file.getvalue()


def loaded(content: bytes, by: Any = minitorch, **options: Any) -> Any:
    """What ``by`` makes of a file."""
    return by.load(io.BytesIO(content), **options)


def round_trips(make: Callable[[Any], Any]) -> dict[str, tuple[Any, Any]]:
    """``make(library)`` through each pair of writer and reader, next to what torch alone makes of it."""
    expected = loaded(saved(make(torch), torch), torch)
    return {
        "ours in torch": (loaded(saved(make(minitorch)), torch), expected),
        "torch's in ours": (loaded(saved(make(torch), torch)), expected),
        "ours in ours": (loaded(saved(make(minitorch))), expected),
    }


def archive(program: bytes, records: dict[str, bytes] | None = None, **other: bytes) -> bytes:
    """A torch file with this pickle and these storages, whatever sense they make."""
    file = io.BytesIO()
    writer = ArchiveWriter(file, "archive")
    writer.write_record("data.pkl", program)
    for name, content in (records or {}).items():
        writer.write_record(f"data/{name}", content)
    for name, content in other.items():
        writer.write_record(name, content)
    writer.finish()
    return file.getvalue()


def assert_same(actual: Any, expected: Any) -> None:
    """Equal in structure, types (tensors of either library count as one type) and every value."""
    if isinstance(expected, (torch.Tensor, minitorch.Tensor)):
        assert type(actual).__name__ == type(expected).__name__
        assert str(actual.dtype) == str(expected.dtype)
        assert tuple(actual.shape) == tuple(expected.shape)
        assert tuple(actual.stride()) == tuple(expected.stride())
        assert actual.storage_offset() == expected.storage_offset()
        assert actual.requires_grad == expected.requires_grad
        np.testing.assert_array_equal(actual.detach().numpy(), expected.detach().numpy())
    elif isinstance(expected, dict):
        assert type(actual) is type(expected)
        assert list(actual) == list(expected)
        for key, value in expected.items():
            assert_same(actual[key], value)
        assert_same(getattr(actual, "__dict__", None), getattr(expected, "__dict__", None))
    elif isinstance(expected, (list, tuple)) and not hasattr(expected, "numel"):
        assert type(actual) is type(expected)
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected):
            assert_same(one, other)
    else:
        assert type(actual).__name__ == type(expected).__name__
        assert repr(actual) == repr(expected)
