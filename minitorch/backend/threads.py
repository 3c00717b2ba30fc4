"""How many threads compute, and how an op splits its work over them.

NumPy computes on one thread, but it lets go of Python's lock while it does; so several Python threads can each run
NumPy on a part of an array. ``split`` cuts a range into one share a thread, and ``parallel`` runs the shares:

    def work(part):                       # part: a slice
        numpy.maximum(x[part], 0, out=y[part])

    parallel(split(len(x), x.size), work)

``later`` lets another thread do something by itself: the gradient of a layer's weight, which nobody needs before the
end of the backward pass, while this one goes on with the gradients of what came before. It keeps the second thread
busy where the work of one op is too small to be split (measured, two threads: 10 % of the step of a convolutional
network for 4 images, 3 to 7 % for larger batches).

Matrix products are split in the same way. BLAS has threads of its own, which would compete with ours (and wait by
spinning): while shares run, BLAS is held to one thread, which threadpoolctl does in a microsecond.

**Results are reproducible**: the shares depend only on the sizes and on the number of threads, and ``parallel``
returns the shares' results in their order, whichever finished first.

The number of threads is what ``set_num_threads`` was given, else OMP_NUM_THREADS, else the number of cores.
"""

from __future__ import annotations

import functools
import itertools
import os
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

Share = TypeVar("Share")
Result = TypeVar("Result")

# Giving a thread its share and hearing from it takes 15 to 75 microseconds. A share must be worth several times that.
LEAST_ELEMENTS = 1 << 18  # of a share that reads and writes memory: about 100 µs
LEAST_FLOP = 2.5e7  # of a share made of matrix products: about 200 µs
LEAST_FLOP_LATER = 1e7  # of what another thread does without anyone waiting for it to begin

# The first share, which the calling thread runs itself, is larger by what it can do before the others begin: so it
# ends last, and need not go to sleep to wait for them. In units of the least share.
HEAD_START = 0.3

_requested: int | None = None


def get_num_threads() -> int:
    """The number of threads that one op may use."""
    return _default_number() if _requested is None else _requested


@functools.cache
def _default_number() -> int:
    environment = os.environ.get("OMP_NUM_THREADS", "")
    if environment.isdecimal() and int(environment) > 0:
        return int(environment)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_num_threads(number: int) -> None:
    """Let one op use ``number`` threads, and BLAS outside of this library, too.

    Raises: RuntimeError for a number below 1.
    """
    global _requested
    if number < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, got {number}")
    with one_blas_thread.lock:
        one_blas_thread.set([number] * len(one_blas_thread.libraries()))
    _requested = number


def find_thread_pools() -> None:
    """Look for BLAS's libraries now, once, rather than in every process that is forked from this one."""
    with one_blas_thread.lock:
        one_blas_thread.libraries()


def split(length: int, size: float, least: float = LEAST_ELEMENTS) -> list[slice]:
    """``range(length)`` in as many about equal slices as there are threads, but none for less than ``least``.

    ``size`` says how much work all of it is: in elements, or in whatever ``least`` is measured in.

    >>> split(10, 100)
    [slice(0, 10, None)]
    """
    count = 1 if _thread.is_working else max(min(get_num_threads(), length, int(size / least)), 1)
    head = HEAD_START * least / size if count > 1 else 0.0
    bounds = [0, *(round(length * (head + (1 - head) * index / count)) for index in range(1, count)), length]
    return [slice(start, stop) for start, stop in itertools.pairwise(bounds)]


def parallel(shares: Sequence[Share], work: Callable[[Share], Result]) -> list[Result]:
    """``[work(share) for share in shares]``, each share in a thread of its own and BLAS held to one thread.

    Shares must not write to the same memory. What one of them raises is raised here, after all have ended; of
    several, the first in order. Within a share ``parallel`` runs one share after another. Shares that no thread has
    begun when the first one ends (they may be busy with what was put off by ``later``) are run by the caller, too.
    """
    if _thread.is_working or get_num_threads() == 1:
        return [work(share) for share in shares]
    if len(shares) < 2:
        with one_blas_thread:
            return [work(share) for share in shares]
    jobs = [_Job(functools.partial(work, share)) for share in shares]
    with one_blas_thread:
        _pool.start(jobs[1:])
        for job in jobs:
            job.end()
    return [job.outcome() for job in jobs]


