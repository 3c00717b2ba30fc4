"""``FileWriter``: one event file, and the thread of TensorBoard's own writer that fills it."""

from __future__ import annotations

import os
import time
from typing import Any

from minitorch.utils.tensorboard.library import library


class FileWriter:
    """Appends messages to an event file in ``log_dir``.

    Args: max_queue: how many messages may wait before an ``add`` call waits for the disk; flush_secs: how often
    the file is flushed; filename_suffix: added to the file's name.
    """

    def __init__(
        self, log_dir: str | os.PathLike[str], max_queue: int = 10, flush_secs: int = 120, filename_suffix: str = ""
    ) -> None:
        self.event_writer = library().EventFileWriter(str(log_dir), max_queue, flush_secs, filename_suffix)

    def get_logdir(self) -> str:
        """The folder of the event file."""
        folder: str = self.event_writer.get_logdir()
        return folder

    def add_event(self, event: Any, step: Any = None, walltime: float | None = None) -> None:
        """Append an ``Event``, marked with the step and with the time (default: now)."""
        event.wall_time = time.time() if walltime is None else walltime
        if step is not None:
            event.step = int(step)
        self.event_writer.add_event(event)

    def add_summary(self, summary: Any, global_step: Any = None, walltime: float | None = None) -> None:
        """Append a ``Summary``."""
        self.add_event(library().Event(summary=summary), global_step, walltime)

    def add_graph(self, graph: Any, walltime: float | None = None) -> None:
        """Append a ``GraphDef``."""
        self.add_event(library().Event(graph_def=graph.SerializeToString()), None, walltime)

    def flush(self) -> None:
        """Return when everything that was added is on the disk."""
        self.event_writer.flush()

    def close(self) -> None:
        """Flush, and close the file."""
        self.event_writer.close()
