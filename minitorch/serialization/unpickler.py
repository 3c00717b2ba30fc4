"""A pickle machine that runs no code: how ``load`` reads a file that nobody vouches for.

A pickle is a program for a small stack machine. Python's own machine will import any module and call any
function that the program names, so whoever writes a file can run code where it is loaded. This machine knows
the same instructions, but

- a name (GLOBAL) is looked up in a list (allowed.py), never imported;
- a call (REDUCE) goes only to a constructor in the table below, each of which checks its arguments, or to what
  the user has listed with ``add_safe_globals``;
- attributes (BUILD) are set only on an ``OrderedDict``, without hiding its methods, or on the user's classes;
- work and memory are bounded by the size of the stream: a small program cannot build a large result.

The idea and the texts of the errors are torch's (``torch/_weights_only_unpickler.py``).
"""

from __future__ import annotations

import pickle
import pickletools
import struct
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

from minitorch.serialization import allowed, constructors, names, rebuild

# What a damaged or hostile program makes the machine's own Python raise.
_DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_NEW_CONTAINERS: dict[str, Callable[[], Any]] = {
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
_LITERALS = {
    *("BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "BINFLOAT", "FLOAT"),
    *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
    *("STRING", "SHORT_BINSTRING", "BINSTRING", "BYTEARRAY8"),
}
_DICTS = (dict, OrderedDict, Counter, defaultdict)


def loads(stream: bytes, persistent_load: Callable[[Any], Any]) -> Any:
    """The object that a pickle describes, made without running any code of its choosing.

    Args: persistent_load: called with what the program uses to name a storage; returns the storage.
    Raises: UnpicklingError for a program that wants more than is allowed, or makes no sense.
    """
    try:
        return _Machine(stream, persistent_load).run()
    except _DAMAGE as error:
        raise pickle.UnpicklingError(f"the pickle is damaged: {type(error).__name__}: {str(error)[:500]}") from error


class _Machine:
    """A stack of values, a memo of values to come back to, and one method a kind of instruction."""

    def __init__(self, stream: bytes, persistent_load: Callable[[Any], Any]) -> None:
        self.stream = stream
        self.persistent_load = persistent_load
        self.users = allowed.users_globals()
        self.budget = constructors.Budget(len(stream))
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks set aside by MARK
        self.memo: dict[int, Any] = {}

    def run(self) -> Any:
        for instruction, argument, _ in pickletools.genops(self.stream):
            name = instruction.name
            if name in _LITERALS:
                self.stack.append(argument)
            elif name in _CONSTANTS:
                self.stack.append(_CONSTANTS[name])
            elif name in _NEW_CONTAINERS:
                self.stack.append(_NEW_CONTAINERS[name]())
            elif name == "STOP":
                return self.stack.pop()
            elif name not in _METHODS:
                raise pickle.UnpicklingError(f"Unsupported operand {ord(instruction.code)} ({name})")
            else:
                _METHODS[name](self, argument)
        raise EOFError("the pickle has no end")

    # -------------------------------------------------------------------------------- the stack and memo

    def ignore(self, argument: Any) -> None:
        """PROTO and FRAME announce what the stream itself shows."""

    def mark(self, argument: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def pop_mark(self) -> list[Any]:
        """The values pushed since the last MARK."""
        items = self.stack
        self.stack = self.below.pop()
        return items

    def discard(self, argument: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.pop_mark()

    def discard_to_mark(self, argument: Any) -> None:
        self.pop_mark()

    def get(self, index: Any) -> None:
        self.stack.append(self.memo[index])

    def put(self, index: Any) -> None:
        self.memo[index] = self.stack[-1]

    def memoize(self, argument: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    # ------------------------------------------------------------------------------------- containers

    def make_tuple(self, argument: Any) -> None:
        items = self.pop_mark()
        self.stack.append(tuple(items))

    def make_tuple_1(self, argument: Any) -> None:
        self.stack[-1:] = [(self.stack[-1],)]

    def make_tuple_2(self, argument: Any) -> None:
        self.stack[-2:] = [(self.stack[-2], self.stack[-1])]

    def make_tuple_3(self, argument: Any) -> None:
        self.stack[-3:] = [(self.stack[-3], self.stack[-2], self.stack[-1])]

    def make_list(self, argument: Any) -> None:
        items = self.pop_mark()
        self.stack.append(items)

    def make_dict(self, argument: Any) -> None:
        items = self.pop_mark()
        self.stack.append({})
        self._set(items)

    def make_frozenset(self, argument: Any) -> None:
        items = self.pop_mark()
        self.stack.append(frozenset([self.budget.key(each) for each in items]))

    def append(self, argument: Any) -> None:
        item = self.stack.pop()
        self._extend([item])

    def extend(self, argument: Any) -> None:
        self._extend(self.pop_mark())

    def _extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise pickle.UnpicklingError(f"Can only append to lists, but got {type(target)}")
        target.extend(items)

    def add_items(self, argument: Any) -> None:
        items = self.pop_mark()
        if type(self.stack[-1]) is not set:
            raise pickle.UnpicklingError(f"Can only add items to sets, but got {type(self.stack[-1])}")
        self.stack[-1].update([self.budget.key(each) for each in items])

    def set_item(self, argument: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key, value])

    def set_items(self, argument: Any) -> None:
        self._set(self.pop_mark())

    def _set(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) not in _DICTS:
            raise pickle.UnpicklingError(
                "Can only SETITEM for dict, collections.OrderedDict, collections.Counter, "
                f"collections.defaultdict, but got {type(target)}"
            )
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[self.budget.key(key)] = value

    # ------------------------------------------------------------------------- names, calls and attributes

    def find_global(self, argument: Any) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(self._find(module, name))

    def find_stacked_global(self, argument: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if type(name) is not str or type(module) is not str:
            raise pickle.UnpicklingError("STACK_GLOBAL requires str")
        self.stack.append(self._find(module, name))

    def _find(self, module: str, name: str) -> Any:
        module, name = allowed.modern_name(module, name)
        path = f"{module}.{name}"
        if module.partition(".")[0] in allowed.BLOCKED_MODULES:
            raise pickle.UnpicklingError(f"Trying to load unsupported GLOBAL {path} whose module {module} is blocked.")
        for listed in (allowed.ALLOWED, self.users):
            if path in listed:
                return listed[path]
        if path in names.UNSUPPORTED:
            raise RuntimeError(names.UNSUPPORTED[path])
        shown = name if module == "builtins" else path
        raise pickle.UnpicklingError(
            f"Unsupported global: GLOBAL {shown} was not an allowed global by default. Please use "
            f"`torch.serialization.add_safe_globals([{shown}])` or the "
            f"`torch.serialization.safe_globals([{shown}])` context manager to allowlist this global if you trust "
            "this class/function."
        )

    def _is_users(self, value: Any) -> bool:
        return any(value is each for each in self.users.values())

    def call(self, argument: Any) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        if type(args) is not tuple:
            raise pickle.UnpicklingError(f"REDUCE needs a tuple of arguments, but got {type(args)}")
        if self._is_users(function):
            self.stack.append(function(*args))
            return
        constructor = constructors.of(function)
        if constructor is None:
            raise pickle.UnpicklingError(f"Trying to call reduce for unrecognized function {_shown(function)}")
        self.stack.append(constructor(self.budget, *args))

    def make_object(self, argument: Any) -> None:
        args, cls = self.stack.pop(), self.stack.pop()
        self._make_object(cls, args, {})

    def make_object_with_keywords(self, argument: Any) -> None:
        keywords, args, cls = self.stack.pop(), self.stack.pop(), self.stack.pop()
        self._make_object(cls, args, keywords)

    def _make_object(self, cls: Any, args: Any, keywords: Any) -> None:
        if cls is allowed.ALLOWED["torch.nn.parameter.Parameter"]:
            self.stack.append(constructors.make_parameter(self.budget, *args, **keywords))
        elif self._is_users(cls) and isinstance(cls, type):
            self.stack.append(cls.__new__(cls, *args, **keywords))
        else:
            raise pickle.UnpicklingError(
                "Can only create new object for nn.Parameter or classes allowlisted via `add_safe_globals` but got "
                f"{_shown(cls)}"
            )

    def build(self, argument: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if type(target) is OrderedDict:
            rebuild.set_attributes(target, state)
        elif self._is_users(type(target)):
            _restore_state(target, state)
        else:
            raise pickle.UnpicklingError(
                f"Can only build OrderedDict or types allowlisted via `add_safe_globals`, but got {type(target)}"
            )

    def find_storage(self, argument: Any) -> None:
        self.stack.append(self.persistent_load(self.stack.pop()))


def _shown(value: Any) -> str:
    """The value as an error may show it: a class or function by name, anything else by its type."""
    return repr(value)[:200] if isinstance(value, type) or callable(value) else repr(type(value))


def _restore_state(target: Any, state: Any) -> None:
    """What Python's own BUILD does, for an object of a class that the user trusts."""
    if hasattr(target, "__setstate__"):
        target.__setstate__(state)
        return
    attributes, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
    if attributes:
        target.__dict__.update(attributes)
    for name, value in (slots or {}).items():
        setattr(target, name, value)


_METHODS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _Machine.ignore,
    "FRAME": _Machine.ignore,
    "MARK": _Machine.mark,
    "POP": _Machine.discard,
    "POP_MARK": _Machine.discard_to_mark,
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "TUPLE": _Machine.make_tuple,
    "TUPLE1": _Machine.make_tuple_1,
    "TUPLE2": _Machine.make_tuple_2,
    "TUPLE3": _Machine.make_tuple_3,
    "LIST": _Machine.make_list,
    "DICT": _Machine.make_dict,
    "FROZENSET": _Machine.make_frozenset,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.extend,
    "ADDITEMS": _Machine.add_items,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "GLOBAL": _Machine.find_global,
    "STACK_GLOBAL": _Machine.find_stacked_global,
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.make_object,
    "NEWOBJ_EX": _Machine.make_object_with_keywords,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.find_storage,
}