def later(work: Callable[[], Result]) -> Later[Result]:
    """``work()`` on another thread, while this one goes on; ``later(work).get()`` is its result.

    It is computed as one share, whoever runs it in the end: ``get`` does if no thread has begun.
    """
    job = Later(work)
    _pool.start([job])
    return job


def is_worth_putting_off(flop: float) -> bool:
    """Whether ``later`` pays for so much work: another thread is there for it, and this one is not running a share."""
    return flop >= LEAST_FLOP_LATER and not _thread.is_working and get_num_threads() > 1


class _ThreadState(threading.local):
    is_working = False  # this thread is running a share


_thread = _ThreadState()


class _Job(Generic[Result]):
    """A piece of work: run once, by whichever thread claims it first."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self.work = work
        self.unclaimed = [True]  # popped by who runs it: one operation, so that no two threads can
        self.ended = threading.Lock()
        self.ended.acquire()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work, unless another thread has claimed it."""
        try:
            self.unclaimed.pop()
        except IndexError:
            return
        _thread.is_working = True
        try:
            self.result = self.work()
        except BaseException as error:
            self.error = error
        finally:
            _thread.is_working = False
            self.work = _nothing  # let go of what it holds
            self.ended.release()

    def end(self) -> None:
        """Run it or wait until it has ended."""
        self.run()
        with self.ended:
            pass

    def outcome(self) -> Result:
        """What the work returned; what it raised, is raised."""
        if self.error is not None:
            raise self.error
        return self.result


class Later(_Job[Result]):
    """The result of work that another thread may be doing."""

    def __init__(self, work: Callable[[], Result]) -> None:
        def alone() -> Result:
            with one_blas_thread:
                return work()

        super().__init__(alone)

    def get(self) -> Result:
        """The result, when it is there."""
        self.end()
        return self.outcome()


def _nothing() -> Any:
    """The work of a job that has ended."""


class _Pool:
    """Threads that wait for jobs. They are daemons: a program need not stop them to end."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job[Any]] = SimpleQueue()
        self.count = 0
        self.lock = threading.Lock()

    def start(self, jobs: Sequence[_Job[Any]]) -> None:
        """Let other threads run the jobs."""
        if self.count < len(jobs):
            with self.lock:
                for _ in range(self.count, len(jobs)):
                    threading.Thread(target=self._serve, args=(self.jobs,), name="minitorch", daemon=True).start()
                    self.count += 1
        for job in jobs:
            self.jobs.put(job)

    @staticmethod
    def _serve(jobs: SimpleQueue[_Job[Any]]) -> None:
        while True:
            jobs.get().run()


class _OneBlasThread:
    """``with one_blas_thread:`` holds BLAS to one thread, in all threads, until the last such block ends."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holders = 0
        self.usual: list[int] = []  # each library's number of threads to return to
        self._libraries: list[Any] | None = None

    def libraries(self) -> list[Any]:
        """Found once: looking through the loaded libraries takes a millisecond, changing their number one µs."""
        if self._libraries is None:
            from threadpoolctl import ThreadpoolController  # only now: it takes longer to import than most ops

            found = ThreadpoolController().lib_controllers
            self._libraries = [library for library in found if library.user_api == "blas"]
        return self._libraries

    def set(self, numbers: list[int]) -> None:
        """Each library's number of threads; while it is held, the number to return to."""
        self.usual = numbers
        if not self.holders:
            for library, number in zip(self.libraries(), numbers):
                library.set_num_threads(number)

    def __enter__(self) -> None:
        with self.lock:
            if not self.holders:
                self.usual = [library.get_num_threads() for library in self.libraries()]
                for library in self.libraries():
                    library.set_num_threads(1)
            self.holders += 1

    def __exit__(self, *exception: object) -> None:
        with self.lock:
            self.holders -= 1
            if not self.holders:
                self.set(self.usual)


_pool = _Pool()
one_blas_thread = _OneBlasThread()


def _start_anew() -> None:
    """In a forked child: the parent's threads are not there, and its locks may be locked for ever."""
    global _pool
    _pool = _Pool()
    _thread.is_working = False
    one_blas_thread.lock = threading.Lock()
    if one_blas_thread.holders:
        one_blas_thread.holders = 0
        one_blas_thread.set(one_blas_thread.usual)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
