"""``vision/utils.py`` and ``vision/io.py``: grids made by hand, files against Pillow."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import minitorch
from minitorch.vision.io import ImageReadMode, decode_image, read_image, write_jpeg, write_png
from minitorch.vision.utils import make_grid, save_image
from tests.vision.support import bytes_of, chw, pil, same

_BATCH = np.random.default_rng(0).random((5, 3, 4, 6), dtype=np.float32)


def _by_hand(images: Any, columns: int, padding: int, value: float) -> Any:
    """Each image with its margin, put together row by row with NumPy."""
    rows = []
    for start in range(0, len(images), columns):
        row = list(images[start : start + columns])
        row += [np.full_like(images[0], value)] * (columns - len(row))
        framed = [np.pad(image, [(0, 0), (padding, 0), (padding, 0)], constant_values=value) for image in row]
        rows.append(np.concatenate(framed, axis=2))
    grid = np.concatenate(rows, axis=1)
    return np.pad(grid, [(0, 0), (0, padding), (0, padding)], constant_values=value)


@pytest.mark.parametrize(("nrow", "padding", "value"), [(8, 2, 0.0), (2, 1, 0.5), (3, 0, 0.0), (5, 3, 1.0)])
def test_make_grid(nrow: int, padding: int, value: float) -> None:
    expected = _by_hand(_BATCH, min(nrow, 5), padding, value)
    same(make_grid(minitorch.tensor(_BATCH), nrow, padding, pad_value=value), expected)
    same(make_grid([minitorch.tensor(each) for each in _BATCH], nrow, padding, pad_value=value), expected)


def test_grey_and_single_images() -> None:
    grey = _BATCH[:, :1]
    same(make_grid(minitorch.tensor(grey)), _by_hand(grey.repeat(3, 1), 5, 2, 0))
    same(make_grid(minitorch.tensor(grey[0, 0])), grey[0].repeat(3, 0))
    same(make_grid(minitorch.tensor(grey[0])), grey[0].repeat(3, 0))
    same(make_grid(minitorch.tensor(_BATCH[0])), _BATCH[0])
    same(make_grid(minitorch.tensor(_BATCH[:1])), _BATCH[0])


@pytest.mark.parametrize(("value_range", "scale_each"), [(None, False), (None, True), ((0.2, 0.7), False)])
def test_normalised_grids(value_range: Any, scale_each: bool) -> None:
    batch = _BATCH * np.arange(1, 6, dtype=np.float32)[:, None, None, None]
    expected = batch.copy()
    for part in expected if scale_each else [expected]:
        low, high = (part.min(), part.max()) if value_range is None else value_range
        part[...] = (part.clip(low, high) - low) / (high - low)
    ours = minitorch.tensor(batch)
    found = make_grid(ours, normalize=True, value_range=value_range, scale_each=scale_each)
    np.testing.assert_allclose(found.numpy(), _by_hand(expected, 5, 2, 0), rtol=1e-6, atol=1e-7)
    same(ours, batch)


def test_a_constant_image_is_not_divided_by_zero() -> None:
    same(make_grid(minitorch.full((1, 3, 2, 2), 7.0), normalize=True), np.zeros((3, 2, 2), np.float32))


def test_make_grid_errors() -> None:
    with pytest.raises(TypeError, match="tensor or list of tensors expected, got <class 'numpy"):
        make_grid(_BATCH)
    with pytest.raises(TypeError, match="got a list containing <class 'int'>"):
        make_grid([1])
    with pytest.raises(TypeError, match="value_range has to be a tuple"):
        make_grid(minitorch.tensor(_BATCH), normalize=True, value_range=[0, 1])  # type: ignore[arg-type]


def test_save_image(tmp_path: Path) -> None:
    save_image(minitorch.tensor(_BATCH), tmp_path / "grid.png", nrow=3)
    expected = np.floor(_by_hand(_BATCH, 3, 2, 0) * np.float32(255) + np.float32(0.5)).clip(0, 255)
    np.testing.assert_array_equal(chw(np.array(Image.open(tmp_path / "grid.png"))), expected)
    stream = io.BytesIO()
    save_image(minitorch.tensor(_BATCH[0]), stream, format="PNG")
    assert Image.open(stream).size == (6, 4)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_read_image(tmp_path: Path, mode: str) -> None:
    image = pil(5, 7).convert(mode) if mode != "LA" else pil(5, 7).convert("L").convert("LA")
    image.save(tmp_path / "image.png")
    same(read_image(str(tmp_path / "image.png")), chw(np.array(image)))
    for wanted, name in ((ImageReadMode.GRAY, "L"), (ImageReadMode.RGB, "RGB"), ("RGB_ALPHA", "RGBA")):
        same(read_image(tmp_path / "image.png", wanted), chw(np.array(image.convert(name))))
    data = minitorch.tensor(np.frombuffer((tmp_path / "image.png").read_bytes(), np.uint8).copy())
    same(decode_image(data), chw(np.array(image)))


def test_palettes_and_bits_become_bytes(tmp_path: Path) -> None:
    image = pil(5, 7).convert("P")
    image.save(tmp_path / "palette.png")
    same(read_image(tmp_path / "palette.png"), chw(np.array(image.convert("RGB"))))
    pil(5, 7).convert("1").save(tmp_path / "bits.png")
    assert set(np.unique(read_image(tmp_path / "bits.png").numpy())) <= {0, 255}
    Image.new("I;16", (2, 2), 1000).save(tmp_path / "deep.png")
    with pytest.raises(RuntimeError, match="not made of bytes"):
        read_image(tmp_path / "deep.png")


def test_orientation_of_photographs(tmp_path: Path) -> None:
    image = pil(4, 6)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 270 degrees to see it upright
    image.save(tmp_path / "photo.png", exif=exif)
    assert read_image(tmp_path / "photo.png").shape == (3, 4, 6)
    upright = chw(np.array(image.transpose(Image.Transpose.ROTATE_270)))
    same(read_image(tmp_path / "photo.png", apply_exif_orientation=True), upright)


def test_written_files(tmp_path: Path) -> None:
    for channels in (1, 3):
        array = chw(bytes_of(8, 9, channels))
        write_png(minitorch.tensor(array), tmp_path / "a.png", compression_level=0)
        same(read_image(tmp_path / "a.png"), array)
        write_jpeg(minitorch.tensor(array), tmp_path / "a.jpg", quality=90)
        stream = io.BytesIO()
        Image.fromarray(bytes_of(8, 9, channels)).save(stream, "JPEG", quality=90)
        assert (tmp_path / "a.jpg").read_bytes() == stream.getvalue()


def test_io_errors(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"No such file or directory: '.*missing.png'"):
        read_image(tmp_path / "missing.png")
    (tmp_path / "text.png").write_text("not an image")
    with pytest.raises(RuntimeError, match="is not an image that Pillow can read"):
        read_image(tmp_path / "text.png")
    with pytest.raises(RuntimeError, match="Input tensor dtype should be uint8"):
        write_png(minitorch.zeros(3, 2, 2), tmp_path / "a.png")
    with pytest.raises(RuntimeError, match="1 or 3 channels"):
        write_jpeg(minitorch.zeros(2, 2, 2, dtype=minitorch.uint8), tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="Image quality should be a positive number between 1 and 100"):
        write_jpeg(minitorch.zeros(3, 2, 2, dtype=minitorch.uint8), tmp_path / "a.jpg", quality=0)
    with pytest.raises(RuntimeError, match="Compression level should be between 0 and 9"):
        write_png(minitorch.zeros(3, 2, 2, dtype=minitorch.uint8), tmp_path / "a.png", compression_level=10)
    with pytest.raises(RuntimeError, match="1-dimensional tensor of uint8"):
        decode_image(minitorch.zeros(3))
