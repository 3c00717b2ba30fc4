"""``minitorch.backends``: torch's switches and questions about what computes."""

from __future__ import annotations


class _Mps:
    """Apple's GPUs, which minitorch does not use."""

    @staticmethod
    def is_available() -> bool:
        """Always False."""
        return False

    @staticmethod
    def is_built() -> bool:
        """Always False."""
        return False


mps = _Mps()
