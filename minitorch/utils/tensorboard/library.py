"""The one place that imports TensorBoard: its message classes and its writer of event files."""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

MISSING = (
    "SummaryWriter needs the package tensorboard, which could not be imported ({}). "
    "Install it with: pip install 'minitorch[tensorboard]'"
)


@functools.cache
def library() -> Any:
    """TensorBoard's classes, under their own names.

    Raises: ImportError, with the command that helps, if the package is missing.
    """
    try:
        from tensorboard.compat.proto import (
            attr_value_pb2,
            event_pb2,
            graph_pb2,
            node_def_pb2,
            summary_pb2,
            tensor_pb2,
            tensor_shape_pb2,
            versions_pb2,
        )
        from tensorboard.plugins.custom_scalar import layout_pb2
        from tensorboard.plugins.hparams import api_pb2
        from tensorboard.plugins.hparams import metadata as hparams_metadata
        from tensorboard.plugins.hparams import plugin_data_pb2 as hparams_pb2
        from tensorboard.plugins.pr_curve.plugin_data_pb2 import PrCurvePluginData
        from tensorboard.plugins.projector import projector_config_pb2
        from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ImportError as error:
        raise ImportError(MISSING.format(error)) from error
    return SimpleNamespace(
        AttrValue=attr_value_pb2.AttrValue,
        Event=event_pb2.Event,
        EventFileWriter=EventFileWriter,
        GraphDef=graph_pb2.GraphDef,
        HistogramProto=summary_pb2.HistogramProto,
        NodeDef=node_def_pb2.NodeDef,
        PrCurvePluginData=PrCurvePluginData,
        SessionLog=event_pb2.SessionLog,
        Summary=summary_pb2.Summary,
        SummaryMetadata=summary_pb2.SummaryMetadata,
        TensorProto=tensor_pb2.TensorProto,
        TensorShapeProto=tensor_shape_pb2.TensorShapeProto,
        TextPluginData=TextPluginData,
        VersionDef=versions_pb2.VersionDef,
        hparams=SimpleNamespace(api=api_pb2, data=hparams_pb2, metadata=hparams_metadata),
        layout=layout_pb2,
        projector=projector_config_pb2,
    )
