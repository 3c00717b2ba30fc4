"""The iterator of a loader with worker processes: the main process's side.

Tasks (lists of indices) go to the workers in turn, a few ahead of what is asked for. Each worker answers in
order over its own line (``channel.py``), so batches come out in order by asking the worker whose turn it is.

Nothing may be left behind and nothing may hang. A worker's death ends its line, which shows at once. Workers
are stopped when the epoch is over, when the iterator is dropped or interrupted, and when Python exits; one that
does not stop is killed. A worker whose main process was killed ends by itself (``worker.py``).
"""

from __future__ import annotations

import errno
import itertools
import multiprocessing
import os
import pickle
import signal
import socket
import time
import weakref
from collections import deque
from contextlib import suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, NoReturn

from minitorch.backend.threads import find_thread_pools
from minitorch.utils.data.channel import Channel
from minitorch.utils.data.iterator import LoaderIterator
from minitorch.utils.data.pinning import PinAhead
from minitorch.utils.data.shared_blocks import BlockReader
from minitorch.utils.data.worker import BATCH, END, FETCH, RESUME, RESUMED, STOP, Job, run_worker

if TYPE_CHECKING:
    from minitorch.utils.data.dataloader import DataLoader

CHECK_INTERVAL = 5.0  # seconds between looks whether workers are alive, in case one's line does not end with it
PATIENCE = 5.0  # seconds that workers have to finish what they are at when they are told to stop
MOST_BLOCKS = 512  # shared blocks of all workers together: each is an open file, and 1024 is a usual limit

_TOO_MANY_FILES = (
    "Too many open files. Communication with the workers is no longer possible. "
    "Please increase the limit using `ulimit -n` in the shell, or keep fewer batches at a time"
)


