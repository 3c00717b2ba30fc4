"""Whether operations are recorded for backward: a switch per thread, with torch's context managers."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class _GradState(threading.local):
    enabled = True
    inference = False


state = _GradState()  # read directly by Function.apply, where a call would cost more than the check


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require gradients are being recorded."""
    return state.enabled


def is_inference_mode_enabled() -> bool:
    """Whether the current thread is inside ``inference_mode``."""
    return state.inference


class _GradContext:
    """A context manager that is also a decorator, for functions and for generator functions."""

    def _replacement(self) -> tuple[bool, bool]:
        raise NotImplementedError("a subclass says which state it sets")

    def _fresh(self) -> _GradContext:
        return type(self)()

    def __enter__(self) -> None:
        self._previous = (state.enabled, state.inference)
        state.enabled, state.inference = self._replacement()

    def __exit__(self, *exception: object) -> None:
        state.enabled, state.inference = self._previous

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]

    def _wrap_generator(self, function: F) -> F:
        # The caller's code runs between two steps of a generator: it must see its own mode there.
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            sent = None
            while True:
                try:
                    with self._fresh():
                        item = generator.send(sent)
                except StopIteration as stop:
                    return stop.value
                sent = yield item

        return wrapped  # type: ignore[return-value]


class no_grad(_GradContext):  # noqa: N801 (torch's name)
    """Nothing inside is recorded: results do not require gradients, and no memory is kept for backward.

    >>> import minitorch as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        instance = super().__new__(cls)
        return instance if function is None else instance(function)  # @no_grad without parentheses

    def _replacement(self) -> tuple[bool, bool]:
        return False, state.inference


class enable_grad(_GradContext):  # noqa: N801 (torch's name)
    """Recording is on inside, also within ``no_grad``."""

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        instance = super().__new__(cls)
        return instance if function is None else instance(function)

    def _replacement(self) -> tuple[bool, bool]:
        return True, state.inference


class set_grad_enabled(_GradContext):  # noqa: N801 (torch's name)
    """Recording is set to ``mode``: at once when called as a function, until the end of a ``with`` block otherwise."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self._previous = (state.enabled, state.inference)
        state.enabled = mode

    def _fresh(self) -> _GradContext:
        return set_grad_enabled(self.mode)

    def __enter__(self) -> None:
        state.enabled = self.mode  # the state to return to is the one before __init__

    def _replacement(self) -> tuple[bool, bool]:
        return self.mode, state.inference

    def __call__(self, function: F) -> F:
        state.enabled, state.inference = self._previous  # as a decorator it must not change its definer's mode
        return super().__call__(function)


class inference_mode(_GradContext):  # noqa: N801 (torch's name)
    """``no_grad`` for code that will never need gradients (``mode=False``: ordinary mode)."""

    def __new__(cls, mode: bool | Callable[..., Any] = True) -> Any:
        instance = super().__new__(cls)
        if callable(mode):
            instance.mode = True
            return instance(mode)
        return instance

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode

    def _fresh(self) -> _GradContext:
        return inference_mode(self.mode)

    def _replacement(self) -> tuple[bool, bool]:
        return (False, True) if self.mode else (True, False)
