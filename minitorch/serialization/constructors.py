"""What a file may call when it is loaded with ``weights_only=True``, and with which arguments.

Each constructor is wrapped so that it takes only what a pickle of the real thing passes to it. Some would do
harm with other arguments: ``bytearray(10**12)`` takes a terabyte from fifteen bytes, ``_codecs.encode`` imports
whatever codec it is told.
"""

from __future__ import annotations

import codecs
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

from minitorch.device import device
from minitorch.nn.parameter import Parameter
from minitorch.serialization import allowed, rebuild
from minitorch.tensor.size import Size

_LARGEST_KEY = 1000  # values in a key of a dictionary, all tuples within tuples counted


class Budget:
    """What a pickle may still make by copying: in all no more than a few values a byte of its stream.

    A pickle of real objects passes each list to one constructor (bytes to two, if they end in a bytearray); one
    that passes the same list to a thousand would make a large result from a small file.
    """

    def __init__(self, size: int) -> None:
        self.left = 4 * size

    def spend(self, count: int) -> None:
        """Take ``count`` copied values from the budget; ValueError when it is used up."""
        self.left -= count
        if self.left < 0:
            raise ValueError("the pickle copies more values than its size allows")

    def key(self, key: Any) -> Any:
        """``key``, if it is safe to hash.

        Python hashes a tuple by recursion, into every element, however deep and however often one tuple is
        part of another: a few bytes of pickle could make that take forever, or run out of stack.
        """
        pending, count = [key], 0
        while pending:
            each = pending.pop()
            if type(each) is int:
                count += each.bit_length() // 64
            elif type(each) in (tuple, frozenset, Size):
                count += len(each)
                pending.extend(each if count <= _LARGEST_KEY else ())
        if count > _LARGEST_KEY:
            raise ValueError(f"a key of a dictionary or set holds more than {_LARGEST_KEY} values")
        self.spend(count)
        return key


def of(function: Any) -> Callable[..., Any] | None:
    """The checked constructor for what a file calls, or None if it may not call that."""
    for known, constructor in _CONSTRUCTORS:
        if known is function:
            return constructor
    return None


def _checked(value: Any, *types: type) -> Any:
    if type(value) not in types:
        raise TypeError(f"expected {' or '.join([each.__name__ for each in types])}, got {type(value).__name__}")
    return value


def _make_size(budget: Budget, sizes: Any) -> Size:
    budget.spend(len(_checked(sizes, tuple, list)))
    return Size([_checked(each, int) for each in sizes])


def _make_device(budget: Budget, kind: Any, index: Any = None) -> device:
    return device(_checked(kind, str), _checked(index, int, type(None)))


def _make_ordered_dict(budget: Budget, items: Any = ()) -> OrderedDict[Any, Any]:
    made: OrderedDict[Any, Any] = OrderedDict()
    budget.spend(len(_checked(items, tuple, list)))
    for item in items:
        key, value = _checked(item, tuple, list)
        made[budget.key(key)] = value
    return made


def _make_defaultdict(budget: Budget, factory: Any = None) -> defaultdict[Any, Any]:
    if not any(factory is each for each in _FACTORIES):
        raise TypeError("the factory of a defaultdict may only be a built-in container or number")
    return defaultdict(factory)


def _make_counter(budget: Budget, counts: Any = None) -> Counter[Any]:
    budget.spend(0 if counts is None else len(_checked(counts, dict)))
    return Counter(counts)


def _make_set(budget: Budget, items: Any = ()) -> set[Any]:
    budget.spend(len(_checked(items, tuple, list)))
    return {budget.key(each) for each in items}


def _make_frozenset(budget: Budget, items: Any = ()) -> frozenset[Any]:
    return frozenset(_make_set(budget, items))


def _make_bytes(budget: Budget) -> bytes:
    return b""


def _make_bytearray(budget: Budget, content: Any = b"", encoding: Any = "latin1") -> bytearray:
    content = _encode(budget, content, encoding) if type(content) is str else _checked(content, bytes)
    budget.spend(len(content))
    return bytearray(content)


def _encode(budget: Budget, text: Any, encoding: Any) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes are kept as latin1, not as {encoding!r}")
    budget.spend(len(_checked(text, str)))
    return bytes(text, "latin1")


def _make_complex(budget: Budget, real: Any, imaginary: Any = 0.0) -> complex:
    return complex(_checked(real, int, float), _checked(imaginary, int, float))


def make_parameter(budget: Budget, data: Any, requires_grad: Any = True) -> Parameter:
    """A parameter on the memory of ``data``."""
    return rebuild.rebuild_parameter(data, requires_grad, OrderedDict())


def _without_budget(function: Any) -> Callable[..., Any]:
    return lambda budget, *args: function(*args)


_FACTORIES = (None, *allowed.FACTORIES.values(), set, OrderedDict, Counter)
_CONSTRUCTORS: list[tuple[Any, Callable[..., Any]]] = [
    *[(function, _without_budget(function)) for function in rebuild.BY_NAME.values()],
    (OrderedDict, _make_ordered_dict),
    (defaultdict, _make_defaultdict),
    (Counter, _make_counter),
    (set, _make_set),
    (frozenset, _make_frozenset),
    (bytes, _make_bytes),
    (bytearray, _make_bytearray),
    (complex, _make_complex),
    (codecs.encode, _encode),
    (Size, _make_size),
    (device, _make_device),
    (Parameter, make_parameter),
]
