"""The stand-in for CuPy: it has no name that CuPy has not, and does what tests rely on."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Iterator
from typing import Any

import numpy
import pytest

import minitorch as torch
from tests.harness import fake_cupy
from tests.harness.cupy_names import FUNCTIONS, LINALG_FUNCTIONS
from tests.harness.fake_cupy import OutOfMemoryError, fake, installed


@pytest.fixture
def cupy() -> Iterator[Any]:
    with installed() as module:
        yield module


def names(value: Any) -> set[str]:
    return {name for name in vars(value) if not name.startswith("_")}


def test_every_name_is_one_of_cupy() -> None:
    """Wherever CuPy can be imported, which takes no GPU."""
    real = pytest.importorskip("cupy")
    assert all(hasattr(real, name) for name in FUNCTIONS)
    assert all(hasattr(real.linalg, name) for name in LINALG_FUNCTIONS)
    for path in ("", "cuda", "cuda.runtime", "cuda.memory", "cuda.pinned_memory", "cuda.compiler"):
        ours, theirs = fake, real
        for part in path.split(".") if path else ():
            ours, theirs = getattr(ours, part), getattr(theirs, part)
        found = names(ours) if path else {"RawModule", "ndarray", "get_default_memory_pool", "empty", "empty_like"}
        assert {name for name in found if not hasattr(theirs, name)} == set(), path
    for name in ("Device", "Stream", "Event", "MemoryPool", "Graph"):
        own = {"limit", "held", "names"}  # for tests
        ours, theirs = getattr(fake.cuda, name), getattr(real.cuda, name)
        assert {each for each in names(ours) - own if not hasattr(theirs, each)} == set(), name
    kernel = {name for name in dir(real.RawKernel) if not name.startswith("_")}
    assert "max_dynamic_shared_size_bytes" in kernel
    assert hasattr(real.RawModule, "get_function")


def test_it_passes_for_a_gpu(cupy: Any) -> None:
    assert torch.cuda.is_available()
    assert torch.cuda.device_count() == 1
    x = torch.ones(3, device="cuda")
    assert x.device == torch.device("cuda:0")
    assert (x + 1).tolist() == [2, 2, 2]
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.ones(3, device="cuda:1")
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        cupy.cuda.Device(1)


def test_fresh_memory_is_full_of_nonsense(cupy: Any) -> None:
    assert numpy.isnan(cupy.empty(3, "float32").get()).all()
    assert numpy.isnan(cupy.empty_like(cupy.zeros(3)).get()).all()
    assert cupy.empty(2, "int64").tolist() == [-77, -77]


def test_the_pool_counts_what_arrays_hold(cupy: Any) -> None:
    pool = cupy.get_default_memory_pool()
    before = pool.used_bytes()
    x = cupy.zeros(1000)
    view = x[10:]
    assert pool.used_bytes() == before + 8192
    assert pool.total_bytes() >= before + 8192
    del x
    assert pool.used_bytes() == before + 8192  # the view keeps it
    del view
    assert pool.used_bytes() == before
    assert pool.free_bytes() >= 8192
    pool.free_all_blocks()
    assert pool.free_bytes() == 0


def test_memory_can_run_out(cupy: Any) -> None:
    pool = cupy.get_default_memory_pool()
    pool.set_limit(pool.used_bytes() + 10_000)
    with pytest.raises(torch.OutOfMemoryError, match=r"Tried to allocate 78\.12 KiB"):
        cupy.empty(10_000)
    with pytest.raises(OutOfMemoryError, match="Out of memory allocating 80,000 bytes"):
        pool.malloc(80_000)
    assert cupy.empty(100).size == 100
    pool.set_limit(fraction=0.5)
    assert pool.get_limit() == fake_cupy.MEMORY // 2


def test_streams_and_events(cupy: Any) -> None:
    stream, first, last = cupy.cuda.Stream(non_blocking=True), cupy.cuda.Event(), cupy.cuda.Event()
    assert cupy.cuda.get_current_stream() == cupy.cuda.Stream.null
    with stream:
        assert cupy.cuda.get_current_stream() == stream
        first.record()
        stream.record(last)
    assert cupy.cuda.get_current_stream() == cupy.cuda.Stream.null
    stream.wait_event(first)
    assert cupy.cuda.get_elapsed_time(first, last) >= 0
    with pytest.raises(RuntimeError, match="invalid resource handle"):
        cupy.cuda.get_elapsed_time(first, cupy.cuda.Event())
    cupy.reset_counters()
    for wait in (stream, last, cupy.cuda.Device(), cupy.cuda.Stream.null):
        wait.synchronize()
    assert cupy.synchronizations == 4


def test_every_new_array_is_allocated(cupy: Any) -> None:
    asked: list[int] = []
    before = cupy.cuda.get_allocator()
    cupy.cuda.set_allocator(lambda size: asked.append(size))
    try:
        x = cupy.zeros((10, 10), "float32")
        views = x[2:], x.T, x.reshape(100)
        results = x + 1, x.sum(), cupy.tile(x, 3)
    finally:
        cupy.cuda.set_allocator(before)
    assert asked == [400, 400, 4, 1200]
    assert len(views) == len(results)


def test_arrays_on_the_same_memory_hold_it_together(cupy: Any) -> None:
    x = cupy.zeros(4)
    view, memory = x[1:], x.data.mem
    assert view.data.mem is memory
    assert cupy.zeros(4).data.mem is not memory
    gone = weakref.ref(memory)
    del x, memory
    assert gone() is view.data.mem
    del view
    assert gone() is None


def test_pinned_memory(cupy: Any) -> None:
    pinned = numpy.frombuffer(cupy.cuda.alloc_pinned_memory(12), "float32", 3)
    x = cupy.arange(3, dtype="float32")
    assert cupy.cuda.pinned_memory.is_memory_pinned(pinned[1:].ctypes.data)
    assert not cupy.cuda.pinned_memory.is_memory_pinned(numpy.zeros(3).ctypes.data)
    x.get(out=pinned, blocking=False)
    assert pinned.tolist() == [0, 1, 2]
    for out in (None, numpy.zeros(3, "float32")):
        with pytest.raises(ValueError, match="needs pinned memory"):
            x.get(out=out, blocking=False)
    with pytest.raises(ValueError, match="no gaps"):
        x.get(out=numpy.zeros(6, "float32")[::2])


def test_signatures_of_what_is_called_by_keyword() -> None:
    assert list(inspect.signature(fake_cupy.Stream).parameters) == ["null", "non_blocking", "ptds", "priority"]
    assert list(inspect.signature(fake.asarray).parameters) == ["value", "dtype", "order", "copy", "blocking"]
    assert list(inspect.signature(fake.ndarray.get).parameters) == ["self", "stream", "order", "out", "blocking"]
    assert list(inspect.signature(fake_cupy.Event).parameters) == ["block", "disable_timing", "interprocess"]
