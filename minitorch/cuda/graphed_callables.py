"""``make_graphed_callables``: parts of a network as CUDA graphs, one for forward and one for backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from minitorch.autograd import Function, grad
from minitorch.autograd.autocast_mode import is_autocast_cache_enabled, is_autocast_enabled
from minitorch.backend import graphs
from minitorch.backend.multi_tensor import multi_tensor_copy
from minitorch.cuda.graphed_step import Before, copy_inputs
from minitorch.cuda.graphs import CUDAGraph, graph, graph_pool_handle
from minitorch.nn.module import Module
from minitorch.tensor.creation import empty_like
from minitorch.tensor.tensor import Tensor


def make_graphed_callables(
    callables: Any,
    sample_args: Any,
    num_warmup_iters: int = 3,
    allow_unused_input: bool = False,
    pool: graphs.Handle | None = None,
) -> Any:
    """Modules or functions whose forward and backward are CUDA graphs, to be used in their place.

    The rest of a training step stays as it is: what cannot be captured, optimizers, other modules. A module is returned
    itself, with another ``forward``; in the mode (training or not) in which it was not captured it runs as before.

    - Arguments have the shapes and dtypes of ``sample_args``, in whose memory the graphs read them.
    - Results lie in the graphs' memory: the next call overwrites them, and so it must come after backward.
    - Gradients are copies. There are no second derivatives.
    - Parameters must stay where they are in memory. The warm-up changes nothing, unlike torch's, where batch norm sees
      the samples.
    - On the CPU there are no graphs, and the callables are returned as they are.

    Args: callables: a module or function, or a tuple of them in the order in which they run; sample_args: a tuple of
    tensors, or one for each callable, with the ``requires_grad`` of the arguments to come; num_warmup_iters: how often
    each is run before the capture; allow_unused_input: whether inputs that the result does not depend on are no error;
    pool: a memory pool to share (``graph_pool_handle``).
    Raises: AssertionError for modules with hooks or trainable buffers, and for arguments that are no tensors.
    RuntimeError that names an operation which cannot be captured, and under ``autocast`` with a cache. ValueError in a
    call for tensors that do not fit.

    >>> import minitorch as torch
    >>> model = torch.nn.Linear(2, 1)
    >>> torch.cuda.make_graphed_callables(model, (torch.ones(4, 2),)) is model
    True
    """
    if is_autocast_enabled() and is_autocast_cache_enabled():
        raise RuntimeError(
            "make_graphed_callables does not support the autocast caching. Please set `cache_enabled=False`."
        )
    is_single = not isinstance(callables, tuple)
    functions, samples = ((callables,), (sample_args,)) if is_single else (callables, sample_args)
    parts = [_Part(function, arguments) for function, arguments in zip(functions, samples)]
    if not any(each.is_cuda for part in parts for each in part.surface):
        return callables
    before = Before([])
    try:
        with graphs.side_stream(), graphs.own_products():
            for part in parts:
                for _ in range(num_warmup_iters):
                    part.try_it(allow_unused_input)
    finally:
        before.restore()
    handle = graph_pool_handle() if pool is None else pool
    # Captured in the order in which they will run, as each may use memory that those before have freed.
    try:
        for part in parts:
            part.capture_forward(handle)
        for part in reversed(parts):
            part.capture_backward(handle, allow_unused_input)
    finally:
        before.restore()
    result = tuple(part.in_its_place() for part in parts)
    return result[0] if is_single else result


class _Part:
    """A callable, its two graphs, and the tensors that these read and write."""

    def __init__(self, function: Any, arguments: Sequence[Any]) -> None:
        self.function, self.arguments = function, arguments
        parameters = list(function.parameters()) if isinstance(function, Module) else []
        self.inputs = _leaves(arguments)
        _check(function, self.inputs)
        self.surface = [*self.inputs, *parameters]  # whatever may want a gradient
        self.forward_graph, self.backward_graph = CUDAGraph(), CUDAGraph()
        self.results: Any = None  # as the function returned them
        self.outputs: list[Any] = []  # the tensors in them
        self.grad_outputs: list[Any] = []
        self.grad_inputs: list[Any] = []

    def wanted(self) -> list[Any]:
        return [each for each in self.surface if each.requires_grad]

    def try_it(self, allow_unused: bool) -> None:
        """Forward and backward without graphs."""
        outputs = [each for each in _tensors(self.function(*self.arguments)) if each.requires_grad]
        if outputs and self.wanted():
            grad(outputs, self.wanted(), [empty_like(each) for each in outputs], allow_unused=allow_unused)

    def capture_forward(self, pool: graphs.Handle) -> None:
        with graph(self.forward_graph, pool):
            self.results = self.function(*self.arguments)
        self.outputs = _tensors(self.results)

    def capture_backward(self, pool: graphs.Handle, allow_unused: bool) -> None:
        self.grad_outputs = [empty_like(each) if each.requires_grad else None for each in self.outputs]
        outputs, wanted = [each for each in self.outputs if each.requires_grad], self.wanted()
        found: Iterator[Any] = iter(())
        if outputs and wanted:
            cotangents = [each for each in self.grad_outputs if each is not None]
            with graph(self.backward_graph, pool):
                found = iter(grad(outputs, wanted, cotangents, allow_unused=allow_unused))
        self.grad_inputs = [next(found, None) if each.requires_grad else None for each in self.surface]
        self.outputs = [each.detach() for each in self.outputs]

    def run_forward(self, inputs: Sequence[Any]) -> tuple[Any, ...]:
        copy_inputs(self.inputs, inputs)
        self.forward_graph.replay()
        return tuple([each.detach() for each in self.outputs])

    def run_backward(self, grad_outputs: Sequence[Any]) -> tuple[Any, ...]:
        """The gradients, in memory that nobody else has: ``grad`` may be added to while the graph runs once more."""
        pairs = [(static, each) for static, each in zip(self.grad_outputs, grad_outputs) if static is not None]
        multi_tensor_copy([static.array for static, _ in pairs], [each.array for _, each in pairs])
        self.backward_graph.replay()
        copies = [None if each is None else empty_like(each) for each in self.grad_inputs]
        pairs = [(copy, each) for copy, each in zip(copies, self.grad_inputs) if copy is not None]
        multi_tensor_copy([copy.array for copy, _ in pairs], [each.array for _, each in pairs])
        return tuple(copies)

    def in_its_place(self) -> Any:
        """What to call instead of the function."""
        graphed, function = _graphed(self), self.function
        if not isinstance(function, Module):
            return graphed
        original, was_training = function.forward, function.training

        def forward(*arguments: Any) -> Any:
            return graphed(*arguments) if function.training == was_training else original(*arguments)

        function.forward = forward
        return function


def _graphed(part: _Part) -> Callable[..., Any]:
    """The part as a function with a gradient."""

    class Graphed(Function):
        @staticmethod
        def forward(context: Any, *inputs: Any) -> Any:
            return part.run_forward(inputs[: len(part.inputs)])

        @staticmethod
        def backward(context: Any, *grad_outputs: Any) -> Any:
            return part.run_backward(grad_outputs)

    def graphed(*arguments: Any) -> Any:
        outputs = Graphed.apply(*_leaves(arguments), *part.surface[len(part.inputs) :])
        return _rebuilt(part.results, iter(outputs))

    return graphed


def _check(function: Any, inputs: Sequence[Any]) -> None:
    """Raise torch's errors."""
    if isinstance(function, Module):
        if function._backward_hooks or function._forward_hooks or function._forward_pre_hooks:
            raise AssertionError(
                "Modules must not have hooks registered at the time they are passed. However, registering hooks on "
                "modules after passing them through make_graphed_callables is allowed."
            )
        if any(each.requires_grad for each in function.buffers()):
            raise AssertionError(
                "In any :class:`~torch.nn.Module` passed to :func:`~make_graphed_callables`, only parameters may be "
                "trainable. All buffers must have ``requires_grad=False``."
            )
    if not all(isinstance(each, Tensor) for each in inputs):
        raise AssertionError(
            "In the beta API, sample_args for each callable must contain only Tensors. Other types are not allowed."
        )


def _leaves(value: Any) -> list[Any]:
    """What is in tuples, lists and dictionaries, and in those within."""
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for each in value for leaf in _leaves(each)] if isinstance(value, (tuple, list)) else [value]


def _tensors(value: Any) -> list[Any]:
    return [each for each in _leaves(value) if isinstance(each, Tensor)]


def _rebuilt(template: Any, tensors: Iterator[Any]) -> Any:
    """The same tuples, lists and dictionaries around other tensors."""
    if isinstance(template, dict):
        return {name: _rebuilt(each, tensors) for name, each in template.items()}
    if isinstance(template, (tuple, list)):
        items = [_rebuilt(each, tensors) for each in template]
        return type(template)(*items) if hasattr(template, "_fields") else type(template)(items)
    return next(tensors) if isinstance(template, Tensor) else template
