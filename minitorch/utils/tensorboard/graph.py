"""TensorBoard's message for a graph that was recorded."""

from __future__ import annotations

from typing import Any

from minitorch.utils.tensorboard.library import library
from minitorch.utils.tensorboard.messages import shape_message
from minitorch.utils.tensorboard.recording import GraphNode

_PRODUCER = 22  # the version of the graph's format that torch's writer names


def graph_message(nodes: list[GraphNode]) -> Any:
    """A ``GraphDef``: the nodes with their edges; shapes, dtype and layer as attributes."""
    messages = library()
    return messages.GraphDef(
        node=[_node_message(node) for node in nodes], versions=messages.VersionDef(producer=_PRODUCER)
    )


def _node_message(node: GraphNode) -> Any:
    AttrValue = library().AttrValue
    shapes = AttrValue.ListValue(shape=[shape_message(shape) for shape in node.shapes])
    attributes = {"_output_shapes": AttrValue(list=shapes), "dtype": AttrValue(s=node.dtype.encode())}
    if node.layer:
        attributes["layer"] = AttrValue(s=node.layer.encode())
    return library().NodeDef(name=node.name, op=node.op, input=node.inputs, attr=attributes)


def graph_text(nodes: list[GraphNode]) -> str:
    """The graph as lines to read: ``Net/fc/Addmm (2, 5) <- Net/fc/bias, input/x``."""
    return "\n".join(
        f"{node.name} {', '.join(map(str, node.shapes))}" + (f" <- {', '.join(node.inputs)}" if node.inputs else "")
        for node in nodes
    )
