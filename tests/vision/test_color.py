"""``transforms/color.py`` and ``hue.py``: tensors against their formulas in torch, Pillow images against Pillow."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance

import minitorch
from minitorch.vision.transforms import functional as F  # noqa: N812
from minitorch.vision.transforms.hue import hsv_to_rgb, rgb_to_hsv
from tests.vision.support import bytes_of, chw, pair, pil, same

_FACTORS = [0.0, 0.4, 1.0, 1.7]


def _image(dtype: Any, channels: int = 3) -> Any:
    array = chw(bytes_of(6, 7, channels))
    return array if dtype == np.uint8 else (array / 255).astype(dtype)


def _grey(image: Any) -> Any:
    r, g, b = image.unbind(-3)
    return (0.2989 * r + 0.587 * g + 0.114 * b).to(image.dtype).unsqueeze(-3)


def _blend(image: Any, other: Any, ratio: float) -> Any:
    bound = 255 if image.dtype == torch.uint8 else 1
    return (ratio * image + (1.0 - ratio) * other).clamp(0, bound).to(image.dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("factor", _FACTORS)
@pytest.mark.parametrize("channels", [1, 3])
def test_adjustments_of_tensors(dtype: Any, factor: float, channels: int) -> None:
    ours, theirs = pair(_image(dtype, channels))
    grey = _grey(theirs) if channels == 3 else theirs
    mean = grey.to(torch.float32).mean((-3, -2, -1), keepdim=True)
    same(F.adjust_brightness(ours, factor), _blend(theirs, torch.zeros_like(theirs), factor))
    expected = _blend(theirs, mean, factor).numpy()
    found = F.adjust_contrast(ours, factor).numpy()
    # the two libraries add up the mean in another order, and a byte is cut off
    np.testing.assert_allclose(found.astype(float), expected.astype(float), atol=1 if dtype == np.uint8 else 1e-6)
    saturated = theirs if channels == 1 else _blend(theirs, grey, factor)
    same(F.adjust_saturation(ours, factor), saturated)


@pytest.mark.parametrize("factor", _FACTORS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_adjustments_of_pil_images_are_pillows(factor: float, mode: str) -> None:
    image = pil(6, 7).convert(mode)
    for adjust, method in (
        (F.adjust_brightness, ImageEnhance.Brightness),
        (F.adjust_contrast, ImageEnhance.Contrast),
        (F.adjust_saturation, ImageEnhance.Color),
    ):
        np.testing.assert_array_equal(np.array(adjust(image, factor)), np.array(method(image).enhance(factor)))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_grey(dtype: Any) -> None:
    ours, theirs = pair(_image(dtype))
    same(F.rgb_to_grayscale(ours), _grey(theirs))
    same(F.rgb_to_grayscale(ours, 3), _grey(theirs).expand(3, 6, 7))
    same(F.rgb_to_grayscale(ours[:1], 3), theirs[:1].expand(3, 6, 7))
    image = Image.fromarray(bytes_of(6, 7))
    np.testing.assert_array_equal(np.array(F.to_grayscale(image)), np.array(image.convert("L")))
    np.testing.assert_array_equal(np.array(F.rgb_to_grayscale(image, 3)), np.array(image.convert("L").convert("RGB")))


def test_hsv_is_the_standard_librarys() -> None:
    array = _image(np.float64)
    array[:, 0] = array[:1, 0]  # some grey pixels
    array[:, 1, 0] = 0  # and a black one
    expected = np.array([colorsys.rgb_to_hsv(*pixel) for pixel in array.reshape(3, -1).T]).T.reshape(array.shape)
    found = rgb_to_hsv(minitorch.tensor(array))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(hsv_to_rgb(found).numpy(), array, atol=1e-12)


@pytest.mark.parametrize("turns", [-0.5, -0.1, 0.0, 0.3, 0.5])
def test_adjust_hue_of_tensors(turns: float) -> None:
    array = _image(np.float64).astype(np.float32)
    hsv = [colorsys.rgb_to_hsv(*map(float, pixel)) for pixel in array.reshape(3, -1).T]
    expected = np.array([colorsys.hsv_to_rgb((h + turns) % 1.0, s, v) for h, s, v in hsv]).T.reshape(array.shape)
    np.testing.assert_allclose(F.adjust_hue(minitorch.tensor(array), turns).numpy(), expected, atol=1e-5)
    image = minitorch.tensor((array * 255).astype(np.uint8))
    as_float = F.adjust_hue(F.convert_image_dtype(image, minitorch.float32), turns)
    same(F.adjust_hue(image, turns), F.convert_image_dtype(as_float, minitorch.uint8).numpy())


@pytest.mark.parametrize("turns", [-0.5, -0.1, 0.0, 0.3, 0.5])
def test_adjust_hue_of_pil_images(turns: float) -> None:
    image = pil(6, 7)
    hsv = np.array(image.convert("HSV"))
    hsv[..., 0] = (hsv[..., 0].astype(int) + int(turns * 255)) % 256
    expected = Image.fromarray(hsv, mode="HSV").convert("RGB")
    np.testing.assert_array_equal(np.array(F.adjust_hue(image, turns)), np.array(expected))
    grey = image.convert("L")
    assert F.adjust_hue(grey, turns) is grey


def test_adjust_gamma() -> None:
    ours, theirs = pair(_image(np.float32))
    expected = (1.2 * theirs**2.2).clamp(0, 1)
    np.testing.assert_allclose(F.adjust_gamma(ours, 2.2, 1.2).numpy(), expected.numpy(), rtol=1e-6)
    image = pil(6, 7)
    table = np.array([int(255.999 * 0.9 * (value / 255) ** 0.5) for value in range(256)], np.uint8)
    np.testing.assert_array_equal(np.array(F.adjust_gamma(image, 0.5, 0.9)), table[np.array(image)])
    as_bytes = F.adjust_gamma(minitorch.tensor(chw(np.array(image))), 0.5, 0.9).numpy()
    assert (
        np.abs(as_bytes.astype(int) - chw(table[np.array(image)]).astype(int)).max() <= 1
    )  # Pillow's table or float32


def test_gradients_flow_through() -> None:
    x = minitorch.full((3, 2, 2), 0.3, requires_grad=True)
    F.adjust_brightness(x, 1.5).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.full((3, 2, 2), 1.5), rtol=1e-6)


def test_errors() -> None:
    image = minitorch.zeros(3, 4, 4)
    for adjust in (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation):
        with pytest.raises(ValueError, match=r"_factor \(-1\) is not non-negative"):
            adjust(image, -1)
        with pytest.raises(TypeError, match=r"permitted channel values are \[1, 3\], but found 2"):
            adjust(image[:2], 1)
        with pytest.raises(TypeError, match="img should be PIL Image"):
            adjust(np.zeros((4, 4, 3)), 1)
    for target in (image, pil(4, 4)):
        with pytest.raises(ValueError, match=r"hue_factor \(0.6\) is not in \[-0.5, 0.5\]"):
            F.adjust_hue(target, 0.6)
        with pytest.raises(ValueError, match="Gamma should be a non-negative real number"):
            F.adjust_gamma(target, -1)
        with pytest.raises(ValueError, match="num_output_channels should be either 1 or 3"):
            F.rgb_to_grayscale(target, 2)
    with pytest.raises(TypeError, match="Input should be PIL Image"):
        F.to_grayscale(image)
    with pytest.raises(TypeError, match="at least 3 dimensions, but found 2"):
        F.rgb_to_grayscale(image[0])
