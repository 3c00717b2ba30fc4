"""What surrounds a network: ``data`` loads what it learns from, ``summary`` lists its layers.

``deterministic`` says what fresh memory holds where results must not change from run to run.
``SummaryWriter``, which draws curves of a training, is in ``utils.tensorboard``.
"""

from minitorch.utils import data, deterministic
from minitorch.utils.summary import summary

__all__ = ["data", "deterministic", "summary"]
