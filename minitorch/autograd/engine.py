"""The backward pass: visit every node once, after all gradients for it have arrived.

1. Count, for each node reachable from the outputs, the edges that lead into it.
2. Start with the outputs' nodes. Run a node, send its gradients along its edges, and count those edges down;
   a node whose count reaches zero is ready. Gradients that meet are added.
3. A gradient that reaches a leaf is added to its ``grad``; one that another thread is still computing (``Later``), as
   soon as someone might look at it, which is usually at the end.

There is no recursion (a chain of 100,000 ops is fine), no global list, and a gradient is dropped as soon as
its node has run. Ordinarily gradients are raw arrays; under ``create_graph`` they are Variables, and the same
``backward`` methods then record how the gradients came about.
"""

from __future__ import annotations

import sys
from typing import Any

from minitorch.autograd.function import AnomalyMode, Function
from minitorch.autograd.grad_mode import enable_grad, no_grad
from minitorch.autograd.primitive import Cast, Clone, SumToShape, is_broadcastable_to, sum_array_to_shape
from minitorch.autograd.variable import Variable, raw, wrap
from minitorch.backend import Array, HostArray, array_module, copy_in_order, in_order, is_dense, memory_object, order_of
from minitorch.backend.threads import Later

Edge = tuple[Any, int]
Gradient = Any  # an Array, or a Variable under create_graph


def run_backward(
    roots: list[tuple[Edge, Gradient]],
    retain_graph: bool,
    create_graph: bool,
    targets: list[Edge] | None = None,
) -> dict[Edge, Gradient]:
    """Send each root's gradient through the graph.

    With ``targets`` the gradients at those edges are returned and no leaf is touched; otherwise leaves
    accumulate. Every root gradient is an array, or a Variable where ``create_graph`` is true.
    """
    counts = _count_edges([edge[0] for edge, _ in roots])
    wanted = None if targets is None else _nodes_towards(targets, counts)
    task = _BackwardTask(counts, retain_graph, create_graph, targets, wanted)
    with enable_grad() if create_graph else no_grad():
        task.run(roots)
    return task.captured


def _count_edges(roots: list[Any]) -> dict[Any, int]:
    """For each node that can be reached: how many edges lead into it."""
    counts = {node: 0 for node in roots if isinstance(node, Function)}
    stack = list(counts)
    while stack:
        for edge in stack.pop().edges:
            if edge is None:
                continue
            node = edge[0]
            if isinstance(node, Function):  # a leaf has no edges
                if node in counts:
                    counts[node] += 1
                else:
                    counts[node] = 1
                    stack.append(node)
    return counts


def _nodes_towards(targets: list[Edge], counts: dict[Any, int]) -> set[Any]:
    """The nodes that must run: those from which a target can be reached."""
    ends = {id(node) for node, _ in targets}
    wanted: set[Any] = set()
    for node in reversed(_topological_order(counts)):
        if any(edge is not None and (id(edge[0]) in ends or edge[0] in wanted) for edge in node.edges):
            wanted.add(node)
    return wanted


def _topological_order(counts: dict[Any, int]) -> list[Any]:
    remaining = dict(counts)
    ready = [node for node, count in remaining.items() if count == 0]
    order = []
    while ready:
        node = ready.pop()
        order.append(node)
        for edge in node.edges:
            if edge is not None and edge[0] in remaining:
                remaining[edge[0]] -= 1
                if remaining[edge[0]] == 0:
                    ready.append(edge[0])
    return order


