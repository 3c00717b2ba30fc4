"""Worker processes: same batches as torch, every way to fail, and nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy
import pytest

import minitorch
from minitorch.utils.data import DataLoader
from tests.harness.both import same
from tests.utils.loader_support import (
    Dice,
    Failing,
    Images,
    Numbers,
    ProcessIds,
    is_gone,
    leftovers,
    shared_memory_files,
    stream,
    wait_until_gone,
)

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    """After every test: no process, no file."""
    files = shared_memory_files()
    yield
    assert leftovers(files) == ([], set())


# ------------------------------------------------------------------------------------------- same as torch

OPTIONS = [
    {"num_workers": 1},
    {"num_workers": 2, "batch_size": 3, "shuffle": True},
    {"num_workers": 3, "batch_size": 2, "drop_last": True, "prefetch_factor": 1},
    {"num_workers": 2, "batch_size": None, "prefetch_factor": 5},
    {"num_workers": 2, "batch_size": 2, "shuffle": True, "persistent_workers": True},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_batches_and_draws_equal_torch(options):
    """The order, the workers' three generators, what get_worker_info says, and the state left behind."""

    def load(torch):
        loader = torch.utils.data.DataLoader(Dice(torch), **options)
        return [list(loader), list(loader), len(loader), torch.rand(1)]

    same(load)


def test_generator_gives_the_seeds():
    def load(torch):
        generator = torch.Generator().manual_seed(5)
        loader = torch.utils.data.DataLoader(Dice(torch), 4, shuffle=True, num_workers=2, generator=generator)
        return [list(loader), torch.rand(1)]

    same(load)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize("num_workers", [1, 3])
def test_streams_equal_torch(shared, batch_size, num_workers):
    def load(torch):
        loader = torch.utils.data.DataLoader(stream(torch, 14, shared), batch_size, num_workers=num_workers)
        return list(loader)

    same(load)


def test_persistent_streams_equal_torch():
    def load(torch):
        loader = torch.utils.data.DataLoader(
            stream(torch, 14), 2, num_workers=2, persistent_workers=True, drop_last=True
        )
        return [list(loader), list(loader)]

    same(load)


def test_worker_init_fn_runs_after_seeding():
    def load(torch):
        def init(worker_id):
            info = torch.utils.data.get_worker_info()
            info.dataset.length = 100 * (worker_id + 1) + float(torch.rand(1))

        class Lengths(Numbers):
            def __getitem__(self, index):
                return self.length

        return list(torch.utils.data.DataLoader(Lengths(4), num_workers=2, worker_init_fn=init))

    same(load)


def test_out_of_order_delivers_everything_and_what_is_ready_first():
    class Slow(Numbers):
        def __getitem__(self, index):
            time.sleep(0.4 if index == 0 else 0)
            return index

    loader = DataLoader(Slow(8), None, num_workers=2, in_order=False, prefetch_factor=2)
    order = list(loader)
    assert sorted(order) == list(range(8))
    assert order[0] == 1


def test_order_survives_slow_workers():
    class Uneven(Numbers):
        def __getitem__(self, index):
            time.sleep(0.05 if index % 2 == 0 else 0)
            return index

    assert list(DataLoader(Uneven(8), None, num_workers=2)) == list(range(8))


def test_spawned_workers():
    # what is spawned must be importable: a dataset of the tests' own module
    loader = DataLoader(Images(4), 2, num_workers=1, multiprocessing_context="spawn")
    assert [(images.mean().item(), labels.tolist()) for images, labels in loader] == [(0.5, [0, 1]), (2.5, [2, 3])]


def test_workers_prepare_no_more_than_they_should():
    touched = []

    class Counting:
        def __iter__(self):
            for index in range(100):
                touched.append(index)
                yield index

        def __len__(self):
            return 100

    iterator = iter(DataLoader(Numbers(100), None, sampler=Counting(), num_workers=2, prefetch_factor=3))
    assert len(touched) == 6
    next(iterator)
    assert len(touched) == 7


# --------------------------------------------------------------------------------------- memory of batches


def check(index, images, labels):
    assert labels.tolist() == [2 * index, 2 * index + 1]
    assert images.shape == (2, 100, 100)
    assert (images.array == numpy.array(labels.array, "float32")[:, None, None]).all()


def test_batches_that_are_kept_stay_as_they_were():
    kept = list(DataLoader(Images(60), 2, num_workers=2))
    for index, (images, labels) in enumerate(kept):
        check(index, images, labels)


