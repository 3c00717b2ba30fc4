"""Batches of worker processes, copied to pinned memory by a thread while the caller works on the batch before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from minitorch.utils.data.nested import pin_memory


class PinAhead:
    """One batch ahead. Batches are fetched by the thread that asks: samplers may draw from the caller's generators."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "minitorch-pin")
        self._begun: deque[Future[Any]] = deque()

    def forget(self) -> None:
        """Another epoch begins."""
        self._begun.clear()

    def next(self, fetch: Callable[[], Any], is_ready: Callable[[], bool]) -> Any:
        """The next batch of ``fetch``, pinned. If one more is there already, that one is begun with."""
        if not self._begun:
            self._begin(fetch)
        current = self._begun.popleft()
        if is_ready():
            self._begin(fetch)
        return current.result()

    def _begin(self, fetch: Callable[[], Any]) -> None:
        try:
            self._begun.append(self._executor.submit(pin_memory, fetch()))
        except Exception as error:  # the end of the data, too: it comes in its turn
            failed: Future[Any] = Future()
            failed.set_exception(error)
            self._begun.append(failed)
