"""A mode in which nothing moves between host and device, and nobody waits for the device, unless the user says so.

Each of these stops the queue of kernels, and hidden in an op it makes a GPU slower than a CPU: ``if (x < 0).any()``,
``float(norm)``, a mask as an index, a table built on the host. On the stand-in for CuPy's arrays they are all seen.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import minitorch
from tests.harness.strict_array import strict

LIBRARY = str(Path(minitorch.__file__).parent)
# Who calls these methods of a tensor asks for a copy or a wait; so does who builds a tensor from data.
ASKING = {
    "tensor/conversion.py": "item tolist numpy to cpu cuda __array__ __bool__ __int__ __float__ __index__ __format__ "
    "__contains__ __deepcopy__ __reduce_ex__",
    "tensor/filling.py": "copy_",
    "tensor/tensor.py": "__repr__",
    "tensor/creation.py": "tensor as_tensor from_numpy",
}
# Parts of the library that ask on behalf of the user
MESSENGERS = ("nn/module.py", "serialization/", "tensor/conversion.py", "tensor/printing.py", "utils/data/")

# Ops that wait for the device, or copy from and to it, with some of their arguments. Tried without kernels.
# "torch": torch's do so too.
_SHAPE = "torch: the shape of the result depends on the values"
_ANSWER = "torch: the result, or an error, depends on the values"
_SOLVER = "torch: cuSOLVER's verdict on the matrix is read (by CuPy)"
WAITING_OPS = {
    **dict.fromkeys(
        ("nonzero", "nonzero as tuple", "argwhere", "masked_select", "unique", "unique_consecutive"), _SHAPE
    ),
    **dict.fromkeys(("bincount", "repeat_interleave", "nn.functional.one_hot"), _SHAPE),
    "combinations": "torch's waits; here a table of indices is copied to the device",
    "where": f"{_SHAPE}: where(condition)",
    "getitem": f"{_SHAPE}: x[mask]; or x[i] with a 0-d tensor, which is a view that starts there",
    "setitem": "torch: x[i] = y with a 0-d tensor i, as above; or x[mask] = y with a tensor y",
    "allclose": _ANSWER,
    "nn.functional.gaussian_nll_loss": f"{_ANSWER}: negative variances",
    "histc": f"{_ANSWER}: without bounds",
    "cov": f"{_ANSWER}: negative weights",
    **dict.fromkeys(("linalg.inv", "inverse", "Tensor.inverse", "linalg.solve", "linalg.cholesky"), _SOLVER),
    **dict.fromkeys(("linalg.det", "det", "Tensor.det", "linalg.slogdet", "Tensor.slogdet"), _SOLVER),
    **dict.fromkeys(("logdet", "Tensor.logdet", "linalg.matrix_power", "Tensor.matrix_power"), _SOLVER),
    **dict.fromkeys(("linalg.cholesky of the symmetric part", "linalg.matrix_norm"), _SOLVER),
    "nn.functional.ctc_loss": "lengths and targets are laid out on the host",
    **dict.fromkeys([f"nn.functional.dropout{each}" for each in ("", "1d", "2d", "3d")], "draws on the host"),
    **dict.fromkeys([f"nn.functional.{each}alpha_dropout" for each in ("", "feature_")], "draws on the host"),
}


class HostCopyError(RuntimeError):
    """The library moved data to or from the device, or waited for the device, and nobody had asked for it."""


@contextlib.contextmanager
def no_host_copy() -> Iterator[None]:
    """Raise HostCopyError at every copy between host and device, and every wait, that the library hides."""
    before, strict.watch = strict.watch, _refuse
    try:
        yield
    finally:
        strict.watch = before


def no_hidden_copy_in(op: str) -> contextlib.AbstractContextManager[None]:
    """``no_host_copy``, unless it is one of the ops that may."""
    return contextlib.nullcontext() if op in WAITING_OPS else no_host_copy()


def _refuse(reason: str) -> None:
    if not _is_asked_for():
        raise HostCopyError(reason)


def _is_asked_for() -> bool:
    """Whether the user asks, or somebody who speaks for the user: outside of the library, or through ``ASKING``."""
    frame, inside = sys._getframe(2), False
    while frame is not None and frame.f_back is not None:
        path = _path(frame.f_code.co_filename)
        if path is not None and frame.f_code.co_name in ASKING.get(path, "").split():
            caller = _path(frame.f_back.f_code.co_filename)
            return caller is None or caller.startswith(MESSENGERS)
        inside = inside or path is not None
        frame = frame.f_back
    return not inside


def _path(filename: str) -> str | None:
    """The path within the library, or None for the rest of the world."""
    return filename[len(LIBRARY) + 1 :] if filename.startswith(LIBRARY) else None