def test_memory_is_used_again_when_batches_die():
    addresses = set()
    for index, (images, labels) in enumerate(DataLoader(Images(80), 2, num_workers=1)):
        check(index, images, labels)
        addresses.add(images.data_ptr())
    assert len(addresses) <= 6


def test_more_blocks_than_allowed(monkeypatch):
    monkeypatch.setattr("minitorch.utils.data.multiprocess.MOST_BLOCKS", 8)
    kept = list(DataLoader(Images(60), 2, num_workers=2))
    assert len({images.data_ptr() for images, _ in kept}) == 30
    for index, (images, labels) in enumerate(kept):
        check(index, images, labels)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts open files in /proc")
def test_no_open_files_are_left():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(2):
        kept = list(DataLoader(Images(20), 2, num_workers=2))
        assert len(os.listdir("/proc/self/fd")) > before  # the blocks of the batches that are kept
        del kept
        assert len(os.listdir("/proc/self/fd")) == before


def test_without_anonymous_files(monkeypatch):
    monkeypatch.delattr(os, "memfd_create")  # as on systems other than Linux
    for index, (images, labels) in enumerate(DataLoader(Images(8), 2, num_workers=2)):
        check(index, images, labels)


def test_too_many_open_files():
    result = run_program(
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))\n"
        "try:\n    list(iterator)\nexcept RuntimeError as error:\n    print(error)"
    )
    assert "Too many open files. Communication with the workers is no longer possible." in result.stdout
    assert (result.returncode, result.stderr) == (0, "")


def test_batches_can_be_written_to():
    for images, _ in DataLoader(Images(8), 2, num_workers=2):
        images.add_(1)
        assert images.array.flags.writeable


def test_views_of_a_batch_keep_its_memory():
    rows = [images[1, 5] for images, _ in DataLoader(Images(40), 2, num_workers=2)]
    assert [row.array[3] for row in rows] == list(range(1, 40, 2))


def test_kinds_of_batches_travel():
    def collate(samples):
        large = numpy.stack([sample for sample, _ in samples])
        return {
            "array": large,
            "transposed": minitorch.from_numpy(large).transpose(1, 2),
            "part": minitorch.from_numpy(large)[:, ::2],
            "twice": [minitorch.from_numpy(large)] * 2,
            "same memory": minitorch.utils.data.default_collate(list(large)),
            "other dtype": large.astype("int8"),
            "parameter": minitorch.nn.Parameter(minitorch.from_numpy(large)),
            "text": "a" * 100_000,
        }

    batches = list(DataLoader(Images(6), 2, num_workers=2, collate_fn=collate))
    for index, batch in enumerate(batches):
        expected = collate([Images()[2 * index], Images()[2 * index + 1]])
        for name in ("array", "other dtype"):
            numpy.testing.assert_array_equal(batch[name], expected[name])
            assert batch[name].dtype == expected[name].dtype
        for name in ("transposed", "part", "same memory", "parameter"):
            numpy.testing.assert_array_equal(batch[name].array, expected[name].array)
        assert batch["twice"][0] is batch["twice"][1]
        assert isinstance(batch["parameter"], minitorch.nn.Parameter)
        assert batch["text"] == expected["text"]


def test_a_batch_that_a_worker_keeps_is_not_overwritten():
    class Caching(Images):
        kept = None

        def __getitems__(self, indices):
            if Caching.kept is None:
                Caching.kept = minitorch.utils.data.default_collate([self[index] for index in indices])
            fresh = minitorch.utils.data.default_collate([self[index] for index in indices])
            return [Caching.kept[0], fresh[0]]

    loader = DataLoader(Caching(20), 2, num_workers=1, collate_fn=lambda batch: batch)
    for index, (kept, fresh) in enumerate(loader):
        assert (kept.array[0] == 0).all()
        assert (fresh.array[0] == 2 * index).all()


def test_large_index_lists_and_large_answers_do_not_block_each_other():
    def collate(samples):
        return [str(label) * 1000 for _, label in samples]  # nothing of it is an array

    sampler = [list(range(1000)) * 40] * 4
    loader = DataLoader(Numbers(1000), batch_sampler=sampler, num_workers=1, collate_fn=lambda s: "x" * 2_000_000)
    assert [len(each) for each in loader] == [2_000_000] * 4
    assert len(list(DataLoader(Numbers(300), 100, num_workers=2, collate_fn=collate))) == 3


# ---------------------------------------------------------------------------------------------- what fails


def raise_(error):
    raise error


