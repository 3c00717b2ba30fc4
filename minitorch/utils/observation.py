"""Watching a network at work: one real pass with a hook before and after every module's call.

``summary`` (a table of the layers) and ``tensorboard`` (a drawing of the graph) are both made this way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minitorch.nn.module import Module
from minitorch.tensor.tensor import Tensor

Before = Callable[[Module, Any], None]  # (module, (args, kwargs))
After = Callable[[Module, Any, Any], None]  # (module, (args, kwargs), output)


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """``model`` in eval mode inside; afterwards every module is in the mode that it was in, also after an error."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextmanager
def observed(model: Module, before: Before, after: After) -> Iterator[None]:
    """``before`` and ``after`` are called around every call of ``model`` and of the modules in it."""
    handles: list[Any] = []

    def enter(module: Module, args: Any, kwargs: Any) -> None:
        before(module, (args, kwargs))

    def leave(module: Module, args: Any, kwargs: Any, output: Any) -> None:
        after(module, (args, kwargs), output)

    try:
        for module in model.modules():
            handles.append(module.register_forward_pre_hook(enter, with_kwargs=True))
            handles.append(module.register_forward_hook(leave, with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


def tensors_in(value: Any) -> list[Tensor]:
    """The tensors in nested tuples, lists and dicts, in order."""
    if isinstance(value, Tensor):
        return [value]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return [tensor for member in members for tensor in tensors_in(member)]


def map_tensors(function: Callable[[Tensor], Any], value: Any) -> Any:
    """``value`` with ``function`` applied to every tensor in its tuples, lists and dicts."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {key: map_tensors(function, member) for key, member in value.items()}
    if isinstance(value, (tuple, list)):
        members = [map_tensors(function, member) for member in value]
        return type(value)(*members) if hasattr(value, "_fields") else type(value)(members)
    return value
