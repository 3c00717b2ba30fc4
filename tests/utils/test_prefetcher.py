"""``DevicePrefetcher``, and batches in pinned memory."""

from __future__ import annotations

import gc
from collections import OrderedDict, namedtuple
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
import torch as oracle

import minitorch as torch
from minitorch import nn
from minitorch.backend import accelerator
from minitorch.utils.data import DataLoader, DevicePrefetcher, IterableDataset, TensorDataset
from minitorch.utils.data.nested import changed, pin_memory, tensors_in
from tests.harness.fake_cupy import Event as FakeEvent
from tests.harness.fake_cupy import Stream as FakeStream


class Pair(NamedTuple):
    images: Any
    labels: Any


class Batch:
    """A caller's own type, with the methods that loaders and prefetchers look for."""

    def __init__(self, values: Any, name: str = "batch") -> None:
        self.values, self.name = values, name

    def pin_memory(self) -> Batch:
        return Batch(self.values.pin_memory(), self.name)

    def to(self, device: Any, non_blocking: bool = False) -> Batch:
        return Batch(self.values.to(device, non_blocking=non_blocking), self.name)


def loader_of(count: int, batch_size: int = 4, **options: Any) -> DataLoader[Any]:
    x = torch.arange(count * 3.0).reshape(count, 3)
    return DataLoader(TensorDataset(x, torch.arange(count)), batch_size=batch_size, **options)


def nested() -> dict[str, Any]:
    return {
        "pair": Pair(torch.ones(2), [torch.zeros(3), "text", b"bytes", 5, None]),
        "tuple": (torch.full((1,), 2.0), ()),
        "own": Batch(torch.arange(3)),
        "range": range(3),
    }


# -------------------------------------------------------------------------------------------------- pinned batches


def test_batches_are_pinned(gpu: Any) -> None:
    batches = list(loader_of(10, pin_memory=True))
    assert all(tensor.is_pinned() for tensor in tensors_in(batches))
    for (x, y), (expected_x, expected_y) in zip(batches, loader_of(10)):
        assert torch.equal(x, expected_x)
        assert torch.equal(y, expected_y)
        assert not expected_x.is_pinned()


def test_batches_of_workers_are_pinned(gpu: Any) -> None:
    loader = loader_of(10, pin_memory=True, num_workers=2, multiprocessing_context="spawn")
    batches = list(loader)
    assert [len(x) for x, _ in batches] == [4, 4, 2]
    assert all(tensor.is_pinned() for tensor in tensors_in(batches))
    assert torch.cat([y for _, y in batches]).tolist() == list(range(10))


def test_all_kinds_of_batches_are_pinned(gpu: Any) -> None:
    batch = nested()
    pinned = pin_memory(batch)
    assert all(tensor.is_pinned() for tensor in tensors_in(pinned))
    assert len(list(tensors_in(pinned))) == 4
    assert pinned["own"].values.is_pinned()
    assert type(pinned["pair"]) is Pair
    assert pinned["pair"].labels[1:] == ["text", b"bytes", 5, None]
    assert pinned["range"] == [0, 1, 2]
    assert not batch["pair"].images.is_pinned()


@pytest.mark.parametrize("package", [torch, oracle])
def test_containers_as_in_torch(package: Any) -> None:
    """What becomes of containers, with numbers in a tensor's place; torch's function is the judge."""

    class Leaf:
        def pin_memory(self) -> str:
            return "pinned"

    class Many(list):  # type: ignore[type-arg]
        note = "kept"

    fields = namedtuple("fields", "a b")
    with_note = Many([Leaf(), 1])
    with_note.note = "changed"
    batches = [
        Leaf(),
        [Leaf(), 1],
        (Leaf(), (2, Leaf())),
        fields(Leaf(), 3),
        {"a": Leaf(), "b": [Leaf()]},
        OrderedDict(b=Leaf(), a=1),
        MappingProxyType({"a": Leaf()}),
        with_note,
        "text",
        b"bytes",
        range(2),
        5,
        None,
        {1, 2},
    ]
    for batch in batches:
        pinned = pin_memory(batch) if package is torch else oracle.utils.data._utils.pin_memory.pin_memory(batch)
        expected = changed(batch, lambda leaf: "pinned", lambda part: isinstance(part, Leaf))
        assert type(pinned) is type(expected)
        assert pinned == expected
        assert getattr(pinned, "note", None) == getattr(batch, "note", None)


def test_a_stream_of_samples_is_pinned(gpu: Any) -> None:
    class Numbers(IterableDataset[Any]):
        def __iter__(self) -> Iterator[Any]:
            return iter([torch.tensor(1.0), torch.tensor(2.0), torch.tensor(3.0)])

    assert all(x.is_pinned() for x in DataLoader(Numbers(), batch_size=None, pin_memory=True))
    assert [x.tolist() for x in DataLoader(Numbers(), batch_size=2, pin_memory=True)] == [[1, 2], [3]]


# ----------------------------------------------------------------------------------------------------- prefetching


