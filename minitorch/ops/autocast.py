"""How ops take part in mixed precision: ``@autocasts`` above an op follows its line in ``autocast_policies.py``.

Within an ``amp.autocast`` region the decorated op first casts those of its operands that are Variables, floating but
not float64, on a device that the region is for. The casts are ops of their own, so that what is saved for backward has
the lower precision, and each gradient comes back in its operand's dtype. Ops that the op itself consists of are left
alone. Outside all regions the decorator costs one look at a flag.

A parameter is cast once a region: the cast is kept until the outermost region ends. It is made anew if the parameter
was changed in place or got new memory in between (where torch goes on with the old value), or if the kept cast was
made without recording, which is on now.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from minitorch.autograd import grad_mode
from minitorch.autograd.autocast_mode import get_autocast_dtype, state, usage
from minitorch.autograd.primitive import Cast
from minitorch.autograd.variable import Variable
from minitorch.backend import Array, is_on_cpu
from minitorch.dtypes import dtype, float32, float64
from minitorch.ops.autocast_policies import BANNED, FLOAT32, FLOAT32_RESULT, LOWER, POLICIES

F = TypeVar("F", bound=Callable[..., Any])

_BANNED_ERROR = (
    "torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to autocast.\n"
    "Many models use a sigmoid layer right before the binary cross entropy layer.\n"
    "In this case, combine the two layers using torch.nn.functional.binary_cross_entropy_with_logits\n"
    "or torch.nn.BCEWithLogitsLoss.  binary_cross_entropy_with_logits and BCEWithLogits are\n"
    "safe to autocast."
)


# A wrapper has its op's own parameters: handing on *args and **options would take three times as long.
_WRAPPER = """
def wrapped({parameters}):
    if not usage.has_begun or not state.devices:
        return operation({passed})
    return in_region(wrapped, policies, ({args}), {{{options}}})
"""
_HAS_ARGS = 4  # the flag of code with a parameter *args


def autocasts(operation: F) -> F:
    """Decorate an op: within a region its operands are cast by the policies under the op's name."""
    space: dict[str, Any] = {"operation": operation, "usage": usage, "state": state, "in_region": _in_region}
    space["policies"] = policies_of(operation.__name__)
    exec(_wrapper_source(operation.__code__), space)
    wrapped: Any = functools.update_wrapper(space["wrapped"], operation)
    wrapped.__defaults__, wrapped.__kwdefaults__ = operation.__defaults__, operation.__kwdefaults__
    found: F = wrapped
    return found


def _wrapper_source(code: Any) -> str:
    """The wrapper of a function with this code, as text."""
    end = code.co_argcount + code.co_kwonlyargcount
    positional, keywords = list(code.co_varnames[: code.co_argcount]), code.co_varnames[code.co_argcount : end]
    if code.co_flags & _HAS_ARGS:
        positional.append(f"*{code.co_varnames[end]}")
    star = ["*"] if keywords and not code.co_flags & _HAS_ARGS else []
    return _WRAPPER.format(
        parameters=", ".join([*positional, *star, *keywords]),
        passed=", ".join([*positional, *(f"{name}={name}" for name in keywords)]),
        args="".join(f"{name}, " for name in positional),
        options=", ".join(f"{name!r}: {name}" for name in keywords),
    )


def policies_of(name: str) -> dict[str, str]:
    """{device type: policy} of an op. Raises KeyError for an op without any."""
    found = {device: table[name] for device, table in POLICIES.items() if name in table}
    if not found:
        raise KeyError(f"{name} is in no list of autocast_policies.py")
    return found


def cast_operands(name: str, *operands: Any) -> tuple[Any, ...]:
    """Operands as the policy for ``name`` wants them, if there is one: for an op that is no function of its own."""
    for device in state.devices:
        policy = POLICIES[device].get(name)
        if policy is not None:
            operands = tuple(_cast_all(operands, device, _target(policy, device, operands)))
    return operands


