"""``Variable``: the state of a tensor, without its mathematics.

A Variable is an array plus what autograd must know about it: the operation that made it (``node``), whether
gradients are wanted, the gradient itself, and how often its memory was changed in place (``version``).
Ops work on Variables; ``Tensor``, the class that users see, adds the methods.

Fields that most tensors never need are class attributes, so that making a Variable costs one assignment.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minitorch.autograd.views import follow_base
from minitorch.backend import Array

if TYPE_CHECKING:
    from minitorch.autograd.function import Function

_new = object.__new__


class Variable:
    """An array with a place in the graph of operations."""

    array: Array
    needs_grad: bool = False  # a leaf that requires grad, or the result of an op on one
    node: Function | None = None  # the op that made it; None for a leaf
    output_index: int = 0  # which of the node's outputs it is
    grad: Any = None
    hooks: dict[int, Callable[..., Any]] | None = None  # of a leaf; those of other tensors live on their node
    post_accumulate_hooks: dict[int, Callable[..., Any]] | None = None
    counter: list[int] | None = None  # [version], one list shared by all views of the same memory
    base: Variable | None = None  # of a view: the tensor whose memory it shows
    replay: tuple[Callable[[Any], Any], ...] = ()  # of a view: the steps that lead from base to it
    view_version: int = 0  # of a view: the version for which its node is right
    undo: tuple[Callable[[Any], Any], ...] = ()  # of a base that was reshaped in place: the steps back
    is_multi_view: bool = False  # one of several views made by one op (unbind, split)
    is_view_made_without_grad: bool = False  # made under no_grad
    result_class: type[Variable]  # the class of an op's results: Tensor for a Parameter, too

    __slots__ = ("__dict__", "__weakref__")

    @property
    def version(self) -> int:
        """How many in-place changes this memory has seen."""
        return 0 if self.counter is None else self.counter[0]

    def version_counter(self) -> list[int]:
        """The shared ``[version]``, made on first use: most tensors are never saved nor changed."""
        if self.counter is None:
            self.counter = [0]
        return self.counter

    def bump_version(self) -> None:
        """Note that the memory was changed in place."""
        counter = self.counter
        if counter is None:
            self.counter = [1]
        else:
            counter[0] += 1

    def refresh_view(self) -> None:
        """Bring a view's node up to date after its base was changed in place.

        The base then has a new history; the view's history is that one followed by the view's own steps.
        """
        base = self.base
        if base is not None and self.view_version != base.version:
            follow_base(self)

    def alias(self) -> Any:
        """Another Variable on the same array and at the same place in the graph, but with no shared version."""
        twin = _new(self.result_class)
        twin.array = self.array
        if self.needs_grad:
            twin.needs_grad, twin.node, twin.output_index = True, self.node, self.output_index
        return twin

    def edge(self) -> tuple[Any, int] | None:
        """Where a gradient for this value goes: ``(node, output index)``, ``(leaf, 0)``, or None for nowhere."""
        if not self.needs_grad:
            return None
        return (self if self.node is None else self.node), self.output_index


Variable.result_class = Variable


def wrap(array: Array, result_class: type[Variable]) -> Any:
    """A Variable of ``result_class`` around ``array``, without running its constructor."""
    variable = _new(result_class)
    variable.array = array
    return variable


def raw(value: Any) -> Any:
    """The array in a Variable; anything else as it is."""
    return value.array if isinstance(value, Variable) else value
