"""``Function``: an operation that knows its own derivative, and the node it leaves in the graph.

    class Exp(Function):
        def forward(self, x):            # raw arrays in, raw array(s) out
            y = array_module(x).exp(x)
            self.save(y)
            return y

        def backward(self, grad_output):  # arrays, or Tensors when the gradient itself is being recorded
            (y,) = self.saved
            return grad_output * y

``Exp.apply(x)`` runs it. Given raw arrays it just computes. Given Variables it computes on their arrays,
wraps the result and, if a gradient may be asked for, keeps the Function object as the result's ``node``.

Rules for whoever writes one:
- positional arguments of ``apply`` are the differentiable inputs (Variable, array, number or None);
  keyword arguments are plain options;
- ``backward`` takes one gradient per output (None for an output nobody used) and returns one per input, or
  None where ``self.needs_input_grad[i]`` is false. It is written with the library's own ops, so that it can
  be differentiated again;
- it may return a gradient of the broadcast shape: the engine sums it down to the input's shape;
- what it returns is fresh, or one of its ``grad_outputs`` or saved values, or a view of one of these; so the
  engine knows which arrays it may add into;
- ``save`` only what backward needs. Inputs and outputs among the saved values are recognised, and watched
  for in-place changes; anything else saved counts as a constant in second derivatives.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

from minitorch.autograd.grad_mode import state
from minitorch.autograd.variable import Variable, wrap
from minitorch.autograd.views import track_views
from minitorch.backend import Array, HostArray, as_array, device_of
from minitorch.backend.threads import is_worth_putting_off, later

_new = object.__new__
_CONSTANT, _OUTPUT = -1, -2  # what a saved array is, when it is not the input with index ≥ 0
_NOWHERE = (_CONSTANT, 0)

FREED_ERROR = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have "
    "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
    "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
    "if you need to access saved tensors after calling backward."
)


class AnomalyMode:
    """Whether forward calls are traced, so that a failing backward can name the op it belongs to."""

    enabled = False
    check_nan = True


class Function:
    """Base of every differentiable operation; see the module's docstring."""

    backward_name: str | None = None  # torch's name of the backward node, where it is not <Class>Backward0
    is_view = False  # the output shares the first input's memory
    makes_several_views = False  # it is a tuple of such outputs
    may_return_kept_arrays = False  # backward may return an array that it keeps elsewhere than in ``saved``
    passes = False  # backward does the work of the node that its gradient goes to, too; see ``can_pass``
    needs_input_grad: tuple[bool, ...] = (False,) * 16

    saved: tuple[Array, ...] = ()
    saved_sources: Sequence[tuple[int, int]] = ()  # of each saved array: (input index or kind, output index)
    saved_versions: Sequence[tuple[list[int], int]] = ()  # (counter, version when saved) of those watched
    is_freed = False
    edges: Sequence[tuple[Any, int] | None] = ()
    output_shapes: tuple[tuple[int, ...], ...]
    output_dtypes: tuple[Any, ...]
    result_class: type[Variable]
    hooks: dict[int, dict[int, Callable[..., Any]]] | None = None  # by output index
    trace: str | None = None

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Compute on raw arrays and return an array or a tuple of them."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(self, *grad_outputs: Any) -> Any:
        """The gradient of each input, given that of each output."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")

    can_pass: Callable[[Function], bool] | None = None
    """A method where ``backward`` can do the work of some kinds of nodes that its gradient may go to.

    It says whether that node is of such a kind. Before ``backward`` the engine sets ``passes``: true if so, and if
    nobody can tell; then the gradient goes through that node unchanged. It is for two nodes that together read and
    write less than one after the other, such as max pooling of a rectifier's output.
    """

    def save(self, *values: Array | None) -> None:
        """Keep these arrays for ``backward``, where they are ``self.saved``."""
        self.saved = values

    @classmethod
    def apply(cls, *inputs: Any, **options: Any) -> Any:
        """Run the operation on Variables, arrays and numbers; see the module's docstring."""
        function = cls()
        arrays = []
        first = None
        needs_grad = False
        for value in inputs:
            if isinstance(value, Variable):
                if value.base is not None and state.enabled:
                    value.refresh_view()
                if value.needs_grad:
                    needs_grad = True
                if first is None:
                    first = value
                arrays.append(value.array)
            else:
                arrays.append(value)
        if needs_grad:
            needs_grad = state.enabled
        if needs_grad:
            function._connect(inputs)
        try:
            output = function.forward(*arrays, **options) if options else function.forward(*arrays)
        except (TypeError, ValueError) as error:
            explain(function.name(), arrays, error)
            raise
        if first is None:
            return output
        if output.__class__ is tuple:
            return function._wrap_several(output, first, inputs, arrays, needs_grad, options)
        # What follows is _wrap_several for one output, without its loops: small ops are as fast as this is short.
        result_class = first.result_class
        result = _new(result_class)
        result.array = array = output if output.__class__ is HostArray else as_array(output)
        if needs_grad:
            function.result_class = result_class
            function.output_shapes, function.output_dtypes = (array.shape,), (array.dtype,)
            if array.dtype.kind == "f":
                result.needs_grad, result.node = True, function
            if function.saved:
                function._identify_saved((output,), (result,), inputs, arrays)
            if AnomalyMode.enabled:
                function.trace = "".join(_stack())
        if function.is_view:
            function._track_views((result,), first, options)
        return result

    def _wrap_several(
        self,
        outputs: tuple[Any, ...],
        first: Variable,
        inputs: tuple[Any, ...],
        arrays: list[Any],
        needs_grad: bool,
        options: Any,
    ) -> tuple[Any, ...]:
        """Turn forward's arrays into Variables, recorded if ``needs_grad``."""
        result_class = first.result_class
        results = tuple([wrap(as_array(each), result_class) for each in outputs])
        if needs_grad:
            self._record(results, result_class)
            if self.saved:
                self._identify_saved(outputs, results, inputs, arrays)
        if self.is_view:
            self._track_views(results, first, options)
        return results

    @classmethod
    def apply_later(cls, flop: float, *inputs: Any, **options: Any) -> Any:
        """``apply`` for a ``backward``: given host arrays and enough work, it may return a ``Later`` instead.

        Then another thread computes the gradient while this one goes on, and the engine waits for it where it is
        needed. For a parameter's gradient that is only at the end of the backward pass.
        """
        if inputs[0].__class__ is HostArray and is_worth_putting_off(flop):
            return later(functools.partial(cls.apply, *inputs, **options))
        return cls.apply(*inputs, **options)

    def _connect(self, inputs: tuple[Any, ...]) -> None:
        """Note where the gradient of each input goes (see ``Variable.edge``), and which inputs need one."""
        edges: list[tuple[Any, int] | None] = []
        needs: list[bool] = []
        for value in inputs:
            if isinstance(value, Variable) and value.needs_grad:
                node = value.node
                edges.append((value if node is None else node, value.output_index))
                needs.append(True)
            else:
                edges.append(None)
                needs.append(False)
        self.edges, self.needs_input_grad = edges, tuple(needs)

    def _record(self, results: tuple[Any, ...], result_class: type[Variable]) -> None:
        """Become the node of ``results``: note which shapes they have."""
        self.result_class = result_class
        self.output_shapes = tuple([result.array.shape for result in results])
        self.output_dtypes = tuple([result.array.dtype for result in results])
        for index, result in enumerate(results):
            if result.array.dtype.kind == "f":  # integer and boolean results have no gradient
                result.needs_grad = True
                result.node = self
                result.output_index = index
        if AnomalyMode.enabled:
            self.trace = "".join(_stack())

    def _identify_saved(
        self, outputs: tuple[Any, ...], results: tuple[Any, ...], inputs: tuple[Any, ...], arrays: list[Any]
    ) -> None:
        """Find the inputs and outputs among the saved values: where they stand in the graph, and their versions."""
        sources, versions = [], []
        for saved in self.saved:
            source, owner = _NOWHERE, None
            if saved is not None:
                for position, array in enumerate(arrays):
                    if array is saved:
                        source, owner = (position, 0), inputs[position]
                        break
                else:
                    for position, each in enumerate(outputs):
                        if each is saved:
                            source, owner = (_OUTPUT, position), results[position]
            sources.append(source)
            if isinstance(owner, Variable):
                counter = owner.counter
                if counter is None:
                    counter = owner.counter = [0]
                versions.append((counter, counter[0]))
        self.saved_sources, self.saved_versions = sources, versions

    def _track_views(self, results: tuple[Any, ...], first: Variable, options: Any) -> None:
        """Tell views where their memory comes from, so that an in-place change of one reaches the others."""
        track_views(type(self), results, first, options, self.makes_several_views)

    def check_saved(self) -> None:
        """Raise torch's error if a saved value was freed, or changed in place since it was saved."""
        if self.is_freed:
            raise RuntimeError(FREED_ERROR)
        for counter, version in self.saved_versions:
            if counter[0] != version:
                self._raise_modified(counter, version)

    def _raise_modified(self, counter: list[int], version: int) -> None:
        raise RuntimeError(
            "one of the variables needed for gradient computation has been modified by an inplace operation: "
            f"a value saved by {self.name()} is at version {counter[0]}; expected version {version} instead. "
            "Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
            "torch.autograd.set_detect_anomaly(True)."
        )

    def saved_as_variables(self) -> tuple[Any, ...]:
        """The saved values at their places in the graph, for a backward that is itself recorded."""
        unpacked = []
        for array, (kind, index) in zip(self.saved, self.saved_sources):
            edge = (self, index) if kind == _OUTPUT else self.edges[kind] if kind >= 0 else None
            unpacked.append(array if edge is None else self._at_edge(array, edge))
        return tuple(unpacked)

    def _at_edge(self, array: Array, edge: tuple[Any, int]) -> Any:
        target, index = edge
        if isinstance(target, Variable):
            return target
        variable = wrap(array, self.result_class)
        variable.needs_grad, variable.node, variable.output_index = True, target, index
        return variable

    def free(self) -> None:
        """Drop what was saved; a second backward through this node then fails with torch's message."""
        if self.saved:
            self.saved = ()
            self.is_freed = True

    def name(self) -> str:
        """The node's name as torch prints it, such as ``AddBackward0``."""
        return self.backward_name or f"{type(self).__name__}Backward0"

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """The nodes that this one's gradients go to, with the output index there."""
        nothing = (None, 0)
        return tuple(
            nothing if edge is None else (AccumulateGrad(edge[0]), 0) if isinstance(edge[0], Variable) else edge
            for edge in self.edges
        )

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


