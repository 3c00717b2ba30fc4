"""The switches for results that are the same, bit for bit, from run to run; see ``backend/determinism.py``."""

from __future__ import annotations

from minitorch.backend.determinism import switches

__all__ = [
    "are_deterministic_algorithms_enabled",
    "get_deterministic_debug_mode",
    "is_deterministic_algorithms_warn_only_enabled",
    "set_deterministic_debug_mode",
    "use_deterministic_algorithms",
]

_MODES = {"default": 0, "warn": 1, "error": 2}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for results that never change from run to run (``mode``), or no longer.

    On a CPU they never do, for a number of threads. On a GPU it concerns sums into places that an index picks
    (``index_add``, ``scatter_add``, gradients of indexing and embeddings), which then take longer. Memory that
    ``empty`` gives is filled with nan, unless ``utils.deterministic.fill_uninitialized_memory`` is False.

    Args: warn_only: in torch, warn of ops that have no deterministic algorithm; all have one here.
    Raises: TypeError for a mode that is no bool.

    >>> import minitorch as torch
    >>> torch.use_deterministic_algorithms(True)
    >>> torch.are_deterministic_algorithms_enabled(), torch.empty(2)
    (True, tensor([nan, nan]))
    >>> torch.use_deterministic_algorithms(False)
    """
    for name, value in (("mode", mode), ("warn_only", warn_only)):
        if not isinstance(value, bool):
            raise TypeError(f"use_deterministic_algorithms(): argument '{name}' must be bool, not {_name(value)}")
    switches.algorithms, switches.warn_only = mode, warn_only


def are_deterministic_algorithms_enabled() -> bool:
    """Whether ``use_deterministic_algorithms(True)`` is in force."""
    return switches.algorithms


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether it was asked for with ``warn_only``."""
    return switches.warn_only


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """``use_deterministic_algorithms`` by number or name: 0 "default", 1 "warn", 2 "error".

    Raises: TypeError for another type, RuntimeError for another number or name.
    """
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str) and debug_mode not in _MODES:
        raise RuntimeError(
            f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
        )
    number = _MODES[debug_mode] if isinstance(debug_mode, str) else debug_mode
    if number not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    use_deterministic_algorithms(number > 0, warn_only=number == 1)


def get_deterministic_debug_mode() -> int:
    """0 by default, 1 if determinism is asked for with warnings, 2 with errors."""
    return 0 if not switches.algorithms else 1 if switches.warn_only else 2


def _name(value: object) -> str:
    return "NoneType" if value is None else type(value).__name__