class _BackwardTask:
    """One backward pass: the gradients that wait for their node, and which of them are ours alone.

    A gradient is *owned* if no one else can see its memory. Only owned gradients are added into in place or
    become a leaf's ``grad`` without a copy.
    """

    def __init__(
        self,
        counts: dict[Any, int],
        retain_graph: bool,
        create_graph: bool,
        targets: list[Edge] | None,
        wanted: set[Any] | None,
    ) -> None:
        self.counts = counts
        self.retain_graph = retain_graph
        self.create_graph = create_graph
        self.targets = None if targets is None else {(id(node), index) for node, index in targets}
        self.wanted = wanted
        # Of each node, for each of its outputs: the gradient or None, and whether it is owned.
        self.pending: dict[Any, tuple[list[Gradient], list[bool]]] = {}
        self.captured: dict[Any, Gradient] = {}
        # Leaves with gradients that another thread is computing.
        self.unfinished: list[tuple[Variable, Later[Array]]] = []
        self.passed: set[Any] = set()  # nodes whose work has been done by the node before

    def run(self, roots: list[tuple[Edge, Gradient]]) -> None:
        for edge, gradient in roots:
            self._deliver(edge, gradient, False, None, 0)
        try:
            self._run_nodes(
                [node for node in dict.fromkeys(edge[0] for edge, _ in roots) if self.counts.get(node) == 0]
            )
        finally:
            self._finish()

    def _run_nodes(self, ready: list[Any]) -> None:
        """Run the nodes that are ready, and those that become so."""
        counts = self.counts
        while ready:
            node = ready.pop()
            waiting = self.pending.pop(node, None)
            if waiting is not None:
                self._run_node(node, *waiting)
            for edge in node.edges:
                if edge is not None and isinstance(edge[0], Function):
                    target = edge[0]
                    counts[target] = count = counts[target] - 1
                    if count == 0:
                        ready.append(target)

    def _run_node(self, node: Function, gradients: list[Gradient], owned: list[bool]) -> None:
        if self.unfinished and (node.hooks is not None or node.may_return_kept_arrays):
            self._finish()  # what users write may look at any gradient
        if node.hooks is not None:
            _run_hooks(node, gradients, owned)
        if self.targets is not None:
            self._capture(node, gradients)
            if self.wanted is not None and node not in self.wanted:
                return
        saved = node.saved
        if node.can_pass is not None:
            self._let_pass(node)
        results = self._call(node, gradients)
        position = 0
        for edge in node.edges:
            if edge is not None:
                result = results[position]
                if result.__class__ is Later:
                    result = self._leave_unfinished(edge[0], result)
                    results = (*results[:position], result, *results[position + 1 :])
                if result is not None:
                    is_owned = not self.create_graph and _is_owned(position, results, gradients, owned, saved, node)
                    self._deliver(edge, result, is_owned, node, position)
            position += 1  # noqa: SIM113 (enumerate takes longer than the usual one or two rounds)

    def _let_pass(self, node: Function) -> None:
        """Tell ``node`` to do the work of the next node, too, if that gets no other gradient and nobody looks at it."""
        assert node.can_pass is not None
        node.passes = False
        edge = node.edges[0]
        if edge is None or self.create_graph or self.targets is not None:
            return
        target = edge[0]
        is_alone = isinstance(target, Function) and self.counts[target] == 1 and target not in self.pending
        if is_alone and target.hooks is None and node.can_pass(target):
            node.passes = True
            self.passed.add(target)

    def _leave_unfinished(self, target: Any, gradient: Later[Array]) -> Array | None:
        """The gradient if it is needed now; a leaf without hooks can wait for it."""
        is_leaf = isinstance(target, Variable)
        if not is_leaf or self.targets is not None or target.hooks or target.post_accumulate_hooks:
            return gradient.get()
        if len(self.unfinished) > 3:  # each holds memory; a layer has two
            self._finish(1)
        self.unfinished.append((target, gradient))
        return None

    def _finish(self, count: int | None = None) -> None:
        """Wait for the first ``count`` gradients, or all, and give them to their leaves."""
        finished = self.unfinished[:count]
        del self.unfinished[:count]
        for leaf, gradient in finished:
            accumulate(leaf, gradient.get(), True)

    def _call(self, node: Function, gradients: list[Gradient]) -> tuple[Gradient, ...]:
        """Run the node's backward on its saved values."""
        if node.is_freed or node.saved_versions:
            node.check_saved()
        saved = node.saved
        try:
            if self.create_graph and saved:
                node.saved = node.saved_as_variables()
            results = gradients[0] if node in self.passed else node.backward(*gradients)
        except Exception as error:
            if node.trace is not None:
                _add_note(error, _forward_trace(node))
            raise
        finally:
            node.saved = saved
        if not self.retain_graph:
            node.free()
        if results.__class__ is not tuple:
            results = (results,)
        if AnomalyMode.enabled and AnomalyMode.check_nan:
            _check_nan(node, results)
        return results

    def _deliver(self, edge: Edge, gradient: Gradient, is_owned: bool, sender: Function | None, position: int) -> None:
        """Bring one gradient, which is the ``sender``'s at ``position``, to the node or leaf at the end of an edge."""
        node, index = edge
        is_leaf = isinstance(node, Variable)
        shape = node.array.shape if is_leaf else node.output_shapes[index]
        dtype = node.array.dtype if is_leaf else node.output_dtypes[index]
        if gradient.shape != shape or gradient.dtype is not dtype:
            unfitted, gradient = gradient, _fit(gradient, shape, dtype, sender, position)
            is_owned = is_owned or gradient is not unfitted
        if is_leaf:
            self._deliver_to_leaf(node, gradient, is_owned)
            return
        waiting = self.pending.get(node)
        if waiting is None:
            count = len(node.output_shapes)
            if count == 1:  # the usual case
                self.pending[node] = [gradient], [is_owned]
                return
            waiting = self.pending[node] = [None] * count, [False] * count
        gradients, owned = waiting
        if gradients[index] is not None:
            gradient = self._add(gradients[index], owned[index], gradient)
            is_owned = True
        gradients[index], owned[index] = gradient, is_owned

    def _add(self, total: Gradient, is_owned: bool, gradient: Gradient) -> Gradient:
        """The sum of two gradients: in place only in memory that is ours alone."""
        if is_owned and not self.create_graph:
            total += gradient
            return total
        return total + gradient

    def _deliver_to_leaf(self, leaf: Variable, gradient: Gradient, is_owned: bool) -> None:
        if leaf.hooks is not None or leaf.post_accumulate_hooks is not None:
            self._finish()
        if leaf.hooks is not None:
            gradient = _apply_hooks(leaf.hooks, gradient, leaf.result_class)
            is_owned = False
        if self.targets is None:
            accumulate(leaf, gradient, is_owned)
        elif (id(leaf), 0) in self.targets:
            before = self.captured.get((leaf, 0))
            if before is None:
                self.captured[leaf, 0] = _private(gradient, is_owned)
            else:
                self.captured[leaf, 0] = self._add(before, True, gradient)

    def _capture(self, node: Function, gradients: list[Gradient]) -> None:
        assert self.targets is not None
        for index, gradient in enumerate(gradients):
            if gradient is not None and (id(node), index) in self.targets:
                self.captured[node, index] = _private(gradient, False)


