"""Views: tensors that show the memory of another one, and how they learn of changes made to it.

A view knows its *base* (the tensor that owns the memory; never itself a view) and the steps that lead from the
base to it. When the base is changed in place it gets a new history; the history of each view is then that new
one, followed by the view's own steps. Views are not told: they notice, when next used, that the version they
share with the base has moved on, and replay their steps (``follow_base``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minitorch.autograd.grad_mode import state

MULTI_VIEW = (
    " This view is the output of a function that returns multiple views. Such functions do not allow the output "
    "views to be modified inplace. You should replace the inplace operation by an out-of-place one."
)
MADE_WITHOUT_GRAD = (
    " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving "
    "both the view and the inplace either both inside the no_grad block (if you don't want the inplace to be "
    "tracked) or both outside (if you want the inplace to be tracked)."
)


class ReplayStep:
    """One step from a base to its view: the same view function with the same options."""

    __slots__ = ("function", "index", "options")

    def __init__(self, function: Any, options: dict[str, Any], index: int | None = None) -> None:
        self.function, self.options, self.index = function, options, index

    def __call__(self, value: Any) -> Any:
        output = self.function.apply(value, **self.options)
        return output if self.index is None else output[self.index]


def follow(replay: tuple[Callable[[Any], Any], ...], base: Any) -> Any:
    """Go from a base to its view: apply the view's steps one after another."""
    for step in replay:
        base = step(base)
    return base


def track_views(function: Any, results: tuple[Any, ...], first: Any, options: dict[str, Any], is_multi: bool) -> None:
    """Tell the ``results`` of a view function on ``first`` where their memory comes from."""
    base = first if first.base is None else first.base
    counter = first.counter = base.version_counter()
    for index, result in enumerate(results):
        result.base = base
        result.counter = counter
        result.replay = (*first.replay, ReplayStep(function, options, index if is_multi else None))
        # The rest is set where it differs from Variable's defaults: most views are spared it.
        if counter[0]:
            result.view_version = counter[0]
        if is_multi or first.is_multi_view:
            result.is_multi_view = True
        if first.is_view_made_without_grad or not state.enabled:
            result.is_view_made_without_grad = True


def follow_base(view: Any) -> None:
    """Bring a view's place in the graph up to date after its memory was changed in place.

    Raises RuntimeError, with torch's text, for views that torch forbids this for: one of several made by one op
    (``unbind``), or made where nothing was recorded.
    """
    base = view.base
    if not base.needs_grad and view.node is None:  # no history before, none now
        view.view_version = base.version
        return
    check_view_may_change(view, "its base or another view of its base has been")
    previous, state.enabled = state.enabled, True  # this is the past being completed, not a new operation
    try:
        replayed = follow((*base.undo, *view.replay), base)
    finally:
        state.enabled = previous
    view.view_version = base.version
    view.node, view.output_index, view.needs_grad = replayed.node, replayed.output_index, replayed.needs_grad


def check_view_may_change(view: Any, what: str = "is being") -> None:
    """Raise torch's error if ``view`` is of a kind that may not be changed in place while ops are recorded."""
    if not (view.is_multi_view or view.is_view_made_without_grad):
        return
    node = view.node
    if view.is_view_made_without_grad or node is None:
        start = "A view was created in"
        if node is not None:
            start = f"Output {view.output_index} of {_short_name(node)} is a view of a view which was created in"
        text = f"{start} no_grad mode and {what} modified inplace with grad mode enabled."
    else:
        text = f"Output {view.output_index} of {_short_name(node)} is a view and {what} modified inplace."
    raise RuntimeError(text + (MULTI_VIEW if view.is_multi_view else MADE_WITHOUT_GRAD))


def _short_name(node: Any) -> str:
    return str(node.name()).removesuffix("0").removesuffix("Backward")


def reshape_in_place(target: Any, step: ReplayStep, undo: ReplayStep) -> Any:
    """Turn ``target`` into its own view: what ``t_``, ``squeeze_`` and ``unsqueeze_`` do.

    ``undo`` is the step back. The target's views (if it is a base) still start from its shape before: they
    follow it through ``undo``, and new views begin with the step that leads back here.
    """
    if target.base is not None:
        target.refresh_view()
    changed = step(target.alias())
    target.array = changed.array
    if changed.needs_grad:
        target.node, target.output_index, target.needs_grad = changed.node, changed.output_index, True
    target.replay = (*target.replay, step)
    if target.base is None:
        target.undo = (undo, *target.undo)
    target.bump_version()
    target.view_version = target.version
    return target
