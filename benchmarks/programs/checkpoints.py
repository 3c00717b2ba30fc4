"""A run on disk: all that it needs to go on bit for bit.

The file is a dictionary in torch's own format, which ``minitorch.load`` and ``torch.load`` open: ``options`` and
``position`` of the run, and for each library ``model``, ``optimizer``, ``schedule``, ``random_state`` and the figures
so far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import minitorch
from benchmarks.programs.contestant import Contestant
from benchmarks.programs.training import Position, Training

FIGURES = ("losses", "rates", "validation_losses", "accuracies")


def save(path: Path, training: Training, options: dict[str, Any], stage: int = 0) -> None:
    """Write the run to ``path``, in one step: the old file stays until the new one is complete."""
    contestants = {name: _state_of(each) for name, each in training.contestants.items()}
    position = {**asdict(training.position), "step": training.step, "stage": stage}
    minitorch.save({"options": options, "position": position, "contestants": contestants}, path)


def read(path: Path, options: dict[str, Any]) -> dict[str, Any]:
    """The content of ``path``; SystemExit if it is missing, or of a run with other options."""
    if not path.exists():
        raise SystemExit(f"--resume: there is no checkpoint {path}")
    checkpoint = minitorch.load(path, map_location="cpu")
    saved = checkpoint["options"]
    different = [
        f"{name} {saved.get(name)} (now {value})" for name, value in options.items() if saved.get(name) != value
    ]
    if different:
        raise SystemExit(f"--resume: {path} is of a run with {', '.join(different)}")
    return checkpoint


def restore(training: Training, checkpoint: dict[str, Any]) -> None:
    """Put a run that has just been set up where the saved one was."""
    position = checkpoint["position"]
    training.position = Position(*(position[name] for name in ("epoch", "batch", "stream_state")))
    training.stream.state = training.position.stream_state
    for name, each in training.contestants.items():
        _load_state(each, checkpoint["contestants"][name])


def _state_of(contestant: Contestant) -> dict[str, Any]:
    parts = ("model", "optimizer", "schedule")
    state = {name: getattr(contestant, name).state_dict() for name in parts}
    state["random_state"] = contestant.torch.get_rng_state()
    if contestant.device == "cuda" and contestant.torch is not minitorch:
        state["device_random_state"] = contestant.torch.cuda.get_rng_state()
    return mapped(state, to_minitorch) | {name: list(getattr(contestant, name)) for name in FIGURES}


def _load_state(contestant: Contestant, saved: dict[str, Any]) -> None:
    torch = contestant.torch
    tensors = {name: value for name, value in saved.items() if name not in FIGURES}
    state = tensors if torch is minitorch else mapped(tensors, lambda tensor: torch.from_numpy(tensor.numpy().copy()))
    for name in ("model", "optimizer", "schedule"):
        getattr(contestant, name).load_state_dict(state[name])
    torch.set_rng_state(state["random_state"])
    if "device_random_state" in state and contestant.device == "cuda":
        torch.cuda.set_rng_state(state["device_random_state"])
    for name in FIGURES:
        setattr(contestant, name, list(saved[name]))


def to_minitorch(tensor: Any) -> Any:
    """A tensor of either library as one of minitorch."""
    if isinstance(tensor, minitorch.Tensor):
        return tensor
    return minitorch.from_numpy(tensor.detach().cpu().numpy().copy())


def mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    """Nested dictionaries and lists with ``function`` of each tensor in them."""
    if hasattr(value, "numpy"):
        return function(value)
    if type(value) in (list, tuple):
        return type(value)(mapped(each, function) for each in value)
    if isinstance(value, dict) and not hasattr(value, "total"):  # a Counter holds numbers only
        return {key: mapped(each, function) for key, each in value.items()}
    return value
