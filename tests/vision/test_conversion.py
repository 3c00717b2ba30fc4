"""``transforms/conversion.py``: images, arrays and tensors, against NumPy, Pillow and torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import minitorch
from minitorch.vision.transforms import ConvertImageDtype, Normalize, PILToTensor, ToPILImage, ToTensor
from minitorch.vision.transforms import functional as F  # noqa: N812
from tests.vision.support import bytes_of, chw, pair, pil, same


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK", "HSV", "YCbCr"])
def test_to_tensor_of_byte_images(mode: str) -> None:
    image = pil(5, 7).convert(mode) if mode != "LA" else pil(5, 7).convert("L").convert("LA")
    expected = torch.tensor(chw(np.array(image))).to(torch.float32).div(255)
    same(F.to_tensor(image), expected)
    same(ToTensor()(image), expected)
    same(F.pil_to_tensor(image), chw(np.array(image)))
    same(PILToTensor()(image), chw(np.array(image)))


def test_to_tensor_of_other_modes() -> None:
    integers = np.arange(6, dtype=np.int32).reshape(2, 3) * 70000
    same(F.to_tensor(Image.fromarray(integers)), integers[None])
    floats = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
    same(F.to_tensor(Image.fromarray(floats)), floats[None])
    bits = Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1")
    same(F.to_tensor(bits), np.array([[[0, 1], [1, 0]]], np.float32))
    same(F.to_tensor(Image.new("I;16", (2, 1), 1000)), np.array([[[1000, 1000]]], np.int16))


@pytest.mark.parametrize("channels", [1, 3])
def test_to_tensor_of_arrays(channels: int) -> None:
    array = bytes_of(4, 3, channels)
    same(F.to_tensor(array), torch.tensor(chw(array)).to(torch.float32).div(255))
    floats = array.astype(np.float64) / 100
    same(F.to_tensor(floats), chw(floats))  # only bytes are scaled


def test_to_tensor_makes_a_copy_of_its_own() -> None:
    array = np.zeros((2, 2, 1), np.float32)
    F.to_tensor(array)[...] = 1
    assert not array.any()


def test_to_tensor_follows_the_default_dtype() -> None:
    minitorch.set_default_dtype(minitorch.float64)
    try:
        assert F.to_tensor(pil(2, 2)).dtype == minitorch.float64
    finally:
        minitorch.set_default_dtype(minitorch.float32)


def test_to_tensor_errors() -> None:
    with pytest.raises(TypeError, match="pic should be PIL Image or ndarray"):
        F.to_tensor([1, 2])
    with pytest.raises(ValueError, match=r"pic should be 2/3 dimensional. Got 1 dimensions"):
        F.to_tensor(np.zeros(3))
    with pytest.raises(TypeError, match="pic should be PIL Image"):
        F.pil_to_tensor(np.zeros((2, 2)))


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_to_pil_image_of_bytes(channels: int, mode: str) -> None:
    array = np.random.default_rng(0).integers(0, 256, (channels, 4, 6), dtype=np.uint8)
    for image in (F.to_pil_image(minitorch.tensor(array)), F.to_pil_image(array.transpose(1, 2, 0))):
        assert (image.mode, image.size) == (mode, (6, 4))
        np.testing.assert_array_equal(chw(np.array(image)), array)


@pytest.mark.parametrize(("dtype", "mode"), [(np.int32, "I"), (np.int16, "I;16"), (np.uint8, "L"), (np.float32, "L")])
def test_to_pil_image_of_one_channel(dtype: Any, mode: str) -> None:
    array = np.array([[0, 1], [1, 0]], dtype)
    image = ToPILImage()(minitorch.tensor(array))
    assert image.mode == mode
    np.testing.assert_array_equal(np.array(image), array * 255 if dtype == np.float32 else array)


def test_floats_are_cut_off_not_rounded() -> None:
    values = np.array([[0.0, 0.999, 0.5, 1.0]], np.float32)
    expected = torch.tensor(values).mul(255).byte().numpy()
    np.testing.assert_array_equal(np.array(F.to_pil_image(minitorch.tensor(values))), expected)
    np.testing.assert_array_equal(np.array(F.to_pil_image(minitorch.tensor(values), mode="F")), values)


def test_image_and_back() -> None:
    for channels in (1, 3):
        image = pil(6, 5, channels)
        assert list(F.to_pil_image(F.to_tensor(image)).tobytes()) == list(image.tobytes())


def test_to_pil_image_modes() -> None:
    three = minitorch.zeros(3, 2, 2)
    assert F.to_pil_image(three, "HSV").mode == "HSV"
    with pytest.raises(ValueError, match=r"Only modes \['RGB', 'YCbCr', 'HSV'\] are supported"):
        F.to_pil_image(three, "L")
    with pytest.raises(ValueError, match=r"Incorrect mode \(RGB\) supplied for input type uint8. Should be L"):
        F.to_pil_image(minitorch.zeros(1, 2, 2), "RGB")
    with pytest.raises(ValueError, match=r"pic should not have > 4 channels. Got 5 channels"):
        F.to_pil_image(minitorch.zeros(5, 2, 2))
    with pytest.raises(ValueError, match=r"pic should be 2/3 dimensional. Got 4 dimensions"):
        F.to_pil_image(minitorch.zeros(1, 1, 2, 2))
    with pytest.raises(TypeError, match="pic should be Tensor or ndarray"):
        F.to_pil_image([1])
    with pytest.raises(TypeError, match="Input type int64 is not supported"):
        F.to_pil_image(minitorch.zeros(1, 2, 2, dtype=minitorch.int64))


_DTYPES = ["uint8", "int8", "int16", "int32", "int64", "float32", "float64"]


def _documented(image: Any, dtype: Any) -> Any:
    """The rule of the documentation, in torch's arithmetic."""
    if image.dtype == dtype:
        return image
    largest = {d: 1 if d.is_floating_point else torch.iinfo(d).max for d in (image.dtype, dtype)}
    if image.dtype.is_floating_point:
        return image.to(dtype) if dtype.is_floating_point else image.mul(largest[dtype] + 1.0 - 1e-3).to(dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / float(largest[image.dtype])
    if largest[image.dtype] > largest[dtype]:
        factor = (largest[image.dtype] + 1) // (largest[dtype] + 1)
        return torch.div(image, factor, rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((largest[dtype] + 1) // (largest[image.dtype] + 1))


@pytest.mark.parametrize("before", _DTYPES)
@pytest.mark.parametrize("after", _DTYPES)
def test_convert_image_dtype(before: str, after: str) -> None:
    source = getattr(torch, before)
    high = 1.0 if source.is_floating_point else torch.iinfo(source).max
    values = (
        torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=source)
        if source.is_floating_point
        else torch.tensor([0, high // 3, high // 2, high], dtype=source)
    )
    ours = minitorch.tensor(values.numpy())
    target = getattr(minitorch, after)
    if (before, after) in (("float32", "int32"), ("float32", "int64"), ("float64", "int64")):
        with pytest.raises(RuntimeError, match="cannot be performed safely"):
            F.convert_image_dtype(ours, target)
        return
    same(ConvertImageDtype(target)(ours), _documented(values, getattr(torch, after)))


def test_convert_image_dtype_wants_a_tensor() -> None:
    with pytest.raises(TypeError, match="Input img should be Tensor Image"):
        F.convert_image_dtype(np.zeros((1, 2, 2)), minitorch.uint8)


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (1, 4, 5)])
def test_normalize(shape: tuple[int, ...]) -> None:
    ours, theirs = pair(np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    mean, std = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]) if shape[-3] == 3 else ((0.5,), (0.3,))
    column = torch.tensor(mean).view(-1, 1, 1), torch.tensor(std).view(-1, 1, 1)
    same(Normalize(mean, std)(ours), theirs.clone().sub_(column[0]).div_(column[1]))
    same(ours, theirs)  # the input stays as it was
    assert Normalize(mean, std, inplace=True)(ours) is ours
    same(ours, theirs.sub_(column[0]).div_(column[1]))


def test_normalize_lets_gradients_through() -> None:
    x = minitorch.ones(1, 2, 2, requires_grad=True)
    F.normalize(x, (0.5,), (0.25,)).sum().backward()
    same(x.grad, np.full((1, 2, 2), 4, np.float32))


def test_normalize_errors() -> None:
    image = minitorch.zeros(1, 2, 2)
    with pytest.raises(TypeError, match=r"img should be Tensor Image. Got"):
        F.normalize(np.zeros((1, 2, 2)), (0.5,), (0.5,))
    with pytest.raises(TypeError, match=r"Input tensor should be a float tensor. Got torch.uint8"):
        F.normalize(image.to(minitorch.uint8), (0.5,), (0.5,))
    with pytest.raises(ValueError, match=r"Expected tensor to be a tensor image of size \(..., C, H, W\)"):
        F.normalize(image[0], (0.5,), (0.5,))
    with pytest.raises(ValueError, match=r"std evaluated to zero after conversion to torch.float32"):
        F.normalize(image, (0.5,), (0,))
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        F.normalize(image, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
