"""What TensorBoard shows of a run: losses and learning rate by step, validation by epoch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.programs.contestant import Contestant


class Log:
    """Writes to ``folder``; to nowhere if it is None.

    first_step: where a resumed run goes on; what the run before logged from there on is no longer shown.
    """

    def __init__(self, folder: Path | None, first_step: int | None = None) -> None:
        self._writer: Any = None
        if folder is not None:
            from minitorch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(folder), purge_step=first_step)

    def add_step(self, losses: dict[str, float], rate: float, step: int) -> None:
        """After each step."""
        if self._writer is not None:
            self._writer.add_scalar("learning rate", rate, step)
            for name, loss in losses.items():
                self._writer.add_scalar(f"{name}/loss", loss, step)

    def add_epoch(self, name: str, contestant: Contestant, step: int) -> None:
        """After each epoch."""
        if self._writer is not None:
            self._writer.add_scalar(f"{name}/validation loss", contestant.validation_losses[-1], step)
            self._writer.add_scalar(f"{name}/validation accuracy", contestant.accuracies[-1], step)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
