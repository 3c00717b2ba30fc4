"""Writing what TensorBoard shows: curves, images, histograms, texts and the graph of a network.

``SummaryWriter`` is the way in. A call such as ``add_scalar`` makes a *summary message* (messages.py, images.py,
hparams.py; for the graph: recording.py and graph.py) and hands it to a ``FileWriter`` (file_writer.py), which
appends it to an *event file*. The format of messages and files is TensorBoard's own: its package is imported
when the first writer is made, not before.
"""

from minitorch.utils.tensorboard.file_writer import FileWriter
from minitorch.utils.tensorboard.writer import SummaryWriter

__all__ = ["FileWriter", "SummaryWriter"]
