"""What surrounds a network: ``data`` loads what it learns from, ``summary`` lists its layers.

``SummaryWriter``, which draws curves of a training, is in ``utils.tensorboard``.
"""

from minitorch.utils import data
from minitorch.utils.summary import summary

__all__ = ["data", "summary"]
