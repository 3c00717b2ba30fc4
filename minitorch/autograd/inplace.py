"""In-place operations: ``x.add_(y)``, ``x[0] = y``, and what they mean for gradients.

``x.add_(y)`` is ``x ← x + y`` with the result in x's memory. For autograd x is then a new value: its node
becomes that of the addition. Everyone who saved the old value finds out through the version counter.

If x is a *view*, its base is a new value too: the old base with a part replaced (``AssignView``). Every other
view of that base brings its node up to date when it is next used (``Variable.refresh_view``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.autograd.function import Function
from minitorch.autograd.grad_mode import state
from minitorch.autograd.primitive import AssignView
from minitorch.autograd.variable import Variable, raw
from minitorch.dtypes import can_cast, from_numpy_dtype


def apply_inplace(target: Any, operation: Callable[[Any], Any]) -> Any:
    """Write ``operation(target)`` into ``target``'s memory and return ``target``.

    Raises RuntimeError, with torch's text, for a leaf that requires grad, for a result that is larger than
    the target or of a higher category of dtype.

    >>> import minitorch as torch
    >>> x = torch.zeros(2)
    >>> apply_inplace(x, lambda old: old + 1)
    tensor([1., 1.])
    """
    target.refresh_view()
    check_may_change(target)
    previous = target.alias()
    result = operation(previous)
    _check_fits(target, result)
    if state.enabled and result.needs_grad:
        if target.is_multi_view:
            raise RuntimeError(_MULTI_VIEW_ERROR.format(target.node.name() if target.node else "a view function"))
        _protect_saved(result, target)
    overwrite(target, result.array)
    if state.enabled and (result.needs_grad or target.needs_grad):
        _rebase(target, result)
    return target


def overwrite(target: Variable, value: Any) -> None:
    """Copy ``value`` into the target's memory, as a change that saved values are checked for."""
    target.array[...] = value
    target.bump_version()
    if target.base is not None and not target.base.needs_grad and not target.needs_grad:
        target.view_version = target.version


def check_may_change(target: Variable) -> None:
    """Raise torch's error if ``target`` is a leaf that requires grad, or a view of one, and ops are recorded."""
    if not (state.enabled and target.needs_grad):
        return
    if target.node is None:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    if target.base is not None and target.base.needs_grad and target.base.node is None:
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")


_MULTI_VIEW_ERROR = (
    "Output 0 of {} is a view and is being modified inplace. This view is the output of a function that returns "
    "multiple views. Such functions do not allow the output views to be modified inplace. You should replace the "
    "inplace operation by an out-of-place one."
)


def _check_fits(target: Variable, result: Variable) -> None:
    shape, wanted = list(result.array.shape), list(target.array.shape)
    if shape != wanted:
        raise RuntimeError(f"output with shape {wanted} doesn't match the broadcast shape {shape}")
    found, kept = from_numpy_dtype(result.array.dtype), from_numpy_dtype(target.array.dtype)
    if not can_cast(found, kept):
        raise RuntimeError(
            f"result type {found.legacy_name} can't be cast to the desired output type {kept.legacy_name}"
        )


def _protect_saved(result: Variable, target: Variable) -> None:
    """The operation saved the target's old value, which is about to be overwritten: give it a copy of that.

    If it saved its result instead, that value now lives in the target: watch the target for further changes.
    """
    node = result.node
    if not isinstance(node, Function):
        return
    old, new = target.array, result.array
    if any(value is old for value in node.saved):
        node.saved = tuple([value.copy() if value is old else value for value in node.saved])
    if any(value is new for value in node.saved):
        node.saved = tuple([old if value is new else value for value in node.saved])
        counter = target.version_counter()
        node.saved_versions = (*node.saved_versions, (counter, counter[0] + 1))


def _rebase(target: Variable, result: Variable) -> None:
    """Give the target (and, if it is a view, its base) the history of ``result``."""
    base = target.base
    if base is not None:
        old_base = base.alias()
        new_base = AssignView.apply(old_base, result, replay=target.replay)
        base.node, base.output_index = new_base.node, new_base.output_index
        base.needs_grad = new_base.needs_grad
        target.view_version = -1  # its node follows from the base's new history
        target.refresh_view()
        return
    target.needs_grad = result.needs_grad
    target.node, target.output_index = result.node, result.output_index


def write_out(result: Any, out: Any) -> Any:
    """The ``out=`` argument of an op: copy ``result`` into ``out`` and return ``out``; without one, ``result``.

    Raises RuntimeError where a gradient would be lost, where dtypes cannot be cast, or where ``out`` has
    elements but not the result's shape.
    """
    if out is None:
        return result
    if isinstance(result, tuple):
        return tuple(write_out(each, target) for each, target in zip(result, out))
    if state.enabled and (result.needs_grad or out.needs_grad):
        raise RuntimeError(
            "functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )
    if out.array.shape != result.array.shape and out.array.size == 0:
        out.array = raw(result).astype(out.array.dtype)
        out.bump_version()
        return out
    _check_fits(out, result)
    overwrite(out, result.array)
    return out