def _stack() -> list[str]:
    """The lines that led to the op that is being recorded."""
    import traceback  # takes as long to import as a tenth of the library, and few ever trace

    return traceback.format_stack()[:-3]


class AccumulateGrad:
    """What ``next_functions`` shows for a leaf: the place where its ``grad`` is added up."""

    next_functions: tuple[Any, ...] = ()

    def __init__(self, variable: Variable) -> None:
        self.variable = variable

    def name(self) -> str:
        """The name torch prints."""
        return "AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self.variable):#x}>"


def explain(name: str, arrays: list[Any], cause: Exception) -> None:
    """Raise torch's error if operands of unlike devices or shapes met in one op; return if it was neither."""
    operands = [array for array in arrays if hasattr(array, "dtype")]
    devices = sorted({str(device_of(array)) for array in operands if array.ndim})
    if len(devices) > 1:
        raise RuntimeError(
            f"{name}: Expected all tensors to be on the same device, but found at least two devices, "
            f"{' and '.join(devices)}!"
        ) from cause
    if "broadcast" in str(cause):
        for first, second in itertools.combinations(operands, 2):
            check_broadcastable(first.shape, second.shape)


def check_broadcastable(first: tuple[int, ...], second: tuple[int, ...]) -> None:
    """Raise torch's RuntimeError unless the two shapes broadcast together."""
    ndim = max(len(first), len(second))
    for offset in range(1, min(len(first), len(second)) + 1):
        a, b = first[-offset], second[-offset]
        if a != b and 1 not in (a, b):
            raise RuntimeError(
                f"The size of tensor a ({a}) must match the size of tensor b ({b}) at non-singleton dimension "
                f"{ndim - offset}"
            )
