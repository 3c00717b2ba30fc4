"""The worker process of a loader: takes tasks from the main process, sends batches back.

Two threads: one reads tasks as they come, so that the main process never waits for room in the line, and ends
the process at once when the main process is gone; the main thread fetches batches.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import random
import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from minitorch.backend import host
from minitorch.backend.threads import set_num_threads
from minitorch.tensor.random import manual_seed
from minitorch.utils.data.channel import Channel
from minitorch.utils.data.fetch import IterableFetcher, MapFetcher, make_fetcher
from minitorch.utils.data.shared_blocks import BlockWriter, use_writer

# Kinds of messages. To the worker: (FETCH, index, released blocks), (RESUME,), (STOP,).
# Back: (BATCH, data), (ERROR, WorkerError), (END, None) where a stream has ended, (RESUMED, None).
FETCH, RESUME, STOP, BATCH, ERROR, END, RESUMED = range(7)


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """What ``get_worker_info`` returns: the worker's number, how many there are, its seed and its dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None  # torch's workers may be threads with generators of their own; these are processes
    worker_method: str | None = "multiprocessing"


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker process of a loader: its ``id``, ``num_workers``, ``seed`` and copy of the ``dataset``; else None.

    >>> print(get_worker_info())
    None
    """
    return _worker_info


@dataclass
class Job:
    """All that a worker needs to know."""

    dataset: Any
    is_iterable: bool
    auto_collation: bool
    collate_fn: Callable[..., Any]
    drop_last: bool
    base_seed: int
    init_fn: Callable[[int], Any] | None
    worker_id: int
    num_workers: int
    block_limit: int

    def make_fetcher(self) -> MapFetcher | IterableFetcher:
        """A fetcher for a new epoch."""
        return make_fetcher(self.is_iterable, self.dataset, self.auto_collation, self.collate_fn, self.drop_last)


class _Verbatim(str):
    """KeyError shows its argument by repr: a traceback would come out as one line full of ``\\n``."""

    def __repr__(self) -> str:
        return str(self)


class WorkerError:
    """An exception on its way to the main process: its type and, as text, its traceback."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind: type[BaseException] = type(error)
        text = "".join(traceback.format_exception(error))
        self.message = f"Caught {self.kind.__name__} {where}.\nOriginal {text}"
        try:
            pickle.loads(pickle.dumps(self.kind))
        except Exception:  # a class made inside a function, say, is unknown elsewhere
            self.kind = RuntimeError

    def reraise(self) -> NoReturn:
        """Raise the exception, the worker's traceback as its message."""
        message = _Verbatim(self.message) if self.kind is KeyError else self.message
        try:
            error = self.kind(message)
        except Exception:  # its constructor wants something else
            error = RuntimeError(message)
        raise error


def run_worker(job: Job, channel: Channel, inherited: Sequence[Channel]) -> None:
    """The worker's main function.

    inherited: the main process's ends of lines, which a forked process has copies of; as long as any of them is
    open somewhere, the worker at the other end cannot see the main process go.
    """
    for other in inherited:
        other.close()
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read_tasks, args=(channel, tasks), daemon=True).start()
    _seed_generators(job)
    writer = BlockWriter(channel, job.block_limit)
    use_writer(writer)
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError, ConnectionResetError):
        # Interrupted: the main process is, too, and says so. No one at the other end: nothing left to do.
        _Worker(job, tasks, writer).run()


def _read_tasks(channel: Channel, tasks: queue.SimpleQueue[Any]) -> None:
    """Pass tasks on until STOP; if the line ends without it, the main process was killed."""
    kind = None
    while kind != STOP:
        try:
            task = pickle.loads(channel.receive()[0])
        except (EOFError, OSError):
            os._exit(1)
        kind = task[0]
        tasks.put(task)


def _seed_generators(job: Job) -> None:
    """Every worker draws other numbers, and the same ones again after the same ``manual_seed``: torch's."""
    global _worker_info
    set_num_threads(1)  # the workers themselves are what runs side by side
    seed = job.base_seed + job.worker_id
    random.seed(seed)
    manual_seed(seed)
    words = [job.worker_id, job.base_seed & 0xFFFFFFFF, job.base_seed >> 32, 0]
    host.random.seed(host.random.SeedSequence(words).generate_state(4))
    _worker_info = WorkerInfo(job.worker_id, job.num_workers, seed, job.dataset)


class _Worker:
    """Answers tasks one by one, in their order."""

    def __init__(self, job: Job, tasks: queue.SimpleQueue[Any], writer: BlockWriter) -> None:
        self.job = job
        self.tasks = tasks
        self.writer = writer
        self.where = f"in DataLoader worker process {job.worker_id}"
        self.fetcher: MapFetcher | IterableFetcher | None = None
        self.init_error: WorkerError | None = None
        self.start_error: WorkerError | None = None  # reported in answer to every task of the epoch
        self.has_ended = False

    def run(self) -> None:
        """Work until STOP."""
        self._initialise()
        self._start_epoch()
        while True:
            task = self.tasks.get()
            if task[0] == STOP:
                return
            if task[0] == RESUME:
                self._start_epoch()
                self.writer.send((RESUMED, None))
                continue
            _, index, released = task
            self.writer.release(released)
            if not self.has_ended:  # tasks sent before the main process knew of the end stay unanswered
                self._answer(index)

    def _initialise(self) -> None:
        try:
            if self.job.init_fn is not None:
                self.job.init_fn(self.job.worker_id)
        except Exception as error:
            self.init_error = WorkerError(error, self.where)

    def _start_epoch(self) -> None:
        self.has_ended = False
        self.start_error = self.init_error
        if self.init_error is not None:
            return
        try:
            self.fetcher = self.job.make_fetcher()
        except Exception as error:
            self.start_error = WorkerError(error, self.where)

    def _answer(self, index: Any) -> None:
        answer = self._fetch(index)
        try:
            self.writer.send(answer)
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:  # a batch that cannot be pickled
            self.writer.send((ERROR, WorkerError(error, self.where)))

    def _fetch(self, index: Any) -> tuple[int, Any]:
        if self.start_error is not None or self.fetcher is None:
            return ERROR, self.start_error
        try:
            return BATCH, self.fetcher.fetch(index)
        except Exception as error:
            if isinstance(error, StopIteration) and self.job.is_iterable:
                self.has_ended = True
                return END, None
            return ERROR, WorkerError(error, self.where)