def _is_owned(
    position: int,
    results: tuple[Gradient, ...],
    gradients: list[Gradient],
    owned: list[bool],
    saved: tuple[Array, ...],
    node: Function,
) -> bool:
    """Whether a result of ``backward`` shares its memory with nothing that lives on.

    By the contract of ``Function`` a result is fresh, or shows (is, or is a view of) an incoming gradient or a
    saved value. A shown incoming gradient is passed on as ours if it was ours and only this result shows it.
    NumPy points every view straight at the array that owns the memory; the test for that is written out three times, as
    this runs for every gradient.
    """
    result = results[position]
    if node.may_return_kept_arrays:
        return False
    if result.__class__ is not HostArray:
        return _is_owned_on_device(position, results, gradients, owned, saved)
    memory = result.base
    if memory is None:
        memory = result
    elif memory.__class__ is not HostArray or 0 in result.strides or not result.flags.writeable:
        return False
    for other in saved:
        if other is memory or (other.__class__ is HostArray and other.base is memory):
            return False
    if len(results) > 1:
        for index, other in enumerate(results):
            if index != position and (other is memory or (other.__class__ is HostArray and other.base is memory)):
                return False
    for gradient, was_owned in zip(gradients, owned):
        if gradient is memory or (gradient.__class__ is HostArray and gradient.base is memory):
            return was_owned and result.flags.writeable
    return True


def _is_owned_on_device(
    position: int, results: tuple[Gradient, ...], gradients: list[Gradient], owned: list[bool], saved: tuple[Array, ...]
) -> bool:
    """``_is_owned`` for an array on a GPU, whose views all have the same memory object."""
    memory = memory_object(results[position])
    if memory is None or not results[position].flags.owndata:  # a view may be an expanded one
        return False
    for each in (*saved, *results[:position], *results[position + 1 :]):
        if each is not None and memory_object(each) is memory:
            return False
    for gradient, was_owned in zip(gradients, owned):
        if memory_object(gradient) is memory:
            return was_owned
    return True