@pytest.mark.parametrize("pinned", [False, True])
def test_batches_come_in_order_and_on_the_gpu(gpu: Any, pinned: bool) -> None:
    batches = DevicePrefetcher(loader_of(22, pin_memory=pinned), "cuda")
    for _ in range(2):  # each pass is a new one
        found = list(batches)
        assert len(batches) == len(found) == 6
        for (x, y), (expected_x, expected_y) in zip(found, loader_of(22)):
            assert x.device == y.device == torch.device("cuda:0")
            assert torch.equal(x.cpu(), expected_x)
            assert torch.equal(y.cpu(), expected_y)


@pytest.mark.parametrize("device", ["cuda", "cuda:0", torch.device("cuda"), 0])
def test_devices(gpu: Any, device: Any) -> None:
    prefetcher = DevicePrefetcher([torch.ones(2)], device)
    assert prefetcher.device == torch.device("cuda:0")
    assert next(iter(prefetcher)).device == torch.device("cuda:0")


def test_a_gpu_that_is_not_there(gpu: Any) -> None:
    with pytest.raises(AssertionError, match="Invalid device id"):
        DevicePrefetcher([], "cuda:77")


def test_nested_batches(gpu: Any) -> None:
    (moved,) = DevicePrefetcher([nested()], "cuda")
    assert all(tensor.is_cuda for tensor in tensors_in(moved))
    assert len(list(tensors_in(moved))) == 4
    assert type(moved["pair"]) is Pair
    assert moved["own"].name == "batch"
    assert moved["own"].values.tolist() == [0, 1, 2]
    assert moved["pair"].labels[1:] == ["text", b"bytes", 5, None]


def test_packed_sequences(gpu: Any) -> None:
    packed = nn.utils.rnn.pack_sequence([torch.arange(3.0), torch.arange(2.0), torch.arange(4.0)], enforce_sorted=False)
    assert not packed.is_pinned()
    pinned = pin_memory([packed])[0]
    assert pinned.is_pinned()
    assert isinstance(pinned, nn.utils.rnn.PackedSequence)
    assert all(field.is_pinned() for field in pinned)
    for moved in (*DevicePrefetcher([pinned], "cuda"), pinned.cuda(non_blocking=True)):
        assert moved.data.is_cuda
        assert not moved.batch_sizes.is_cuda
        assert torch.equal(moved.data.cpu(), packed.data)


def test_on_the_cpu_batches_are_handed_on() -> None:
    batches = [object(), torch.ones(2)]
    prefetcher = DevicePrefetcher(batches, "cpu")
    assert len(prefetcher) == 2
    for _ in range(2):
        assert all(found is batch for found, batch in zip(prefetcher, batches, strict=True))
    assert [x.tolist() for _, x in DevicePrefetcher(loader_of(5), torch.device("cpu"))] == [[0, 1, 2, 3], [4]]


def test_without_a_gpu_there_is_none(no_gpu: None) -> None:
    with pytest.raises(RuntimeError, match="CUDA"):
        DevicePrefetcher([], "cuda")


def test_nothing_to_fetch(gpu: Any) -> None:
    assert list(DevicePrefetcher([], "cuda")) == []
    with pytest.raises(TypeError):
        len(DevicePrefetcher(iter([]), "cuda"))


class Broken:
    """Batches, and then an error."""

    def __init__(self, good: int, error: BaseException) -> None:
        self.good, self.error, self.asked = good, error, 0

    def __iter__(self) -> Iterator[Any]:
        for number in range(self.good):
            self.asked += 1
            yield torch.full((2,), float(number))
        raise self.error


@pytest.mark.parametrize("good", [0, 1, 3])
def test_errors_come_when_their_batch_would_have_come(gpu: Any, good: int) -> None:
    error = ValueError("a file is missing")
    found = []
    with pytest.raises(ValueError, match="a file is missing") as caught:
        found.extend(_collect(DevicePrefetcher(Broken(good, error), "cuda"), found))
    assert caught.value is error
    assert [x.tolist() for x in found] == [[number] * 2 for number in range(good)]


def _collect(batches: Any, found: list[Any]) -> list[Any]:
    for batch in batches:
        found.append(batch)
    return []


