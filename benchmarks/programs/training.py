"""The training loop: epochs of batches for one network, or for two that race on the same batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.programs.contestant import Contestant
from benchmarks.programs.data import Images
from benchmarks.programs.interrupts import Interruptible, ignore_interrupts
from benchmarks.programs.logs import Log
from benchmarks.programs.progress import ProgressBar
from benchmarks.programs.randomness import RandomStream
from minitorch.utils.data import DataLoader


class Interrupted(Exception):  # noqa: N818 - not an error
    """Training stopped after a step, because someone asked for it; all is in a state to go on from."""


@dataclass
class Position:
    """Where a run is: epochs done, batches of this epoch done, and the loader's stream at the epoch's beginning."""

    epoch: int
    batch: int
    stream_state: Any


class Training:
    """Contestants, their images and where they are; ``run`` trains them to the last epoch.

    Three attributes are there to be set: ``save`` is called with this object after each epoch and when interrupted,
    ``tell`` with a line about each epoch, ``log`` takes the figures for TensorBoard.
    Args: contestants: by the library's name; epochs: in all, those before a resumption included; seed: of the order
    of the images and of their random transforms; workers: processes that load.
    """

    def __init__(
        self,
        contestants: dict[str, Contestant],
        images: Images,
        epochs: int,
        batch_size: int,
        seed: int,
        workers: int = 0,
    ) -> None:
        self.contestants, self.images, self.epochs = contestants, images, epochs
        self.save: Callable[[Training], None] = lambda training: None
        self.tell: Callable[[str], None] = lambda line: None
        self.log = Log(None)
        self.stream = RandomStream(seed)
        self.position = Position(0, 0, self.stream.state)
        starter = ignore_interrupts if workers else None
        shared = {"batch_size": batch_size, "num_workers": workers, "worker_init_fn": starter}
        # A last batch of a few images would give batch normalisation poor statistics.
        drops_last = len(images.train) >= batch_size
        self.train_loader = DataLoader(images.train, shuffle=True, drop_last=drops_last, **shared)
        self.validation_loader = DataLoader(images.validation, **shared)
        self.test_loader = DataLoader(images.test, **shared)

    @property
    def step(self) -> int:
        """Steps made since the beginning."""
        return self.position.epoch * len(self.train_loader) + self.position.batch

    def run(self) -> None:
        """Train the epochs that are left; Interrupted on Ctrl-C, after saving."""
        with Interruptible() as interrupt:
            while self.position.epoch < self.epochs:
                self._run_epoch(interrupt)
                self._end_epoch()
                self._stop_if(interrupt)

    def _run_epoch(self, interrupt: Interruptible) -> None:
        title = f"epoch {self.position.epoch + 1}/{self.epochs}"
        with ProgressBar(len(self.train_loader), title, self.position.batch) as bar:
            for batch in self._batches():
                losses = {name: each.step(batch) for name, each in self.contestants.items()}
                rate = next(iter(self.contestants.values())).rate
                self.position.batch += 1
                self.log.add_step(losses, rate, self.step)
                bar.advance(losses, rate)
                self._stop_if(interrupt)

    def _batches(self) -> Iterator[Any]:
        """The batches of this epoch that are still to be learnt; those learnt before a stop are drawn again."""
        with self.stream:
            iterator = iter(self.train_loader)
        for index in range(len(self.train_loader)):
            with self.stream:
                batch = next(iterator)
            if index >= self.position.batch:
                yield batch

    def _end_epoch(self) -> None:
        for name, each in self.contestants.items():
            each.end_epoch(self._in_order(self.validation_loader))
            self.log.add_epoch(name, each, self.step)
        self.position = Position(self.position.epoch + 1, 0, self.stream.state)
        self.save(self)
        figures = "; ".join(f"{name} {each.epoch_figures()}" for name, each in self.contestants.items())
        self.tell(f"epoch {self.position.epoch}/{self.epochs}: {figures}")

    def _stop_if(self, interrupt: Interruptible) -> None:
        if interrupt.requested:
            self.save(self)
            raise Interrupted

    def _in_order(self, loader: DataLoader[Any]) -> Iterator[Any]:
        """The batches of a loader that does not shuffle; it draws a seed for its workers all the same."""
        with RandomStream(0):
            iterator = iter(loader)
        yield from iterator

    def test(self, name: str) -> tuple[float, Any, Any]:
        """One contestant on the test images: mean loss, predicted labels, true labels."""
        return self.contestants[name].evaluate(self._in_order(self.test_loader))
