"""Modules that hold other modules or parameters: in sequence, in a list, in a dictionary."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from minitorch.nn.module import Module, bracketed, indented


class Sequential(Module):
    """Modules applied one after another, each to what the one before it gave.

    Args: the modules, or one OrderedDict of names and modules.

    >>> import minitorch as torch
    >>> torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU())
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in named:
            self.add_module(str(name), module)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.__class__(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name_at(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: Any) -> None:
        names = list(self._modules)[index] if isinstance(index, slice) else [self._name_at(index)]
        for name in names:
            delattr(self, name)
        self._renumber()

    def _name_at(self, index: int) -> str:
        return list(self._modules)[normalised(index, len(self))]

    def _renumber(self) -> None:
        modules = list(self._modules.values())
        self._modules.clear()
        self._modules.update((str(position), module) for position, module in enumerate(modules))

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *_require_sequential(other, "add operator"))

    def __iadd__(self, other: Sequential) -> Sequential:
        return self.extend(_require_sequential(other, "add operator"))

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*list(self) * _require_positive(times))

    def __rmul__(self, times: int) -> Sequential:
        return self * times

    def __imul__(self, times: int) -> Sequential:
        return self.extend(list(self) * (_require_positive(times) - 1))

    def append(self, module: Module) -> Sequential:
        """Add a module behind the last."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, sequential: Iterable[Module]) -> Sequential:
        """Add several modules behind the last."""
        for module in list(sequential):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Sequential:
        """Add a module in front of position ``index``."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        _check_insertion(index, len(self))
        modules = list(self)
        modules.insert(index, module)
        self._modules.clear()
        return self.extend(modules)

    def pop(self, index: int | slice) -> Any:
        """Remove the module at ``index`` and return it."""
        removed = self[index]
        del self[index]
        return removed


class ModuleList(Module):
    """A list of modules; what to do with them is up to the ``forward`` of the module that holds it.

    >>> import minitorch as torch
    >>> torch.nn.ModuleList([torch.nn.Linear(2, 2) for _ in range(3)])
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Any] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.__class__(list(self)[index])
        return self._modules[str(normalised(index, len(self)))]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, str(normalised(index, len(self))), module)

    def __delitem__(self, index: Any) -> None:
        kept = list(self)
        del kept[index if isinstance(index, slice) else normalised(index, len(self))]
        self._replace(kept)

    def _replace(self, modules: list[Any]) -> None:
        self._modules.clear()
        self._modules.update((str(position), module) for position, module in enumerate(modules))

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __add__(self, other: Iterable[Any]) -> ModuleList:
        return ModuleList([*self, *list(other)])  # list(): torch's error for what cannot be iterated

    def __iadd__(self, other: Iterable[Any]) -> ModuleList:
        return self.extend(other)

    def append(self, module: Any) -> ModuleList:
        """Add a module behind the last."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Any]) -> ModuleList:
        """Add several modules behind the last."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"ModuleList.extend should be called with an iterable, but got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> None:
        """Add a module in front of position ``index``."""
        modules = list(self)
        modules.insert(index, module)
        self._replace(modules)

    def pop(self, key: int | slice) -> Any:
        """Remove the module at ``key`` and return it."""
        removed = self[key]
        del self[key]
        return removed

    def __repr__(self) -> str:
        """Runs of modules with the same text are written once, with their number."""
        runs: list[list[Any]] = []  # of each: first position, last position, text
        for position, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1][1] = position
            else:
                runs.append([position, position, text])
        lines = []
        for first, last, text in runs:
            label = f"({first}): " if first == last else f"({first}-{last}): {last - first + 1} x "
            lines.append(indented(label + text))
        return self._get_name() + bracketed([], lines)


class ModuleDict(Module):
    """Modules by name, in the order they were added.

    >>> import minitorch as torch
    >>> torch.nn.ModuleDict({"act": torch.nn.ReLU()})["act"]
    ReLU()
    """

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Remove the module named ``key`` and return it."""
        module = self[key]
        del self[key]
        return module

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def items(self) -> Any:
        """The names with their modules."""
        return self._modules.items()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add the modules of a mapping, or of pairs of a name and a module."""
        for name, module in pairs_of(modules, "ModuleDict"):
            self[name] = module


def normalised(index: Any, length: int) -> int:
    """``index`` counted from the front; IndexError where there is nothing."""
    position = operator.index(index)
    if not -length <= position < length:
        raise IndexError(f"index {position} is out of range")
    return position % length


def pairs_of(values: Any, owner: str) -> Iterator[tuple[Any, Any]]:
    """The keys and values of a mapping, or of an iterable of pairs; torch's errors for anything else."""
    if isinstance(values, (Mapping, ModuleDict)) or hasattr(values, "items"):
        yield from list(values.items())
        return
    if not isinstance(values, Iterable):
        raise TypeError(
            f"{owner}.update should be called with an iterable of key/value pairs, but got {type(values).__name__}"
        )
    for position, pair in enumerate(values):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{owner} update sequence element #{position} should be Iterable; is{type(pair).__name__}")
        items = list(pair)
        if len(items) != 2:
            raise ValueError(f"{owner} update sequence element #{position} has length {len(items)}; 2 is required")
        yield items[0], items[1]


def _require_sequential(other: Any, operation: str) -> Sequential:
    if not isinstance(other, Sequential):
        raise ValueError(f"{operation} supports only objects of Sequential class, but {type(other)} is given.")
    return other


def _require_positive(times: Any) -> int:
    if not isinstance(times, int):
        raise TypeError(f"unsupported operand type(s) for *: {Sequential} and {type(times)}")
    if times <= 0:
        raise ValueError(f"Non-positive multiplication factor {times} for {Sequential}")
    return times


def _check_insertion(index: int, length: int) -> None:
    if not -length <= index <= length:
        raise IndexError(f"Index out of range: {index}")
