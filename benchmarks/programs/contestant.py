"""A network with its optimizer in one of the two libraries, and what is done with a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy

import minitorch
from benchmarks import harness
from benchmarks.programs.recipes import Recipe


class Contestant:
    """A network that trains: ``step`` learns a batch, ``evaluate`` looks at many.

    Args: torch: the library; build: makes the network, given ``torch``; head: the name of the one part that is
    trained, the others being frozen; None trains all.
    """

    def __init__(
        self,
        torch: Any,
        recipe: Recipe,
        build: Callable[[Any], Any],
        device: str,
        learning_rate: float,
        head: str | None = None,
    ) -> None:
        self.torch, self.device, self.head = torch, device, head
        self.model = build(torch).to(device)
        trained = self.model if head is None else getattr(self.model, head)
        self.optimizer = recipe.optimizer(torch, trained.parameters(), learning_rate)
        self.schedule = recipe.schedule(torch, self.optimizer)
        self.criterion = recipe.loss(torch)
        self.wait = harness.synchronizer(device, None if torch is minitorch else torch)
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.validation_losses: list[float] = []
        self.accuracies: list[float] = []
        self.seconds: list[float] = []

    def tensors(self, batch: Any) -> list[Any]:
        """A batch of minitorch's loader as tensors of this library, on the device."""
        if self.torch is not minitorch:
            batch = [self.torch.from_numpy(each.numpy()) for each in batch]
        return [each.to(self.device) for each in batch]

    def set_training(self, mode: bool) -> None:
        """Training or evaluation; what is frozen stays in evaluation, so that its statistics stay, too."""
        self.model.train(mode)
        if self.head is not None:
            for name, part in self.model.named_children():
                part.train(mode and name == self.head)

    def step(self, batch: Any) -> float:
        """Learn one batch, timed; returns the loss."""
        images, labels = self.tensors(batch)
        self.set_training(True)
        self.wait()
        start = time.perf_counter()
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(images), labels)
        loss.backward()
        self.optimizer.step()
        self.wait()
        self.seconds.append(time.perf_counter() - start)
        self.losses.append(loss.item())
        self.rates.append(self.rate)
        return self.losses[-1]

    @property
    def rate(self) -> float:
        """The present learning rate."""
        return float(self.optimizer.param_groups[0]["lr"])

    def evaluate(self, batches: Iterable[Any]) -> tuple[float, numpy.ndarray, numpy.ndarray]:
        """The mean loss, the predicted and the true labels."""
        self.set_training(False)
        total, predicted, true = 0.0, [], []
        with self.torch.no_grad():
            for batch in batches:
                images, labels = self.tensors(batch)
                outputs = self.model(images)
                total += self.criterion(outputs, labels).item() * len(labels)
                predicted.append(outputs.argmax(dim=1).cpu().numpy())
                true.append(labels.cpu().numpy())
        found, wanted = numpy.concatenate(predicted), numpy.concatenate(true)
        return total / len(wanted), found, wanted

    def end_epoch(self, batches: Iterable[Any]) -> None:
        """Look at the validation images, and go on to the next epoch's learning rate."""
        loss, predicted, true = self.evaluate(batches)
        self.validation_losses.append(loss)
        self.accuracies.append(float((predicted == true).mean()))
        self.schedule.step()

    def epoch_figures(self) -> str:
        """The last epoch in words."""
        return f"loss {self.validation_losses[-1]:.4f}, accuracy {self.accuracies[-1]:.2%} on validation images"

    def step_milliseconds(self) -> float:
        """The median time of a step, the first few left out."""
        return float(numpy.median(self.seconds[3:] or self.seconds or [0.0])) * 1e3
