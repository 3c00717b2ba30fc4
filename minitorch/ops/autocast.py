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
from collections.abc import Callable
from typing import Any, TypeVar

from minitorch.autograd import grad_mode
from minitorch.autograd.autocast_mode import get_autocast_dtype, state, usage
from minitorch.autograd.primitive import Cast
from minitorch.autograd.variable import Variable
from minitorch.backend import is_on_cpu
from minitorch.dtypes import dtype, float32, float64, from_numpy_dtype
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


def policies_of(name: str) -> tuple[tuple[str, str], ...]:
    """(device type, policy) of an op, those for CUDA first. Raises KeyError for an op without any."""
    found = tuple([(device, table[name]) for device, table in POLICIES.items() if name in table])
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


def _in_region(wrapped: Any, policies: tuple[tuple[str, str], ...], args: tuple[Any, ...], options: Any) -> Any:
    """Cast for one kind of device and call the op again with casting off for that kind."""
    if options.get("out") is None:
        for device, policy in policies:
            if device in state.devices and any(_is_on(device, each) for each in (*args, *options.values())):
                before = state.devices
                args, options = _prepared(wrapped, policy, device, args, options)
                state.devices = tuple([each for each in before if each != device])
                try:
                    return wrapped(*args, **options)
                finally:
                    state.devices = before
    return wrapped.__wrapped__(*args, **options)


def _prepared(
    wrapped: Any, policy: str, device: str, args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments as the policy wants them."""
    if policy == BANNED:
        raise RuntimeError(_BANNED_ERROR)
    if policy == FLOAT32_RESULT:
        return _with_dtype(wrapped.__wrapped__, device, args, options)
    target = _target(policy, device, (*args, *options.values()))
    values = _cast_all(options.values(), device, target)
    return tuple(_cast_all(args, device, target)), dict(zip(options, values))


def _with_dtype(
    operation: Any, device: str, args: tuple[Any, ...], options: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with ``dtype=float32``, if they have none and the first operand is one to cast."""
    names = operation.__code__.co_varnames[: operation.__code__.co_argcount]
    given = {**dict(zip(names, args)), **options}
    if given.get("dtype") is not None or not _is_eligible(given[names[0]], device):
        return args, options
    return (), {**given, "dtype": float32}


def _target(policy: str, device: str, operands: Any) -> dtype:
    if policy == FLOAT32:
        return float32
    lower = get_autocast_dtype(device)
    return lower if policy == LOWER else _widest(lower, device, operands)


def _widest(lower: dtype, device: str, operands: Any) -> dtype:
    """float32 if an operand is of it, else the lower precision."""
    if lower is float64:
        raise RuntimeError("promote type is double in at::autocast::prioritize")
    found = [from_numpy_dtype(each.array.dtype) for each in _variables(operands) if _is_eligible(each, device)]
    return float32 if float32 in found else lower


def _variables(operands: Any) -> list[Any]:
    """The Variables among the operands, those in lists too."""
    found = []
    for each in operands:
        if isinstance(each, Variable):
            found.append(each)
        elif each.__class__ in (list, tuple):
            found += _variables(each)
    return found


def _is_on(device: str, operand: Any) -> bool:
    """Whether the operand is a Variable on this kind of device, or a list with one."""
    return any(is_on_cpu(each.array) == (device == "cpu") for each in _variables((operand,)))


def _is_eligible(operand: Any, device: str) -> bool:
    """Whether it is a Variable that this device's policies may cast."""
    return (
        isinstance(operand, Variable)
        and operand.array.dtype.kind == "f"
        and operand.array.dtype != "float64"
        and is_on_cpu(operand.array) == (device == "cpu")
    )


def _cast_all(operands: Any, device: str, target: dtype) -> list[Any]:
    """Each operand in dtype ``target``, where it is one to cast; lists item by item."""
    cast = []
    for each in operands:
        if each.__class__ in (list, tuple):
            each = type(each)(_cast_all(each, device, target))
        elif _is_eligible(each, device) and each.array.dtype != target.numpy:
            each = _cached_cast(each, device, target)
        cast.append(each)
    return cast


def _cached_cast(operand: Any, device: str, target: dtype) -> Any:
    """The operand in dtype ``target``; that of a float32 parameter in the lower precision is kept."""
    is_parameter = operand.needs_grad and operand.node is None and operand.base is None
    is_kept = is_parameter and operand.array.dtype == "float32" and target is state.dtypes.get(device)
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