def exhaust(iterator, pause):
    for _ in iterator:
        time.sleep(pause)


def next_with_patience(iterator):
    """The next sample, however long a worker takes to start on a busy machine."""
    while True:
        try:
            return next(iterator)
        except RuntimeError as error:
            if "timed out" not in str(error):
                raise


class TwoArgumentsError(Exception):
    def __init__(self, first, second):
        super().__init__(first, second)


@pytest.mark.parametrize(
    "error", [ValueError("bad sample"), KeyError("no key"), IndexError("far"), TwoArgumentsError(1, 2), StopIteration()]
)
def test_an_exception_comes_with_the_workers_traceback(error):
    def load(torch):
        iterator = iter(torch.utils.data.DataLoader(Failing(lambda: raise_(error)), None, num_workers=2))
        seen = []
        for _ in range(7):
            try:
                seen.append(next(iterator)[1])
            except Exception as found:
                text = re.sub(r'  File "[^"]*", line \d+, in [\s\S]*\n(?=\S)', "", str(found))
                seen += [type(found).__name__, text]
        return [seen, list(iterator)]  # at its end torch stops its workers at once, before it only after seconds

    seen, _ = same(load)
    assert seen[:3] == [0, 1, 2]
    assert seen[5:] == [4, 5, 6]
    assert "Caught" in seen[4]
    assert "in DataLoader worker process 1.\nOriginal Traceback (most recent call last):\n" in seen[4]


def test_an_exception_names_the_line_of_the_dataset():
    with pytest.raises(ValueError, match=r"loader_support.py"):
        list(DataLoader(Failing(lambda: raise_(ValueError("bad"))), num_workers=1))


def test_an_exception_of_an_unknown_class():
    class LocalError(Exception):
        pass

    with pytest.raises(RuntimeError, match=r"Caught LocalError in DataLoader worker process 0"):
        list(DataLoader(Failing(lambda: raise_(LocalError("x"))), num_workers=1))


def test_an_exception_in_worker_init_fn():
    iterator = iter(DataLoader(Numbers(), num_workers=1, worker_init_fn=lambda _: raise_(OSError("init"))))
    for _ in range(7):  # the worker can do nothing, and says so every time
        with pytest.raises(OSError, match=r"Caught OSError in DataLoader worker process 0\.\nOriginal Traceback"):
            next(iterator)
    assert list(iterator) == []


def test_an_exception_in_iter():
    class Broken(minitorch.utils.data.IterableDataset):
        def __iter__(self):
            raise ValueError("iter")

    with pytest.raises(ValueError, match=r"Caught ValueError in DataLoader worker process 0\.\nOriginal Traceback"):
        list(DataLoader(Broken(), num_workers=1))


def test_a_batch_that_cannot_be_pickled():
    loader = DataLoader(Images(4), 2, num_workers=1, collate_fn=lambda batch: [batch[0][0], lambda: 0])
    with pytest.raises(Exception, match=r"in DataLoader worker process 0[\s\S]*lambda"):
        list(loader)


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize(
    ("fail", "cause"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "is killed by signal: Killed"),
        (lambda: os._exit(7), "exit code 7"),
        (lambda: sys.exit(3), "exit code 3"),
    ],
    ids=["killed", "exited", "sys.exit"],
)
def test_a_worker_that_dies(fail, cause, in_order):
    iterator = iter(DataLoader(Failing(fail), None, num_workers=2, in_order=in_order))
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly") as caught:
        list(iterator)
    assert cause in str(caught.value.__cause__)
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        next(iterator)
    assert time.monotonic() - start < 4  # noticed by the end of the line, not by a look every five seconds


def test_a_worker_killed_from_outside_while_it_sends():
    """Whatever it was doing: never a hang, never a file left."""
    for delay in (0.0, 0.003, 0.01, 0.03):
        iterator = iter(DataLoader(Images(400), 4, num_workers=2))
        victim = iterator._workers[0].process.pid
        next(iterator)
        timer = threading.Timer(delay, os.kill, (victim, signal.SIGKILL))
        timer.start()
        with pytest.raises(RuntimeError, match="exited unexpectedly"):
            exhaust(iterator, pause=0.001)
        timer.join()


def test_a_worker_that_hangs():
    iterator = iter(DataLoader(Failing(lambda: time.sleep(60)), None, num_workers=1, timeout=0.3))
    assert [next_with_patience(iterator)[1] for _ in range(3)] == [0, 1, 2]
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"^DataLoader timed out after 0.3 seconds$"):
        next(iterator)
    pids = [worker.process.pid for worker in iterator._workers]
    del iterator
    assert wait_until_gone(pids)
    assert time.monotonic() - start < 2


