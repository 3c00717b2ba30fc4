"""Dimension arguments: ``dim=-1``, ``dim=(0, 2)``, ``dim=None``, and NumPy's names for them.

Every op that takes a dimension turns it into counted-from-the-front form here, so that all of them accept the
same things and fail with the same words.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def normalize_dim(dim: Any, ndim: int) -> int:
    """A dimension counted from the front, 0 ≤ dim < ndim; a 0-d tensor counts as having one.

    Raises: IndexError if there is no such dimension; TypeError if ``dim`` is not an integer.

    >>> normalize_dim(-1, 3), normalize_dim(0, 0)
    (2, 0)
    """
    try:
        index = operator.index(dim)
    except TypeError:
        raise TypeError(f"argument 'dim' must be int, not {type(dim).__name__}") from None
    count = ndim or 1
    if not -count <= index < count:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-count}, {count - 1}], but got {index})"
        )
    return index + count if index < 0 else index


def normalize_dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """Dimensions counted from the front: ``None`` means all, an integer that one, a sequence each of them.

    The order is kept. A 0-d tensor has none, so that the result is empty whatever (valid) dimension is named.
    Raises: IndexError as ``normalize_dim``; RuntimeError if one is named twice.

    >>> normalize_dims(None, 3), normalize_dims(-1, 3), normalize_dims((2, 0), 3), normalize_dims(0, 0)
    ((0, 1, 2), (2,), (2, 0), ())
    """
    if dim is None:
        return tuple(range(ndim))
    if not isinstance(dim, (tuple, list)):
        found = normalize_dim(dim, ndim)
        return (found,) if ndim else ()
    dims = tuple([normalize_dim(each, ndim) for each in dim])
    if len(set(dims)) < len(dims):
        twice = next(each for each in dims if dims.count(each) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    return dims if ndim else ()


def reduced_dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions a reduction runs over: as ``normalize_dims``, but an empty sequence means all of them."""
    if dim.__class__ in (tuple, list) and not dim:
        dim = None
    return normalize_dims(dim, ndim)


def kept_shape(shape: tuple[int, ...], dims: tuple[int, ...]) -> tuple[int, ...]:
    """``shape`` with size 1 in each of ``dims``: the shape of a reduction's result with ``keepdim``.

    >>> kept_shape((2, 3, 4), (0, 2))
    (1, 3, 1)
    """
    return tuple([1 if index in dims else size for index, size in enumerate(shape)])


def array_axis(dims: tuple[int, ...], ndim: int) -> tuple[int, ...] | None:
    """``dims`` as the ``axis`` of an array's reduction: None for all, also for a 0-d array, which has none."""
    return None if len(dims) == ndim else dims


_NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def numpy_names(function: F) -> F:
    """Let ``function`` be called with NumPy's ``axis`` and ``keepdims`` for ``dim`` and ``keepdim``, as in torch."""

    @functools.wraps(function)
    def accept(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], (list, tuple, int, float)):
            kind = type(args[0]).__name__
            raise TypeError(f"{function.__name__}(): argument 'input' (position 1) must be Tensor, not {kind}")
        if kwargs:
            for theirs, ours in _NUMPY_NAMES.items():
                if theirs in kwargs:
                    kwargs[ours] = kwargs.pop(theirs)
        return function(*args, **kwargs)

    return accept  # type: ignore[return-value]
