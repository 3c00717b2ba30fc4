"""Flips, margins, crops and sizes: Pillow images against Pillow, tensors against NumPy and torch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

import minitorch
from minitorch.vision import transforms
from minitorch.vision.transforms import InterpolationMode
from minitorch.vision.transforms import functional as F  # noqa: N812
from tests.vision.support import bytes_of, chw, pair, pil, same, smooth_bytes

# ---------------------------------------------------------------------------------------------------- flips


@pytest.mark.parametrize(("flip", "axis"), [(F.hflip, 2), (F.vflip, 1)])
def test_flips(flip: Any, axis: int) -> None:
    array = chw(bytes_of(4, 5))
    expected = np.flip(array, axis)
    same(flip(minitorch.tensor(array)), expected)
    same(flip(minitorch.tensor(array[None]))[0], expected)
    np.testing.assert_array_equal(chw(np.array(flip(Image.fromarray(bytes_of(4, 5))))), expected)
    with pytest.raises(TypeError, match="img should be PIL Image"):
        flip(array)


# -------------------------------------------------------------------------------------------------- margins

_NUMPY_MODES = {"constant": "constant", "edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


@pytest.mark.parametrize("mode", _NUMPY_MODES)
@pytest.mark.parametrize("padding", [2, (1,), [2, 1], (1, 2, 3, 0)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_pad_of_tensors(mode: str, padding: Any, dtype: Any) -> None:
    array = chw(bytes_of(4, 5)).astype(dtype)
    given = [padding] if isinstance(padding, int) else list(padding)
    left, top, right, bottom = given if len(given) == 4 else (given[0], given[-1], given[0], given[-1])
    expected = np.pad(array, [(0, 0), (top, bottom), (left, right)], mode=_NUMPY_MODES[mode])  # type: ignore[call-overload]
    same(F.pad(minitorch.tensor(array), padding, padding_mode=mode), expected)
    same(F.pad(minitorch.tensor(array[None]), padding, padding_mode=mode), expected[None])


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "F", "P"])
@pytest.mark.parametrize("padding_mode", _NUMPY_MODES)
def test_pad_of_pil_images(mode: str, padding_mode: str) -> None:
    image = pil(4, 5).convert("L").convert(mode) if mode == "F" else pil(4, 5).convert(mode)
    padded = F.pad(image, (1, 2, 3, 0), padding_mode=padding_mode)
    array = np.array(image)
    widths = [(2, 0), (1, 3), (0, 0)][: array.ndim]
    assert padded.mode == mode
    np.testing.assert_array_equal(np.array(padded), np.pad(array, widths, mode=padding_mode))  # type: ignore[call-overload]
    if mode == "P":
        assert padded.getpalette() == image.getpalette()


def test_pad_with_a_colour() -> None:
    image = pil(2, 2)
    padded = F.pad(image, 1, fill=(1, 2, 3))
    np.testing.assert_array_equal(np.array(padded)[0, 0], [1, 2, 3])
    assert np.array(F.pad(image, 1, fill=7))[0, 0].tolist() == [7, 7, 7]
    assert np.array_equal(padded, ImageOps.expand(image, 1, (1, 2, 3)))
    same(F.pad(minitorch.zeros(1, 1, 1), (1, 0), fill=7), np.array([[[7, 0, 7]]], np.float32))


def test_negative_margins_cut_off() -> None:
    array = bytes_of(5, 6)
    expected = np.pad(array[1:, :-2], [(0, 0), (1, 0), (0, 0)], mode="edge")
    cut = F.pad(Image.fromarray(array), (1, -1, -2, 0), padding_mode="edge")
    np.testing.assert_array_equal(np.array(cut), expected)


@pytest.mark.parametrize("image", [minitorch.zeros(3, 4, 4), pil(4, 4)], ids=["tensor", "pil"])
def test_pad_errors(image: Any) -> None:
    with pytest.raises(TypeError, match="Got inappropriate padding arg"):
        F.pad(image, "2")
    with pytest.raises(TypeError, match="Got inappropriate fill arg"):
        F.pad(image, 2, fill="red")
    with pytest.raises(TypeError, match="Got inappropriate padding_mode arg"):
        F.pad(image, 2, padding_mode=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Padding must be an int or a 1, 2, or 4 element tuple, not a 3 element tuple"):
        F.pad(image, (1, 2, 3))
    with pytest.raises(ValueError, match="Padding mode should be either constant, edge, reflect or symmetric"):
        F.pad(image, 2, padding_mode="circular")
    with pytest.raises(TypeError, match="Got inappropriate fill arg"):
        transforms.Pad(2, fill=None)


def test_fill_must_fit_the_channels() -> None:
    with pytest.raises(ValueError, match=r"does not match the number of channels of the image \(2 != 3\)"):
        F.pad(pil(2, 2), 1, fill=(1, 2))


# ---------------------------------------------------------------------------------------------------- crops


@pytest.mark.parametrize("box", [(1, 2, 3, 4), (-1, 0, 3, 3), (2, 3, 9, 9), (-2, -3, 20, 20), (7, 9, 2, 2)])
def test_crop(box: tuple[int, int, int, int]) -> None:
    array = bytes_of(6, 8)
    top, left, height, width = box
    expected = np.array(Image.fromarray(array).crop((left, top, left + width, top + height)))
    np.testing.assert_array_equal(np.array(F.crop(Image.fromarray(array), *box)), expected)
    same(F.crop(minitorch.tensor(chw(array)), *box), chw(expected))


@pytest.mark.parametrize("size", [3, (4,), (5, 2), (4, 12), (11, 12), (6, 8), (7, 8)])
def test_center_crop(size: Any) -> None:
    array = bytes_of(6, 8)
    height, width = (size, size) if isinstance(size, int) else (size[0], size[-1])
    top, bottom = max(height - 6, 0) // 2, (max(height - 6, 0) + 1) // 2
    left, right = max(width - 8, 0) // 2, (max(width - 8, 0) + 1) // 2
    large = np.pad(array, [(top, bottom), (left, right), (0, 0)])
    row, column = round((large.shape[0] - height) / 2), round((large.shape[1] - width) / 2)
    expected = large[row : row + height, column : column + width]
    np.testing.assert_array_equal(np.array(F.center_crop(Image.fromarray(array), size)), expected)
    same(F.center_crop(minitorch.tensor(chw(array)), size), chw(expected))


def test_sizes_of_more_than_two_numbers() -> None:
    for make in (transforms.CenterCrop, transforms.RandomCrop, transforms.RandomResizedCrop):
        with pytest.raises(ValueError, match="Please provide only two dimensions"):
            make((1, 2, 3))


# ---------------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    ("size", "max_size", "expected"),
    [
        (20, None, (20, 30)),
        ([20], None, (20, 30)),
        ((50, 25), None, (50, 25)),
        (60, None, (60, 90)),
        (20, 25, (16, 25)),
        (13, None, (13, 19)),
    ],
)
def test_resize_sizes(size: Any, max_size: int | None, expected: tuple[int, int]) -> None:
    wide = F.resize(Image.new("RGB", (60, 40)), size, max_size=max_size)
    assert (wide.height, wide.width) == expected
    assert F.resize(minitorch.zeros(3, 40, 60), size, max_size=max_size).shape == (3, *expected)
    if not isinstance(size, tuple):
        assert F.resize(minitorch.zeros(2, 3, 60, 40), size, max_size=max_size).shape == (2, 3, *expected[::-1])


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [[5, 4], [17, 30]])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_resize_of_tensors_is_interpolate(mode: str, antialias: bool, size: list[int], dtype: Any) -> None:
    ours, theirs = pair(chw(bytes_of(11, 13)).astype(dtype))
    smooth = mode.startswith("bi")
    expected = torch.nn.functional.interpolate(
        theirs[None].float() if dtype == np.uint8 else theirs[None],
        size=size,
        mode=mode,
        align_corners=False if smooth else None,
        antialias=antialias and smooth,
    )[0]
    resized = F.resize(ours, size, InterpolationMode(mode), antialias=antialias)
    if dtype == np.uint8:
        assert resized.dtype == minitorch.uint8
        expected = expected.clamp(0, 255).round()
    # bytes: a float that lies within rounding error of a half may go either way
    tolerance = {np.float32: 2e-4, np.float64: 1e-10, np.uint8: 1}[dtype]
    difference = np.abs(resized.numpy().astype(np.float64) - expected.numpy().astype(np.float64))
    assert difference.max() <= tolerance
    assert (difference > 2e-4).mean() < 0.01


@pytest.mark.parametrize("mode", list(InterpolationMode))
def test_resize_of_pil_images_is_pillows(mode: InterpolationMode) -> None:
    image = pil(11, 13)
    name = "NEAREST" if mode is InterpolationMode.NEAREST_EXACT else mode.name
    expected = image.resize((7, 5), Image.Resampling[name])
    np.testing.assert_array_equal(np.array(F.resize(image, (5, 7), mode)), np.array(expected))


@pytest.mark.parametrize("mode", [InterpolationMode.BILINEAR, InterpolationMode.BICUBIC])
def test_antialiased_tensors_look_like_pillow_images(mode: InterpolationMode) -> None:
    array = smooth_bytes(60, 80)
    expected = chw(np.array(F.resize(Image.fromarray(array), (20, 30), mode))).astype(int)
    found = F.resize(minitorch.tensor(chw(array)), (20, 30), mode).numpy().astype(int)
    assert np.abs(found - expected).max() <= 1  # Pillow computes in whole numbers


def test_resize_to_the_same_size_is_the_image_itself() -> None:
    image = pil(4, 6)
    assert F.resize(image, (4, 6)) is image
    assert F.resize(image, 4) is image


def test_resize_lets_gradients_through() -> None:
    x = minitorch.ones(1, 2, 2, requires_grad=True)
    F.resize(x, (4, 4)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.full((1, 2, 2), 4), rtol=1e-6)


def test_resize_errors() -> None:
    image = minitorch.zeros(3, 4, 4)
    with pytest.raises(TypeError, match="Argument interpolation should be a InterpolationMode"):
        F.resize(image, 2, "bilinear")
    with pytest.raises(ValueError, match="Size must be an int or a 1 or 2 element tuple/list, not a 3 element"):
        F.resize(image, (1, 2, 3))
    with pytest.raises(ValueError, match="max_size should only be passed if size specifies the length"):
        F.resize(image, (1, 2), max_size=5)
    with pytest.raises(ValueError, match="max_size = 2 must be strictly greater than the requested size"):
        F.resize(image, 2, max_size=2)
    with pytest.raises(ValueError, match="Interpolation mode 'lanczos' is unsupported with Tensor input"):
        F.resize(image, 2, InterpolationMode.LANCZOS)
    with pytest.raises(TypeError, match="Size should be int or sequence"):
        transforms.Resize(1.5)
    with pytest.raises(ValueError, match="If size is a sequence, it should have 1 or 2 values"):
        transforms.Resize((1, 2, 3))
    with pytest.warns(UserWarning, match="Anti-alias option is always applied for PIL Image input"):
        F.resize(pil(4, 4), 2, antialias=False)


def test_pillows_numbers_for_interpolations() -> None:
    image = pil(8, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(
            np.array(F.resize(image, 3, 3)), np.array(F.resize(image, 3, InterpolationMode.BICUBIC))
        )


def test_resized_crop() -> None:
    array = bytes_of(10, 12)
    expected = Image.fromarray(array).crop((3, 2, 9, 7)).resize((4, 6), Image.Resampling.BILINEAR)
    found = F.resized_crop(Image.fromarray(array), 2, 3, 5, 6, (6, 4))
    np.testing.assert_array_equal(np.array(found), np.array(expected))


def test_dimensions() -> None:
    assert F.get_dimensions(pil(4, 6)) == [3, 4, 6]
    assert F.get_dimensions(minitorch.zeros(4, 6)) == [1, 4, 6]
    assert F.get_image_size(minitorch.zeros(5, 3, 4, 6)) == [6, 4]
    assert F.get_image_num_channels(pil(4, 6, 1)) == 1
    with pytest.raises(TypeError, match="Unexpected type"):
        F.get_dimensions(np.zeros((4, 6)))
    with pytest.raises(TypeError, match="Tensor is not a torch image"):
        F.get_dimensions(minitorch.zeros(3))


def test_erase() -> None:
    ours = minitorch.ones(3, 5, 6)
    expected = np.ones((3, 5, 6), np.float32)
    expected[:, 1:3, 2:6] = 0
    same(F.erase(ours, 1, 2, 2, 4, minitorch.zeros(1, 1, 1)), expected)
    same(ours, np.ones((3, 5, 6), np.float32))
    assert F.erase(ours, 1, 2, 2, 4, minitorch.zeros(1, 1, 1), inplace=True) is ours
    same(ours, expected)
    with pytest.raises(TypeError, match="img should be Tensor Image"):
        F.erase(pil(4, 4), 0, 0, 1, 1, ours)  # type: ignore[arg-type]