def _fit(gradient: Gradient, shape: tuple[int, ...], dtype: Any, sender: Function | None, position: int) -> Gradient:
    """The gradient in the shape and dtype of the value it belongs to."""
    if gradient.shape != shape:
        if not is_broadcastable_to(shape, tuple(gradient.shape)):
            raise RuntimeError(
                f"Function {'backward' if sender is None else sender.name()} returned an invalid gradient at index "
                f"{position} - got {list(gradient.shape)} but expected shape compatible with {list(shape)}"
            )
        if isinstance(gradient, Variable):
            gradient = SumToShape.apply(gradient, shape=shape)
        else:
            gradient = sum_array_to_shape(gradient, shape)
    found = gradient.dtype if gradient.__class__ is HostArray else raw(gradient).dtype
    if found is not dtype and found != dtype:
        gradient = Cast.apply(gradient, dtype=dtype)
    return gradient


def accumulate(leaf: Variable, gradient: Gradient, is_owned: bool) -> None:
    """``leaf.grad += gradient``; the first gradient becomes ``grad`` itself if it is ours alone."""
    grad = leaf.__dict__.get("grad")  # past Tensor's property, whose checks are for users
    if isinstance(gradient, Variable):
        leaf.grad = Clone.apply(gradient) if grad is None else grad + gradient
    elif grad is None:
        leaf.__dict__["grad"] = wrap(_laid_out_as(leaf.array, gradient, is_owned), leaf.result_class)
    else:
        grad.array += gradient
        grad.bump_version()
    if leaf.post_accumulate_hooks is not None:
        for hook in tuple(leaf.post_accumulate_hooks.values()):
            hook(leaf)


def _private(gradient: Gradient, is_owned: bool) -> Gradient:
    """The gradient in memory that the receiver may change: contiguous, writable, and shared with nothing."""
    if isinstance(gradient, Variable) or (is_owned and gradient.flags.c_contiguous):
        return gradient
    return array_module(gradient).array(gradient, order="C")


def _laid_out_as(leaf: Array, gradient: Array, is_owned: bool) -> Array:
    """The gradient in memory of its own that lies as the leaf does; row-major if the leaf leaves gaps there."""
    if leaf.flags.c_contiguous or not is_dense(leaf):
        return _private(gradient, is_owned)
    order = order_of(leaf.shape, leaf.strides)
    return in_order(gradient, order) if is_owned else copy_in_order(gradient, order)


def _run_hooks(node: Function, gradients: list[Gradient], owned: list[bool]) -> None:
    assert node.hooks is not None
    for index, hooks in node.hooks.items():
        if gradients[index] is not None:
            gradients[index] = _apply_hooks(hooks, gradients[index], node.result_class)
            owned[index] = False  # the hook may have kept it


def _apply_hooks(hooks: dict[int, Any], gradient: Gradient, result_class: type[Variable]) -> Gradient:
    """Pass the gradient through each hook; a hook that returns something replaces it."""
    is_raw = not isinstance(gradient, Variable)
    for hook in tuple(hooks.values()):
        shown = wrap(gradient, result_class) if is_raw else gradient
        replacement = hook(shown)
        if replacement is not None:
            gradient = replacement.array if is_raw else replacement
    return gradient


def _check_nan(node: Function, results: tuple[Gradient, ...]) -> None:
    for position, result in enumerate(results):
        array = result.get() if result.__class__ is Later else raw(result)
        if array is not None and bool(array_module(array).isnan(array).any()):
            error = RuntimeError(f"Function '{node.name()}' returned nan values in its {position}th output.")
            _add_note(error, _forward_trace(node))
            raise error


def _forward_trace(node: Function) -> str:
    return f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{node.trace}"


def _add_note(error: BaseException, note: str) -> None:
    if sys.version_info >= (3, 11):
        error.add_note(note)
    else:
        error.args = (f"{error.args[0] if error.args else ''}\n{note}", *error.args[1:])
