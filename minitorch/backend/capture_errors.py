"""Errors in the capture of a CUDA graph: which operation it was.

CuPy and CUDA say that something is not permitted while a stream is captured, deep inside of an op. Who wrote the step
knows the name of the op, or of the method, that is in that step: the call with which his code entered the library.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType, TracebackType

LIBRARY = str(Path(__file__).parent.parent) + os.sep
_OF_CALLS = ("tensor", "ops", "optim")  # folders whose functions are operations; others only pass calls on
# In what CuPy and CUDA say: "… not permitted when stream is capturing", "… during stream capture"; and to everything
# that comes after an operation which CUDA refused.
_REFUSAL, _AFTER_A_REFUSAL = "captur", "invalidated"


class CaptureError(RuntimeError):
    """Something was done during a capture that cannot be captured."""


def message(operation: str, reason: str) -> str:
    """What an error says."""
    return (
        f"{operation} cannot be captured in a CUDA graph: {reason}. "
        "Do it before the capture, or after a replay, on the tensors that the graph fills."
    )


def explained(error: BaseException) -> CaptureError | None:
    """The error that names the operation, for one that a capture caused; None for any other."""
    if isinstance(error, CaptureError) or not isinstance(error, RuntimeError) or _REFUSAL not in str(error).lower():
        return None
    if _AFTER_A_REFUSAL in str(error).lower():
        return spoiled(error)
    operation = _operation(_frames_of(error.__traceback__))
    return CaptureError(message(operation, f"it waits for the GPU, or calls what does ({error})"))


def spoiled(error: BaseException) -> CaptureError:
    """The error for a capture in which something failed before, and nobody said so."""
    return CaptureError(f"no CUDA graph was captured, as something in the capture cannot be: {error}")


def operation_here() -> str:
    """The operation that is running now."""
    frames: list[FrameType] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return _operation(frames[::-1])


def _frames_of(traceback: TracebackType | None) -> Iterable[FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _operation(frames: Iterable[FrameType]) -> str:
    """The first operation behind the last step from other code into the library; frames from the outermost on."""
    found, was_inside, last = "", False, ""
    for frame in frames:
        path = _path(frame)
        if path and not was_inside:
            found = ""
        was_inside, last = bool(path), path or last
        is_wrapper = frame.f_code.co_flags & inspect.CO_NESTED  # of a decorator, around the function that has the name
        if not found and not is_wrapper and path.split("/")[0] in _OF_CALLS:
            found = _name(frame, path)
    return f"{found}, in {last}," if found == "Tensor.backward" else found or "this"


def _path(frame: FrameType) -> str:
    """The path of the frame's file within the library; nothing for other files."""
    name = frame.f_code.co_filename
    return name[len(LIBRARY) :].replace(os.sep, "/") if name.startswith(LIBRARY) else ""


def _name(frame: FrameType, path: str) -> str:
    """The name of the frame's function, with its class if it is a method."""
    code, owner = frame.f_code, frame.f_locals.get("self")
    if owner is None or code.co_varnames[:1] != ("self",):
        return code.co_name
    return f"{'Tensor' if path.startswith('tensor/') else type(owner).__name__}.{code.co_name}"
