"""What a file may name when it is loaded with ``weights_only=True``: a list of its own, and the user's.

The list holds what checkpoints are made of, and nothing that could act: no ``eval``, no ``getattr``, no class
whose construction does something. A user who trusts a class adds it with ``add_safe_globals``.
"""

from __future__ import annotations

import codecs
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Any

from minitorch.device import device
from minitorch.nn.parameter import Parameter
from minitorch.serialization import names, rebuild
from minitorch.tensor.size import Size
from minitorch.tensor.tensor import Tensor

# Never allowed, not even if a user lists something from them.
BLOCKED_MODULES = ("sys", "os", "posix", "nt")

# Classes that a file may name but not call: as the factory of a defaultdict, or as a tensor's type.
FACTORIES = {f"builtins.{each.__name__}": each for each in (bool, dict, float, int, list, str, tuple)}

ALLOWED: dict[str, Any] = {
    **FACTORIES,
    **names.STORAGE_TYPES,
    **{f"torch.{dtype.name}": dtype for dtype in names.DTYPE_NAMES},
    **rebuild.BY_NAME,
    "torch.Size": Size,
    "torch.device": device,
    "torch.Tensor": Tensor,
    "torch._tensor.Tensor": Tensor,
    "torch.nn.parameter.Parameter": Parameter,
    "collections.OrderedDict": OrderedDict,
    "collections.defaultdict": defaultdict,
    "collections.Counter": Counter,
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.bytes": bytes,
    "builtins.bytearray": bytearray,
    "builtins.complex": complex,
    "_codecs.encode": codecs.encode,
}

SafeGlobal = Callable[..., Any] | tuple[Callable[..., Any], str]
_users: list[SafeGlobal] = []


def add_safe_globals(safe_globals: list[SafeGlobal]) -> None:
    """Let files name these classes and functions when they are loaded with ``weights_only=True``.

    Loading may then call them with arguments from the file, so list only what does no harm with any argument.

    Args: safe_globals: classes or functions, or pairs of one and the full name by which files know it.

    >>> import minitorch as torch
    >>> torch.serialization.add_safe_globals([torch.nn.Linear])
    >>> torch.serialization.get_safe_globals()
    [<class 'minitorch.nn.linear.Linear'>]
    >>> torch.serialization.clear_safe_globals()
    """
    _users.extend([each for each in safe_globals if each not in _users])


def get_safe_globals() -> list[SafeGlobal]:
    """What the user has allowed so far."""
    return list(_users)


def clear_safe_globals() -> None:
    """Allow nothing any more but what is always allowed."""
    _users.clear()


class safe_globals:  # noqa: N801 (torch's name)
    """Allow these classes and functions within a ``with`` block; see ``add_safe_globals``."""

    def __init__(self, safe_globals: list[SafeGlobal]) -> None:
        self.safe_globals = safe_globals

    def __enter__(self) -> safe_globals:
        self._added = [each for each in self.safe_globals if each not in _users]
        add_safe_globals(self._added)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _users[:] = [each for each in _users if each not in self._added]


def users_globals() -> dict[str, Any]:
    """What the user has allowed, by the full name that files use.

    Raises: ValueError or TypeError for an entry that is neither a global nor a pair of global and name.
    """
    named = {}
    for each in _users:
        if not isinstance(each, tuple):
            named[f"{each.__module__}.{each.__qualname__}"] = each
        elif len(each) != 2:
            raise ValueError(
                f"Expected tuple of length 2 (global, str of callable full path), but got tuple of length: {len(each)}"
            )
        elif type(each[1]) is not str:
            raise TypeError(f"Expected second item in tuple to be str of callable full path, but got: {type(each[1])}")
        else:
            named[each[1]] = each[0]
    return named


def modern_name(module: str, name: str) -> tuple[str, str]:
    """Python 3's name of a global: files are written so that Python 2 could read them (``__builtin__ set``)."""
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name
