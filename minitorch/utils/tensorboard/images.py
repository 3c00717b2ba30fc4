"""Images for TensorBoard: from any order of dimensions, a batch, or a figure, to a PNG file in a message."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from minitorch.utils.tensorboard.library import library
from minitorch.utils.tensorboard.messages import HostArray, as_host_array


def image(tag: str, tensor: Any, dataformats: str) -> Any:
    """A summary message with one picture; see ``as_pixels`` and ``encode``."""
    Summary = library().Summary
    return Summary(value=[Summary.Value(tag=tag, image=encode(as_pixels(tensor, dataformats)))])


def as_pixels(tensor: Any, dataformats: str) -> HostArray:
    """Bytes of shape (H, W, C): uint8 values as they are, all others times 255; cut off, then clipped to 0 … 255."""
    array = to_hwc(as_host_array(tensor), dataformats)
    scale = 1 if array.dtype == np.uint8 else 255
    return (array.astype(np.float32) * scale).clip(0, 255).astype(np.uint8)


def to_hwc(array: HostArray, dataformats: str) -> HostArray:
    """The dimensions in the order H, W, C; a batch becomes one picture, and grey becomes RGB.

    Args: dataformats: a letter a dimension, such as "CHW", "HWC", "HW" or "NCHW".
    Raises: AssertionError, as torch, for a letter given twice or for another number of dimensions; ValueError
    for other letters.
    """
    letters = dataformats.upper()
    if len(set(letters)) != len(letters):
        raise AssertionError(f"You can not use the same dimension shorthand twice. input_format: {dataformats}")
    if array.ndim != len(letters):
        raise AssertionError(
            "size of input tensor and input format are different. "
            f"tensor shape: {array.shape}, input_format: {dataformats}"
        )
    order = {2: "HW", 3: "HWC", 4: "NCHW"}.get(len(letters), "")
    if not order or set(order) != set(letters):
        raise ValueError(f"dataformats must be made of HW, HWC or NCHW, got {dataformats}")
    array = array.transpose([letters.index(letter) for letter in order])
    if len(letters) == 4:
        return grid(array).transpose(1, 2, 0)
    array = array[:, :, None] if len(letters) == 2 else array
    return np.concatenate([array] * 3, 2) if array.shape[2] == 1 else array


def grid(images: HostArray, columns: int = 8) -> HostArray:
    """A batch (N, C, H, W), C = 1 or 3, as one picture (3, rows · H, columns · W), filled row by row.

    Raises: AssertionError, as torch, for another number of channels.
    """
    N, C, H, W = images.shape
    if C not in (1, 3):
        raise AssertionError(f"Input should be a 4D numpy array with 3 channels, got {C} (reshape it to 1 or 3)")
    columns = min(N, columns)
    rows = -(-N // columns)
    picture = np.zeros((3, H * rows, W * columns), images.dtype)
    for index in range(N):
        top, left = index // columns * H, index % columns * W
        picture[:, top : top + H, left : left + W] = images[index]  # one channel is broadcast to three
    return picture


def encode(pixels: HostArray) -> Any:
    """Bytes of shape (H, W, C) as TensorBoard's image message, with a PNG file inside."""
    height, width, channels = pixels.shape
    return library().Summary.Image(
        height=height, width=width, colorspace=channels, encoded_image_string=png_file(pixels)
    )


def png_file(pixels: HostArray) -> bytes:
    """The content of a PNG file."""
    from PIL import Image  # comes with tensorboard

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, format="PNG")
    return file.getvalue()


def draw_figure(figure: Any, close: bool = True) -> HostArray:
    """A matplotlib figure as pixels of shape (3, H, W); ``close`` releases the figure.

    Raises: ImportError, with the command that helps, if matplotlib is missing.
    """
    try:
        import matplotlib.pyplot as plt
        from matplotlib.backends.backend_agg import FigureCanvasAgg
    except ImportError as error:
        raise ImportError("add_figure needs matplotlib: pip install matplotlib") from error
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.array(canvas.buffer_rgba())[:, :, :3].transpose(2, 0, 1)
    if close:
        plt.close(figure)
    return pixels
