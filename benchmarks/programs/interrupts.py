"""Ctrl-C between steps: a step is finished before anything is saved."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any


class Interruptible:
    """``with Interruptible() as interrupt:`` — Ctrl-C only sets ``interrupt.requested``; a second one stops at once.

    An exception in the middle of ``optimizer.step()`` would leave some weights updated and others not.
    """

    requested = False

    def __enter__(self) -> Interruptible:
        self._before: Any = signal.signal(signal.SIGINT, self._request)
        return self

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(signal.SIGINT, self._before)

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self._before)


def ignore_interrupts(worker_id: int) -> None:
    """For a loader's worker process: Ctrl-C reaches all processes, but the main one ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