class _Worker:
    """A worker process as the main process sees it."""

    def __init__(self, context: Any, job: Job, siblings: list[_Worker]) -> None:
        self.channel, far_end = Channel.pair()
        self.reader = BlockReader(self.channel)
        self.pending = 0  # tasks not answered yet
        self.has_ended = False  # its stream has no more samples in this epoch
        is_forked = context.get_start_method() == "fork"
        inherited = [each.channel for each in siblings] + [self.channel] if is_forked else []
        self.process = context.Process(target=run_worker, args=(job, far_end, inherited), daemon=True)
        self.process.start()
        far_end.close()

    def fileno(self) -> int:
        """What to wait on for an answer."""
        return self.channel.fileno()

    def send(self, *message: Any) -> None:
        """Send a task; to a dead worker, nothing: whoever waits for its answer finds out."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.channel.send(pickle.dumps(message, 5))

    def ask_to_stop(self) -> None:
        """Send STOP without waiting, and refuse further answers, so that none keeps the worker waiting."""
        with suppress(OSError):
            self.channel.socket.setblocking(False)
            self.channel.send(pickle.dumps((STOP,), 5))
        with suppress(OSError):
            self.channel.socket.shutdown(socket.SHUT_RD)

    def cause_of_death(self) -> str:
        """In words, for the error message."""
        self.process.join(1)
        code, pid = self.process.exitcode, self.process.pid
        if code is not None and code < 0:
            return f"DataLoader worker (pid {pid}) is killed by signal: {signal.strsignal(-code)}. "
        return (
            f"DataLoader worker (pid {pid}) exited unexpectedly with exit code {code}. Details are lost due to "
            "multiprocessing. Rerunning with num_workers=0 may give better error trace."
        )


def _stop_workers(workers: list[_Worker], owner: int, patience: float = PATIENCE) -> None:
    """End the processes: ask, wait up to ``patience`` seconds for all together, then terminate, then kill."""
    if os.getpid() != owner:
        return  # a forked copy of the iterator was dropped: the workers are not this process's
    for worker in workers:
        worker.ask_to_stop()
    for stop, seconds in ((None, patience), ("terminate", 1.0), ("kill", 1.0)):
        deadline = time.monotonic() + seconds
        for worker in workers:
            if stop is not None and worker.process.is_alive():
                getattr(worker.process, stop)()
        for worker in workers:
            worker.process.join(max(deadline - time.monotonic(), 0))
    for worker in workers:
        worker.channel.close()
    workers.clear()


class MultiProcessIterator(LoaderIterator):
    """Hands out tasks to worker processes and returns their batches."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        if not loader.prefetch_factor or loader.prefetch_factor <= 0:
            raise AssertionError("prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter")
        self._timeout = loader.timeout
        self._in_order = loader.in_order
        self._is_persistent = loader.persistent_workers
        self._most_tasks = loader.prefetch_factor * self._num_workers
        self._pinning = PinAhead() if self._pins else None
        self._failure: str | None = None
        self._workers: list[_Worker] = []
        self._stop = weakref.finalize(self, _stop_workers, self._workers, os.getpid())
        context = loader.multiprocessing_context or multiprocessing.get_context()
        find_thread_pools()  # takes a while: once, here, instead of in every worker
        for worker_id in range(self._num_workers):
            job = self._job(loader, worker_id)
            self._workers.append(_Worker(context, job, self._workers))
        self._begin_epoch(loader)

    def _job(self, loader: DataLoader[Any], worker_id: int) -> Job:
        return Job(
            dataset=loader.dataset,
            is_iterable=self._is_iterable,
            auto_collation=loader._auto_collation,
            collate_fn=loader.collate_fn,
            drop_last=loader.drop_last,
            base_seed=self._base_seed,
            init_fn=loader.worker_init_fn,
            worker_id=worker_id,
            num_workers=self._num_workers,
            block_limit=max(4, min(64, MOST_BLOCKS // self._num_workers)),
        )

    # --------------------------------------------------------------------------------------------- an epoch

    @property
    def is_usable(self) -> bool:
        """Whether the workers are there, for another epoch."""
        return bool(self._workers)

    def restart(self, loader: DataLoader[Any]) -> None:
        """Begin another epoch with the same workers; what they had prepared for the last one is thrown away."""
        for worker in self._workers:
            worker.send(RESUME)
        for worker in self._workers[:]:
            while self._receive([worker])[1] != RESUMED:
                pass
        self._begin_epoch(loader)

    def _begin_epoch(self, loader: DataLoader[Any]) -> None:
        # For the first epoch that is the second time. torch does the same, and a sampler may draw from a generator
        # when its iterator is made: taking it once would give other batches.
        self._open_sampler(loader)
        if self._pinning is not None:
            self._pinning.forget()
        for worker in self._workers:
            worker.pending, worker.has_ended = 0, False
        self._turns = itertools.cycle(self._workers[:])
        self._expected: deque[_Worker] = deque()  # for each task not answered yet, in order, who answers
        for _ in range(self._most_tasks):
            self._hand_out_task()

    def _next_data(self) -> Any:
        if self._pinning is None:
            return self._next_from_workers()
        return self._pinning.next(self._next_from_workers, self._has_answer)

    def _has_answer(self) -> bool:
        """Whether a worker has already answered what is asked for next."""
        candidates: list[Any] = self._next_to_answer()
        return bool(wait(candidates, 0))

    def _next_from_workers(self) -> Any:
        if self._failure is not None:
            raise RuntimeError(self._failure)
        try:
            return self._next_batch()
        except KeyboardInterrupt:
            self.close()
            raise

    def _next_batch(self) -> Any:
        while candidates := self._next_to_answer():
            worker, kind, data = self._receive(candidates)
            self._expected.remove(worker)
            worker.pending -= 1
            worker.has_ended = kind == END
            self._hand_out_task()
            if kind == BATCH:
                return data
            if kind != END:
                data.reraise()
        if not self._is_persistent:
            self.close()
        raise StopIteration

    def _next_to_answer(self) -> list[_Worker]:
        """The workers of which the first answer counts: in order, the one whose turn it is."""
        while self._expected and self._expected[0].has_ended:
            self._expected.popleft()  # will never be answered
        if self._in_order:
            return [self._expected[0]] if self._expected else []
        return [worker for worker in self._workers if worker.pending and not worker.has_ended]

    def _hand_out_task(self) -> None:
        try:
            index = next(self._sampler_iter)
        except StopIteration:
            return
        worker = self._next_to_work()
        if worker is not None:
            worker.send(FETCH, index, worker.reader.take_released())
            worker.pending += 1
            self._expected.append(worker)

    def _next_to_work(self) -> _Worker | None:
        """The next worker in turn that has not ended; without order, one that has not more than its share to do."""
        active = sum(not worker.has_ended for worker in self._workers)
        for worker in itertools.islice(self._turns, self._num_workers):
            if not worker.has_ended and (self._in_order or worker.pending < self._most_tasks // active):
                return worker
        return None

    # ------------------------------------------------------------------------------------------ what may fail

    def _receive(self, candidates: list[_Worker]) -> tuple[_Worker, int, Any]:
        """The next answer of one of the candidates: (who, kind, data)."""
        worker = self._wait(candidates)
        try:
            kind, data = worker.reader.receive()
        except (EOFError, ConnectionResetError):
            self._fail([worker])
        except OSError as error:  # part of the message is lost, and with it the worker
            self.close()
            if error.errno == errno.EMFILE:
                raise RuntimeError(_TOO_MANY_FILES) from error
            raise
        return worker, kind, data

    def _wait(self, candidates: list[_Worker]) -> _Worker:
        deadline = time.monotonic() + self._timeout if self._timeout > 0 else float("inf")
        waitable: list[Any] = list(candidates)
        while True:
            left = max(deadline - time.monotonic(), 0)
            ready: list[Any] = wait(waitable, min(left, CHECK_INTERVAL))
            if ready:
                first: _Worker = ready[0]
                return first
            dead = [worker for worker in candidates if not worker.process.is_alive()]
            if dead:
                self._fail(dead)
            if left == 0:
                self._stop_sooner()
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")

    def _stop_sooner(self) -> None:
        """After a timeout: a worker that hangs will not stop when asked, so that asking need not take long."""
        self._stop.detach()
        self._stop = weakref.finalize(self, _stop_workers, self._workers, os.getpid(), 0.2)

    def _fail(self, dead: list[_Worker]) -> NoReturn:
        """Give up after the unexpected end of workers."""
        pids = ", ".join(str(worker.process.pid) for worker in dead)
        cause = RuntimeError("".join(worker.cause_of_death() for worker in dead))
        self._failure = f"DataLoader worker (pid(s) {pids}) exited unexpectedly"
        self.close()
        raise RuntimeError(self._failure) from cause

    def close(self) -> None:
        """End the worker processes; done by itself when the iterator is exhausted, dropped or interrupted."""
        self._stop()
        self._expected.clear()