def _in_region(wrapped: Any, policies: dict[str, str], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Cast for one kind of device and call the op again with casting off for that kind."""
    if options.get("out") is None:
        for device in state.devices:
            if device in policies and (_has_any_on(device, args) or _has_any_on(device, options.values())):
                args, options = _prepared(wrapped, policies[device], device, args, options)
                return _without(device, wrapped, args, options)
    return wrapped.__wrapped__(*args, **options)


def _without(device: str, wrapped: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Call an op with casting off for a kind of device."""
    before = state.devices
    state.devices = () if len(before) == 1 else tuple([each for each in before if each != device])
    try:
        return wrapped(*args, **options)
    finally:
        state.devices = before


def _prepared(
    wrapped: Any, policy: str, device: str, args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as the policy wants them."""
    if policy == BANNED:
        raise RuntimeError(_BANNED_ERROR)
    if policy == FLOAT32_RESULT:
        return _with_dtype(wrapped.__wrapped__, device, args, options)
    target = _target(policy, device, (*args, *options.values()))
    cast = tuple(_cast_all(args, device, target))
    return cast, (dict(zip(options, _cast_all(options.values(), device, target))) if options else options)


def _with_dtype(
    operation: Any, device: str, args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with ``dtype=float32``, if they have none and the first operand is one to cast."""
    names = operation.__code__.co_varnames[: operation.__code__.co_argcount]
    given = {**dict(zip(names, args)), **options}
    first = given[names[0]]
    if given.get("dtype") is not None or not (isinstance(first, Variable) and _is_eligible(first.array, device)):
        return args, options
    return (), {**given, "dtype": float32}


def _target(policy: str, device: str, operands: Any) -> dtype:
    """The dtype that a policy casts to."""
    if policy == FLOAT32:
        return float32
    lower = state.dtypes.get(device) or get_autocast_dtype(device)  # the second raises
    return lower if policy == LOWER else _widest(lower, device, operands)


def _widest(lower: dtype, device: str, operands: Any) -> dtype:
    """float32 if an operand is of it, else the lower precision."""
    if lower is float64:
        raise RuntimeError("promote type is double in at::autocast::prioritize")
    arrays = [each.array for each in _variables(operands)]
    is_wide = any(array.dtype.char == "f" and _is_eligible(array, device) for array in arrays)
    return float32 if is_wide else lower


def _variables(operands: Any) -> Iterator[Variable]:
    """The Variables among the operands, those in lists too."""
    for each in operands:
        if isinstance(each, Variable):
            yield each
        elif each.__class__ in (list, tuple):
            yield from _variables(each)


def _has_any_on(device: str, operands: Any) -> bool:
    """Whether one of the operands is a Variable on this kind of device, or a list with one."""
    is_for_cpu = device == "cpu"
    return any(is_on_cpu(each.array) == is_for_cpu for each in _variables(operands))


def _is_eligible(array: Array, device: str) -> bool:
    """Whether this device's policies may cast it: float16 or float32, and on such a device."""
    return array.dtype.char in "ef" and is_on_cpu(array) == (device == "cpu")


def _cast_all(operands: Any, device: str, target: dtype) -> list[Any]:
    """Each operand in dtype ``target``, where it is one to cast; lists item by item."""
    cast, wanted = [], target.numpy
    for each in operands:
        if isinstance(each, Variable):
            if each.array.dtype is not wanted and _is_eligible(each.array, device) and each.array.dtype != wanted:
                each = _cached_cast(each, device, target)
        elif each.__class__ in (list, tuple):
            each = type(each)(_cast_all(each, device, target))
        cast.append(each)
    return cast


def _cached_cast(operand: Any, device: str, target: dtype) -> Any:
    """The operand in dtype ``target``; that of a float32 parameter in the lower precision is kept."""
    is_parameter = operand.needs_grad and operand.node is None and operand.base is None
    is_kept = is_parameter and operand.array.dtype.char == "f" and target is state.dtypes.get(device)
    if not (is_kept and state.cache_enabled):
        return Cast.apply(operand, dtype=target.numpy)
    known = state.cache.get(id(operand))
    if known is not None:
        _, array, version, cast = known  # the parameter is kept, too: its identity may not be another's meanwhile
        if array is operand.array and version == operand.version and (cast.needs_grad or not grad_mode.state.enabled):
            return cast
    cast = Cast.apply(operand, dtype=target.numpy)
    state.cache[id(operand)] = (operand, operand.array, operand.version, cast)
    return cast