def test_an_interrupt_comes_at_once(gpu: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        next(iter(DevicePrefetcher(Broken(1, KeyboardInterrupt()), "cuda")))


def test_errors_of_copies_come_too(gpu: Any) -> None:
    class Unmovable:
        def to(self, device: Any, non_blocking: bool) -> Any:
            raise RuntimeError("too large")

    batches = iter(DevicePrefetcher([torch.ones(1), Unmovable()], "cuda"))
    assert next(batches).tolist() == [1]
    with pytest.raises(RuntimeError, match="too large"):
        next(batches)
    assert torch.cuda.current_stream() == torch.cuda.default_stream()


def test_one_batch_ahead_and_no_more(gpu: Any) -> None:
    loader = Broken(5, ValueError())
    batches = iter(DevicePrefetcher(loader, "cuda"))
    assert loader.asked == 0
    next(batches)
    assert loader.asked == 2
    next(batches)
    assert loader.asked == 3


def test_a_loop_may_be_left(gpu: Any) -> None:
    prefetcher = DevicePrefetcher(loader_of(40, pin_memory=True), "cuda")
    for number, (_, y) in enumerate(prefetcher):
        if number == 2:
            assert y.tolist() == [8, 9, 10, 11]
            break
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
    for _, y in prefetcher:
        assert y.tolist() == [0, 1, 2, 3]
        break


def test_workers_may_be_left(gpu: Any) -> None:
    loader = loader_of(40, num_workers=1, multiprocessing_context="spawn", persistent_workers=True)
    for _ in range(2):
        for _, y in DevicePrefetcher(loader, "cuda"):
            assert y.tolist() == [0, 1, 2, 3]
            break
    assert [len(y) for _, y in DevicePrefetcher(loader, "cuda")] == [4] * 10


def test_batches_for_another_stream(gpu: Any) -> None:
    """Whichever stream is current when a batch is handed out is the one that may use it."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        totals = [x.sum() for x, _ in DevicePrefetcher(loader_of(20, pin_memory=True), "cuda")]
    stream.synchronize()
    assert [total.item() for total in totals] == [x.sum().item() for x, _ in loader_of(20)]


def test_a_loader_that_is_on_the_gpu_already(gpu: Any) -> None:
    batches = [torch.ones(3, device="cuda") * number for number in range(4)]
    assert [x.tolist() for x in DevicePrefetcher(batches, "cuda")] == [[number] * 3 for number in range(4)]


def test_the_order_of_streams(emulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the stand-in everything is done at once, so that the order is read from what is asked of CuPy."""
    gc.collect()  # tracebacks of other tests hold batches
    accelerator.memory().in_flight.wait()
    log: list[tuple[str, Any]] = []
    asarray, cupy = accelerator.require().asarray, accelerator.require()
    current = cupy.cuda.get_current_stream

    def upload(array: Any, **options: Any) -> Any:
        log.append(("copy", current().ptr))
        return asarray(array, **options)

    def record(event: Any, stream: Any = None) -> None:
        log.append(("record", (stream or current()).ptr))
        event.recorded_on = (stream or current()).ptr

    def wait(stream: Any, event: Any) -> None:
        log.append(("wait", (stream.ptr, event.recorded_on)))

    monkeypatch.setattr(cupy, "asarray", upload, raising=False)
    monkeypatch.setattr(FakeEvent, "record", record)
    monkeypatch.setattr(FakeStream, "wait_event", wait)
    for _ in DevicePrefetcher([torch.ones(2), torch.ones(3)], "cuda"):
        log.append(("compute", current().ptr))
    side = log[0][1]
    assert side != 0
    assert [entry for entry in log if entry[0] != "record" or entry[1] == side] == [  # others: for memory that is freed
        *[("copy", side), ("record", side)],
        *[("wait", (0, side)), ("copy", side), ("record", side), ("compute", 0)],
        *[("wait", (0, side)), ("compute", 0)],
    ]


def test_memory_is_kept_for_the_stream_that_computes(emulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()  # tracebacks of other tests hold batches
    in_flight = accelerator.memory().in_flight
    in_flight.wait()
    assert not in_flight
    batches = iter(DevicePrefetcher([(torch.ones(2), torch.ones(3)), torch.ones(4)], "cuda"))
    monkeypatch.setattr(FakeEvent, "done", False)
    first = next(batches)
    assert {tuple(each.streams) for each in in_flight.shared.values()} == {(0,)}
    assert len(in_flight.shared) == 2
    del first
    next(batches)
    in_flight.release(all_blocks=True)
    assert len(in_flight.waiting[0, 0]) >= 2  # the two tensors, until the default stream is where it is now
    monkeypatch.setattr(FakeEvent, "done", True)
    batches.close()  # type: ignore[attr-defined]
    in_flight.wait()
    assert not in_flight


def test_training_is_the_same(gpu: Any) -> None:
    """The losses of a small network, with plain copies and with the prefetcher."""

    def losses(prefetch: bool) -> list[float]:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1)).to("cuda")
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
        loader = loader_of(64, batch_size=8, pin_memory=prefetch, shuffle=True)
        found = []
        for _ in range(3):
            for x, y in DevicePrefetcher(loader, "cuda") if prefetch else loader:
                loss = nn.functional.mse_loss(model(x.to("cuda")).squeeze(1), y.to("cuda").float())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                found.append(loss.detach())
        return [loss.item() for loss in found]

    assert losses(True) == losses(False)


@pytest.mark.cuda
def test_every_batch_is_right_when_the_gpu_is_busy() -> None:
    """Large batches and long work: a copy that came too early, or memory that was filled too early, would show."""
    busy = torch.ones(2048, 2048, device="cuda")
    batches = [torch.full((1 << 22,), float(number), pin_memory=True) for number in range(4)]

    class Repeated:
        def __iter__(self) -> Iterator[Any]:
            return (batches[number % 4].clone().pin_memory() for number in range(40))

    found = []
    for x in DevicePrefetcher(Repeated(), "cuda"):
        for _ in range(10):
            busy = torch.matmul(busy, busy) / 2048
        found.append(torch.stack([x.min(), x.max()]))
    assert torch.stack(found).tolist() == [[float(number % 4)] * 2 for number in range(40)]
