"""Memory that is used again is never memory that someone still sees."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy
import pytest

from minitorch.backend import memory, scratch


@pytest.fixture(autouse=True)
def _small_arrays_count_as_large(monkeypatch: Any) -> None:
    monkeypatch.setattr(memory, "_LARGEST_KEPT", 100)
    monkeypatch.setattr(memory, "_large_arrays", memory._LargeArrays())


def address(array: numpy.ndarray) -> int:
    return int(array.ctypes.data)


def test_the_memory_of_a_dead_array_is_used_again() -> None:
    array = memory.empty((10, 20), numpy.float32)
    array[...] = 1
    place = address(array)
    del array
    gc.collect()
    assert address(memory.empty((20, 10), numpy.float32)) == place


def test_a_view_keeps_the_memory() -> None:
    array = memory.empty((10, 20), numpy.float32)
    array[...] = 7
    view = array[3:5].T
    del array
    gc.collect()
    other = memory.empty((10, 20), numpy.float32)
    other[...] = 0
    assert not numpy.shares_memory(view, other)
    assert (view == 7).all()


def test_no_more_is_kept_than_is_allowed(monkeypatch: Any) -> None:
    monkeypatch.setattr(memory, "_MOST_KEPT", 2000)
    arrays = [memory.empty((1000,), numpy.uint8) for _ in range(5)]
    del arrays
    gc.collect()
    assert sum(each.size for each in memory._large_arrays.kept) == 2000


def test_scratch_is_kept_for_its_key_and_its_thread() -> None:
    key = object()
    first = scratch.kept_scratch(key, lambda: numpy.zeros(3))
    assert scratch.kept_scratch(key, lambda: numpy.zeros(3)) is first
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(scratch.kept_scratch(key, lambda: numpy.zeros(3))))
    thread.start()
    thread.join()
    assert found[0] is not first


def test_scratch_that_was_not_used_for_longest_goes_first(monkeypatch: Any) -> None:
    keys = [object() for _ in range(3)]
    monkeypatch.setattr(scratch, "MOST_BYTES", 2000)
    first, second, _ = [scratch.kept_scratch(key, lambda: numpy.zeros(1000, numpy.uint8)) for key in keys]
    assert scratch.kept_scratch(keys[1], lambda: numpy.zeros(1000, numpy.uint8)) is second
    assert scratch.kept_scratch(keys[0], lambda: numpy.zeros(1000, numpy.uint8)) is not first
