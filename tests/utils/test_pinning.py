"""Pinning batches of workers ahead, in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import minitorch as torch
from minitorch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info
from minitorch.utils.data.pinning import PinAhead


class Sample:
    """Says which thread has pinned it."""

    def __init__(self, number: int) -> None:
        self.number, self.thread = number, ""

    def pin_memory(self) -> Sample:
        self.thread = threading.current_thread().name
        return self


def first(samples: list[Any]) -> Any:
    """The collation of these tests: no batches at all."""
    return samples[0]


class Numbers(Dataset[Any]):
    def __init__(self, count: int, broken: int = -1) -> None:
        self.count, self.broken = count, broken

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        if index == self.broken:
            raise ValueError("a sample is missing")
        return Sample(index)


class Counting(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        info = get_worker_info()
        assert info is not None
        return (torch.tensor(number) for number in range(info.id, 7, info.num_workers))


def loader(dataset: Any, **options: Any) -> DataLoader[Any]:
    options = {"num_workers": 2, "multiprocessing_context": "spawn", "collate_fn": first, **options}
    return DataLoader(dataset, batch_size=1, pin_memory=True, **options)


def test_a_thread_pins_and_order_stays(gpu: Any) -> None:
    kept = loader(Numbers(9), persistent_workers=True)
    for _ in range(2):
        samples = list(kept)
        assert [sample.number for sample in samples] == list(range(9))
        assert {sample.thread for sample in samples} == {"minitorch-pin_0"}


def test_without_workers_the_caller_pins(gpu: Any) -> None:
    samples = list(loader(Numbers(3), num_workers=0, multiprocessing_context=None))
    assert {sample.thread for sample in samples} == {threading.current_thread().name}


def test_without_a_gpu_nobody_pins(no_gpu: None) -> None:
    with pytest.warns(UserWarning, match="no accelerator is found"):
        samples = list(loader(Numbers(3)))
    assert [sample.thread for sample in samples] == ["", "", ""]


def test_an_epoch_that_was_left_is_forgotten(gpu: Any) -> None:
    kept = loader(Numbers(9), persistent_workers=True)
    for sample in kept:
        if sample.number == 2:
            break
    assert [sample.number for sample in kept] == list(range(9))


def test_errors_of_workers_come_in_their_turn(gpu: Any) -> None:
    found = []
    with pytest.raises(ValueError, match="a sample is missing"):
        found.extend(sample.number for sample in loader(Numbers(9, broken=4)))
    assert found == [0, 1, 2, 3]


def test_streams_of_samples(gpu: Any) -> None:
    batches = list(loader(Counting()))
    assert sorted(batch.item() for batch in batches) == list(range(7))
    assert all(batch.is_pinned() for batch in batches)


# -------------------------------------------------------------------------------------------- the thread by itself


class Slow:
    """Takes a while to be pinned."""

    def __init__(self, number: int, log: list[Any]) -> None:
        self.number, self.log = number, log

    def pin_memory(self) -> int:
        time.sleep(0.02)
        self.log.append(("pinned", self.number))
        return self.number


def fetch_from(items: Iterator[Any], log: list[Any]) -> Callable[[], Any]:
    def fetch() -> Any:
        item = next(items)
        log.append(("fetched", item.number, threading.current_thread().name))
        return item

    return fetch


@pytest.mark.parametrize("is_ready", [True, False])
def test_one_ahead_if_it_is_ready(is_ready: bool) -> None:
    log: list[Any] = []
    ahead, fetch = PinAhead(), fetch_from(iter([Slow(number, log) for number in range(3)]), log)
    here = threading.current_thread().name
    assert ahead.next(fetch, lambda: is_ready) == 0
    fetched = [entry[1] for entry in log if entry[0] == "fetched"]
    assert fetched == ([0, 1] if is_ready else [0])
    assert ahead.next(fetch, lambda: is_ready) == 1
    assert ahead.next(fetch, lambda: is_ready) == 2
    with pytest.raises(StopIteration):
        ahead.next(fetch, lambda: is_ready)
    assert {entry[2] for entry in log if entry[0] == "fetched"} == {here}
    assert [entry[1] for entry in log if entry[0] == "pinned"] == [0, 1, 2]


def test_errors_while_pinning() -> None:
    class Unpinnable:
        def pin_memory(self) -> Any:
            raise RuntimeError("no memory")

    ahead, items = PinAhead(), iter([5, Unpinnable(), 6])
    assert ahead.next(lambda: next(items), lambda: True) == 5
    with pytest.raises(RuntimeError, match="no memory"):
        ahead.next(lambda: next(items), lambda: True)
    assert ahead.next(lambda: next(items), lambda: False) == 6


def test_the_thread_ends_with_its_owner() -> None:
    ahead = PinAhead()
    assert ahead.next(lambda: 1, lambda: False) == 1
    (thread,) = ahead._executor._threads
    del ahead
    thread.join(5)
    assert not thread.is_alive()
