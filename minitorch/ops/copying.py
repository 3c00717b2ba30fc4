"""``clone``: the same values in memory of their own."""

from __future__ import annotations

from typing import Any

from minitorch.autograd.primitive import Clone
from minitorch.memory_format import preserve_format
from minitorch.ops.strided import with_memory_format


def clone(input: Any, *, memory_format: Any = preserve_format) -> Any:
    """A copy in memory of its own.

    Gradient: passes through unchanged.
    Args: memory_format: the layout of the copy; that of ``input`` (less its gaps) unless given.
    Raises: RuntimeError if ``channels_last`` is asked of a tensor without four dimensions.

    >>> import minitorch as torch
    >>> x = torch.zeros(2)
    >>> torch.clone(x).fill_(1), x
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    if memory_format in (None, preserve_format):
        return Clone.apply(input)
    return with_memory_format(input, memory_format)
