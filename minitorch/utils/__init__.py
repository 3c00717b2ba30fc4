"""What surrounds a network: ``data`` loads what it learns from."""

from minitorch.utils import data

__all__ = ["data"]