def test_a_timeout_can_be_waited_out():
    loader = DataLoader(Failing(lambda: time.sleep(0.4) or "late"), None, num_workers=1, timeout=0.15)
    iterator = iter(loader)
    assert [next_with_patience(iterator)[1] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="timed out"):
        next(iterator)
    assert next_with_patience(iterator) == "late"
    assert [label for _, label in iterator] == [4, 5, 6]


# --------------------------------------------------------------------------------- beginnings and endings


def test_dropping_the_iterator_ends_the_workers():
    iterator = iter(DataLoader(Images(100), 2, num_workers=2))
    next(iterator)
    pids = [worker.process.pid for worker in iterator._workers]
    assert not any(is_gone(pid) for pid in pids)
    del iterator
    assert all(is_gone(pid) for pid in pids)


def test_the_end_of_an_epoch_ends_the_workers():
    iterator = iter(DataLoader(Numbers(), 2, num_workers=2))
    pids = [worker.process.pid for worker in iterator._workers]
    assert len(list(iterator)) == 4
    assert all(is_gone(pid) for pid in pids)
    assert list(iterator) == []


def test_leaving_a_loop_ends_the_workers():
    for _ in DataLoader(Images(100), 2, num_workers=2):
        break
    assert leftovers(set())[0] == []


def test_an_interrupt_ends_the_workers():
    iterator = iter(DataLoader(Failing(lambda: time.sleep(0.5)), None, num_workers=1))
    pids = [worker.process.pid for worker in iterator._workers]
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in iterator:
            pass
    assert all(is_gone(pid) for pid in pids)


def test_persistent_workers_are_the_same_processes():
    loader = DataLoader(ProcessIds(6), None, num_workers=2, persistent_workers=True)
    first, second = set(loader), set(loader)
    assert first == second
    assert len(first) == 2
    iterator = iter(loader)
    next(iterator)  # an epoch that is left early
    assert set(iter(loader)) == first
    assert iter(loader) is iterator
    del loader, iterator
    assert wait_until_gone(first)


def test_new_workers_without_persistence():
    loader = DataLoader(ProcessIds(6), None, num_workers=2)
    assert not set(loader) & set(loader)


def test_an_epoch_left_early_does_not_leak_into_the_next():
    loader = DataLoader(Images(40), 2, num_workers=2, persistent_workers=True)
    for _ in range(3):
        for index, (images, labels) in enumerate(loader):
            check(index, images, labels)
            if index == 5:
                break
    for index, (images, labels) in enumerate(loader):
        check(index, images, labels)


def test_a_persistent_loader_recovers_from_a_death():
    loader = DataLoader(Numbers(), None, num_workers=1, persistent_workers=True)
    iterator = iter(loader)
    os.kill(iterator._workers[0].process.pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        list(iterator)
    assert [label for _, label in loader] == list(range(7))


def test_several_loaders_at_once():
    loaders = [DataLoader(Numbers(6), 2, num_workers=1) for _ in range(3)]
    for batches in zip(*loaders):
        assert all(batch[1].tolist() == batches[0][1].tolist() for batch in batches)


def test_a_loader_in_a_forked_copy_leaves_the_workers_alone():
    iterator = iter(DataLoader(Numbers(40), 2, num_workers=1))
    next(iterator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        iterator._stop()  # what dropping it would do
        os._exit(0)
    os.waitpid(pid, 0)
    assert len(list(iterator)) == 19


PROGRAM = """
import os, signal, sys, time
import minitorch
from tests.utils.loader_support import Images

iterator = iter(minitorch.utils.data.DataLoader(Images(400), 2, num_workers=2))
next(iterator)
print(*[worker.process.pid for worker in iterator._workers], flush=True)
"""


def run_program(ending):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + ending], capture_output=True, text=True, cwd=ROOT, timeout=20, check=False
    )


def test_workers_end_with_the_interpreter():
    result = run_program("")
    assert (result.returncode, result.stderr) == (0, "")
    assert wait_until_gone(map(int, result.stdout.split()))


def test_workers_end_when_the_main_process_is_killed():
    result = run_program("os.kill(os.getpid(), signal.SIGKILL)")
    assert result.returncode == -signal.SIGKILL
    assert wait_until_gone([int(each) for each in result.stdout.split()])
