"""The graph of a network, as autograd records it: one pass, then a walk from the outputs back to the inputs.

Every op that a result depends on has left a node (its ``grad_fn``). What autograd does not know is which module
an op belongs to. Hooks find that out: all nodes that the output of a module's call depends on, and that did
not exist before the call, were made by it. So before a call, all nodes behind its arguments are *claimed* for
the caller, and after it, all nodes behind its output that nobody has claimed yet, for the module itself. Inner
calls end first: an op goes to the innermost module.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from minitorch.autograd.function import AccumulateGrad
from minitorch.autograd.grad_mode import enable_grad
from minitorch.dtypes import from_numpy_dtype
from minitorch.nn.module import Module
from minitorch.tensor.tensor import Tensor
from minitorch.utils.observation import evaluating, map_tensors, observed, tensors_in


@dataclass
class GraphNode:
    """A box of the drawing: an op, a parameter, an input or an output of the network."""

    name: str  # a path: "Net/conv1/Convolution"
    op: str  # "Convolution", "Parameter", "Input", "Output"
    inputs: list[str] = field(default_factory=list)  # names of nodes; "name:1" is the second output of one
    shapes: list[tuple[int, ...]] = field(default_factory=list)  # of each output
    dtype: str = ""
    layer: str = ""  # for an op inside of a layer: how the layer prints


def record_graph(model: Module, input_to_model: Any) -> list[GraphNode]:
    """Run ``model`` in eval mode and return its graph, inputs first.

    For the pass, all parameters and all floating-point inputs require a gradient, so that autograd records
    every op on them. What no gradient can pass (a comparison, an argmax, a block under ``no_grad``) is not
    recorded. An input of integers is linked to the ops of the modules that it enters, where they start from
    parameters alone: to an embedding.

    Args: input_to_model: a tensor, or a tuple or list of the positional arguments.
    """
    arguments = tuple(input_to_model) if isinstance(input_to_model, (tuple, list)) else (input_to_model,)
    recording = _Recording(model)
    hooks = observed(model, recording.before, recording.after)
    with enable_grad(), evaluating(model), _requiring_grad(model), hooks:
        output = model(*recording.prepared(arguments))
    return recording.nodes(output)


@contextmanager
def _requiring_grad(model: Module) -> Iterator[None]:
    frozen = [each for each in model.parameters() if each.is_floating_point() and not each.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)


def _key(node: Any) -> Any:
    """What stands for a node in dictionaries: a leaf's AccumulateGrad is made anew at every look."""
    return id(node.variable) if isinstance(node, AccumulateGrad) else node


def _nodes_of(tensors: list[Tensor]) -> list[Any]:
    return [each.grad_fn or AccumulateGrad(each) for each in tensors if each.requires_grad]


