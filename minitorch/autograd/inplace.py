"""In-place operations: ``x.add_(y)``, ``x[0] = y``, and what they mean for gradients.

``x.add_(y)`` is ``x ← x + y`` with the result in x's memory. For autograd x is then a new value: its node
becomes that of the addition. Everyone who saved the old value finds out through the version counter.

If x is a *view*, its base is a new value too: the old base with a part replaced (``AssignView``). Every other
view of that base brings its node up to date when it is next used (``Variable.refresh_view``).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from minitorch.autograd.autocast_mode import state as autocast
from minitorch.autograd.autocast_mode import usage
from minitorch.autograd.function import Function
from minitorch.autograd.grad_mode import state
from minitorch.autograd.primitive import AssignView
from minitorch.autograd.variable import Variable
from minitorch.autograd.views import check_view_may_change, follow_base
from minitorch.backend import Array, HostArray, array_module, is_same_memory
from minitorch.dtypes import can_cast, from_numpy_dtype


def apply_inplace(target: Any, operation: Callable[[Any], Any], may_overlap: bool = False) -> Any:
    """Write ``operation(target)`` into ``target``'s memory and return ``target``.

    Raises RuntimeError, with torch's text, for a leaf that requires grad, for a result that is larger than
    the target or of a higher category of dtype, and, unless ``may_overlap``, for an expanded target.

    >>> import minitorch as torch
    >>> x = torch.zeros(2)
    >>> apply_inplace(x, lambda old: old + 1)
    tensor([1., 1.])
    """
    if state.enabled:
        target.refresh_view()
        check_may_change(target)
    if not may_overlap:
        check_no_overlap(target.array)
    previous = target.alias()
    result = operation(previous) if not usage.has_begun else _without_autocast(operation, previous)
    _check_fits(target, result)
    is_recorded = state.enabled and result.needs_grad
    if is_recorded:
        if target.base is not None:
            check_view_may_change(target)
        _protect_saved(result, target)
    overwrite(target, result.array)
    if is_recorded or (state.enabled and target.needs_grad):
        _rebase(target, result)
    return target


def _without_autocast(operation: Callable[[Any], Any], previous: Any) -> Any:
    """The operation in the dtype of the memory that it is for, as torch's in-place ops are never cast."""
    before, autocast.devices = autocast.devices, ()
    try:
        return operation(previous)
    finally:
        autocast.devices = before


def overwrite(target: Variable, value: Any) -> None:
    """Copy ``value`` into the target's memory, as a change that saved values are checked for.

    A kernel may have computed it there: then it is a view of the target.
    """
    if target.array.__class__ is HostArray or not is_same_memory(target.array, value):
        target.array[...] = value
    target.bump_version()


def may_compute_in_place(target: Variable) -> bool:
    """Whether an operation may write into the target's memory itself: nothing that is checked later may refuse that."""
    return target.base is None or not state.enabled


def check_may_change(target: Variable) -> None:
    """Raise torch's error if ``target`` is a leaf that requires grad, or a view of one, and ops are recorded."""
    base = target.base
    if not state.enabled or not (target.needs_grad or (base is not None and base.needs_grad)):
        return
    if base is not None:
        check_view_may_change(target)
        if base.needs_grad and base.node is None:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    if target.needs_grad and target.node is None:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")


def check_no_overlap(array: Array) -> None:
    """Raise torch's error for memory where one number stands for several elements, as ``expand`` makes it."""
    if (
        array.size
        and 0 in array.strides
        and any(stride == 0 and size > 1 for size, stride in zip(array.shape, array.strides))
    ):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )


def _check_fits(target: Variable, result: Variable) -> None:
    if result.array.shape == target.array.shape and result.array.dtype is target.array.dtype:
        return
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
        AssignView.record(base, result, target.replay)
        follow_base(target)
        return
    target.needs_grad = result.needs_grad
    target.node, target.output_index = result.node, result.output_index


def write_out(result: Any, out: Any) -> Any:
    """The ``out=`` argument of an op: copy ``result`` into ``out`` and return ``out``; without one, ``result``.

    An ``out`` of another shape is given new memory, with torch's warning unless it was empty.
    Raises RuntimeError where a gradient would be lost or where dtypes cannot be cast.
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
    if out.array.shape != result.array.shape:
        _resize_out(out, result.array)
    _check_fits(out, result)
    check_no_overlap(out.array)
    overwrite(out, result.array)
    return out


def _resize_out(out: Any, result: Any) -> None:
    shape, wanted = list(out.array.shape), list(result.shape)
    if out.array.size:
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {shape}, which does not match the "
            f"required output shape {wanted}. This behavior is deprecated, and in a future PyTorch release outputs "
            "will not be resized unless they have zero elements. You can explicitly reuse an out tensor t by resizing "
            "it, inplace, to zero elements with t.resize_(0).",
            UserWarning,
            stacklevel=4,
        )
    out.array = array_module(result).empty(result.shape, dtype=out.array.dtype)