class _Recording:
    """Who made which node, and from that the drawing."""

    def __init__(self, model: Module) -> None:
        self.model = model
        self.root = type(model).__name__
        self.paths = {module: self._path(path) for path, module in model.named_modules()}
        self.parameters = {id(each): self._path(path) for path, each in model.named_parameters()}
        self.owners: dict[Any, Module] = {}  # by key
        self.active: list[Module] = []  # the modules whose calls are under way
        self.inputs: dict[Any, GraphNode] = {}  # by key; by the tensor's id for those without gradient
        self.integers: dict[int, Tensor] = {}  # inputs without gradient
        self.links: dict[Any, list[str]] = {}  # by key: the names of such inputs that go into the node
        self.link_counts: list[int] = []  # for the calls under way: how many links there were before
        self.drawn: dict[Any, GraphNode] = {}  # by key
        self.used_names: dict[str, int] = {}  # with the highest number that follows each

    def _path(self, path: str) -> str:
        return "/".join([self.root, *path.split(".")]) if path else self.root

    # ---------------------------------------------------------------------------------------- the pass

    def prepared(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments with tensors that are recorded and can be changed in place without harm to the caller."""
        names = _argument_names(self.model, len(arguments))
        return tuple(
            [
                map_tensors(partial(self._input, name, isinstance(argument, Tensor)), argument)
                for name, argument in zip(names, arguments)
            ]
        )

    def _input(self, name: str, is_single: bool, tensor: Tensor) -> Tensor:
        twin = tensor.detach()
        node = GraphNode(
            self._unique(f"input/{name}" if is_single else f"input/{name}_{len(self.inputs)}"),
            "Input",
            shapes=[tuple(tensor.shape)],
            dtype=str(tensor.dtype),
        )
        if not twin.is_floating_point():
            twin = twin.clone()
            self.inputs[id(twin)] = node
            self.integers[id(twin)] = twin
            return twin
        twin = twin.requires_grad_().clone()  # a leaf could not be changed in place
        self.inputs[twin.grad_fn] = node
        self.owners[twin.grad_fn] = self.model
        return twin

    def before(self, module: Module, inputs: Any) -> None:
        if self.active:
            self._claim(_nodes_of(tensors_in(inputs)), self.active[-1])
        self.active.append(module)
        self.link_counts.append(self._count_links())

    def after(self, module: Module, inputs: Any, output: Any) -> None:
        self.active.pop()
        claimed = self._claim(_nodes_of(tensors_in(output)), module)
        entered = [each for each in tensors_in(inputs) if id(each) in self.integers]
        if entered and self._count_links() == self.link_counts[-1]:  # no module inside has taken it
            self._link(entered, claimed)
        self.link_counts.pop()

    def _claim(self, nodes: list[Any], module: Module) -> list[Any]:
        """Make ``module`` the owner of all nodes from which these can be reached, up to those that have one."""
        claimed = []
        stack = list(nodes)
        while stack:
            node = stack.pop()
            if _key(node) not in self.owners:
                self.owners[_key(node)] = module
                claimed.append(node)
                stack += [source for source, _ in self._sources(node)]
        return claimed

    def _count_links(self) -> int:
        return sum(map(len, self.links.values()))

    def _link(self, tensors: list[Tensor], nodes: list[Any]) -> None:
        names = [self.inputs[id(each)].name for each in tensors]
        for node in nodes:
            sources = [source for source, _ in self._sources(node)]
            if sources and all(isinstance(source, AccumulateGrad) for source in sources):
                self.links.setdefault(node, []).extend(names)

    def _sources(self, node: Any) -> list[tuple[Any, int]]:
        """The nodes whose results an op took, each with the index of the result; none before an input."""
        if _key(node) in self.inputs:
            return []
        return [(source, index) for source, index in node.next_functions if source is not None]

    # ------------------------------------------------------------------------------------- the drawing

    def nodes(self, output: Any) -> list[GraphNode]:
        """All nodes that ``output`` depends on, each after those that it takes, and the outputs."""
        outputs = tensors_in(output)
        self._claim(_nodes_of(outputs), self.model)
        for node in self._in_order(_nodes_of(outputs)):
            self.drawn[_key(node)] = self._draw(node)
        drawn = [*self.inputs.values(), *(each for each in self.drawn.values() if each.op != "Input")]
        for index, tensor in enumerate(outputs):
            drawn.append(
                GraphNode(
                    "output/output" if len(outputs) == 1 else f"output/output_{index}",
                    "Output",
                    [self._edge(node, tensor.output_index) for node in _nodes_of([tensor])],
                    [tuple(tensor.shape)],
                    str(tensor.dtype),
                )
            )
        return drawn

    def _draw(self, node: Any) -> GraphNode:
        if _key(node) in self.inputs:
            return self.inputs[_key(node)]
        owner = self.owners[_key(node)]
        if isinstance(node, AccumulateGrad):
            name = self.parameters.get(id(node.variable), f"{self.paths[owner]}/Leaf")
            kind = "Parameter" if id(node.variable) in self.parameters else "Leaf"
            leaf: Any = node.variable
            return GraphNode(self._unique(name), kind, shapes=[tuple(leaf.shape)], dtype=str(leaf.dtype))
        kind = re.sub(r"Backward\d*$", "", node.name())
        return GraphNode(
            self._unique(f"{self.paths[owner]}/{kind}"),
            kind,
            [self._edge(source, index) for source, index in self._sources(node)] + self.links.get(node, []),
            list(node.output_shapes),
            str(from_numpy_dtype(node.output_dtypes[0])),
            "" if owner._modules else repr(owner),
        )

    def _in_order(self, roots: list[Any]) -> list[Any]:
        """All nodes behind these, each after its sources; a graph may be too deep for recursion."""
        order: list[Any] = []
        seen = set()
        stack = [(root, False) for root in reversed(roots)]
        while stack:
            node, is_done = stack.pop()
            if is_done:
                order.append(node)
            elif _key(node) not in seen:
                seen.add(_key(node))
                stack.append((node, True))
                stack += [(source, False) for source, _ in reversed(self._sources(node))]
        return order

    def _edge(self, node: Any, index: int) -> str:
        name = self.drawn[_key(node)].name
        return f"{name}:{index}" if index else name

    def _unique(self, name: str) -> str:
        """``name``, with a number behind it from its second use on."""
        unique = name
        while unique in self.used_names:
            self.used_names[name] += 1
            unique = f"{name}_{self.used_names[name]}"
        self.used_names[unique] = 0
        return unique


def _argument_names(model: Module, count: int) -> list[str]:
    """What ``forward`` calls its first arguments; those that it takes with a star are numbered."""
    parameters = list(inspect.signature(model.forward).parameters.values())
    names = []
    for index in range(count):
        parameter = parameters[min(index, len(parameters) - 1)] if parameters else None
        if parameter is None or parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            names.append(f"{parameter.name if parameter else 'input'}_{index}")
        else:
            names.append(parameter.name)
    return names
