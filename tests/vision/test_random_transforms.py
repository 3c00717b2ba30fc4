"""The random transforms draw what torchvision draws: the same numbers, in the same order, from torch's generator."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
import torch

import minitorch
from minitorch.vision import transforms
from minitorch.vision.transforms import functional as F  # noqa: N812
from tests.vision.support import bytes_of, chw, pil, seed_both

_TENSOR = minitorch.tensor(chw(bytes_of(20, 30)))


def _equal(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(np.array(found), np.array(expected))


def _nothing_else_was_drawn() -> None:
    assert torch.rand(1).item() == minitorch.rand(1).item()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("image", [_TENSOR, pil(20, 30)], ids=["tensor", "pil"])
@pytest.mark.parametrize(
    ("transform", "change"),
    [
        (transforms.RandomHorizontalFlip(0.4), F.hflip),
        (transforms.RandomVerticalFlip(0.4), F.vflip),
        (transforms.RandomGrayscale(0.4), lambda image: F.rgb_to_grayscale(image, 3)),
    ],
    ids=["hflip", "vflip", "grey"],
)
def test_one_draw_decides(transform: Any, change: Any, image: Any, seed: int) -> None:
    seed_both(seed)
    expected = change(image) if torch.rand(1) < 0.4 else image
    _equal(transform(image), expected)
    _nothing_else_was_drawn()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("image", [_TENSOR, pil(20, 30)], ids=["tensor", "pil"])
def test_random_crop(image: Any, seed: int) -> None:
    seed_both(seed)
    top, left = torch.randint(0, 20 - 8 + 1, size=(1,)).item(), torch.randint(0, 30 - 9 + 1, size=(1,)).item()
    _equal(transforms.RandomCrop((8, 9))(image), F.crop(image, int(top), int(left), 8, 9))
    _nothing_else_was_drawn()
    seed_both(seed)
    padded = F.pad(image, 4, 5, "reflect")
    top, left = torch.randint(0, 28 - 20 + 1, size=(1,)).item(), torch.randint(0, 38 - 30 + 1, size=(1,)).item()
    crop = transforms.RandomCrop((20, 30), padding=4, fill=5, padding_mode="reflect")
    _equal(crop(image), F.crop(padded, int(top), int(left), 20, 30))


def test_random_crop_of_the_whole_draws_nothing() -> None:
    seed_both()
    _equal(transforms.RandomCrop((20, 30))(_TENSOR), _TENSOR)
    _nothing_else_was_drawn()


def test_random_crop_of_small_images() -> None:
    with pytest.raises(ValueError, match=r"Required crop size \(32, 20\) is larger than input image size \(20, 30\)"):
        transforms.RandomCrop((32, 20))(_TENSOR)
    # each missing pixel is added on both sides, then the crop is drawn
    seed_both(1)
    crop = transforms.RandomCrop((24, 40), pad_if_needed=True, fill=9)(_TENSOR)
    padded = F.pad(F.pad(_TENSOR, [10, 0], 9), [0, 4], 9)
    top, left = torch.randint(0, 28 - 24 + 1, size=(1,)).item(), torch.randint(0, 50 - 40 + 1, size=(1,)).item()
    _equal(crop, F.crop(padded, int(top), int(left), 24, 40))


def _documented_part(H: int, W: int, scale: Any, ratio: Any) -> tuple[int, int, int, int]:
    """The part that torchvision's documentation describes, drawn from torch's generator."""
    log_ratio = torch.log(torch.tensor(ratio))
    for _ in range(10):
        area = H * W * torch.empty(1).uniform_(scale[0], scale[1]).item()
        aspect = torch.exp(torch.empty(1).uniform_(log_ratio[0].item(), log_ratio[1].item())).item()
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= W and 0 < h <= H:
            top = int(torch.randint(0, H - h + 1, size=(1,)).item())
            return top, int(torch.randint(0, W - w + 1, size=(1,)).item()), h, w
    if min(ratio) > W / H:
        w, h = W, round(W / min(ratio))
    elif max(ratio) < W / H:
        w, h = round(H * max(ratio)), H
    else:
        w, h = W, H
    return (H - h) // 2, (W - w) // 2, h, w


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("scale", "ratio"),
    [((0.08, 1.0), (3 / 4, 4 / 3)), ((2.0, 3.0), (0.1, 0.2)), ((2.0, 3.0), (5.0, 6.0)), ((2.0, 3.0), (0.1, 9.0))],
)
def test_random_resized_crop(seed: int, scale: Any, ratio: Any) -> None:
    seed_both(seed)
    expected = _documented_part(20, 30, scale, ratio)
    found = transforms.RandomResizedCrop.get_params(_TENSOR, scale, ratio)
    assert found == expected
    _nothing_else_was_drawn()
    seed_both(seed)
    part = _documented_part(20, 30, scale, ratio)
    for image in (_TENSOR, pil(20, 30)):
        minitorch.manual_seed(seed)
        _equal(transforms.RandomResizedCrop(7, scale, ratio)(image), F.resized_crop(image, *part, (7, 7)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("image", [_TENSOR, pil(20, 30)], ids=["tensor", "pil"])
def test_color_jitter(image: Any, seed: int) -> None:
    seed_both(seed)
    order = torch.randperm(4).tolist()
    ranges = [(0.5, 1.5), (0.2, 3.0), None, (-0.1, 0.1)]
    factors = [None if r is None else float(torch.empty(1).uniform_(*r).item()) for r in ranges]
    expected = image
    for index in order:
        if factors[index] is not None:
            adjust = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)[index]
            expected = adjust(expected, factors[index])  # type: ignore[arg-type]
    jitter = transforms.ColorJitter(0.5, (0.2, 3.0), 0, 0.1)
    _equal(jitter(image), expected)
    _nothing_else_was_drawn()


def test_color_jitter_errors() -> None:
    with pytest.raises(ValueError, match="If brightness is a single number, it must be non negative"):
        transforms.ColorJitter(brightness=-1)
    with pytest.raises(TypeError, match="contrast should be a single number or a list/tuple with length 2"):
        transforms.ColorJitter(contrast="much")
    with pytest.raises(ValueError, match=r"hue values should be between \(-0.5, 0.5\), but got \[-0.6, 0.6\]"):
        transforms.ColorJitter(hue=0.6)
    with pytest.raises(ValueError, match="saturation values should be between"):
        transforms.ColorJitter(saturation=(2, 1))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("value", [0, (1, 2, 3), "random"])
def test_random_erasing(seed: int, value: Any) -> None:
    image = F.convert_image_dtype(_TENSOR)
    seed_both(seed)
    expected = image.numpy().copy()
    if torch.rand(1) < 0.7:
        log_ratio = torch.log(torch.tensor((0.3, 3.3)))
        for _ in range(10):
            area = 600 * torch.empty(1).uniform_(0.02, 0.33).item()
            aspect = torch.exp(torch.empty(1).uniform_(log_ratio[0].item(), log_ratio[1].item())).item()
            h, w = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if h < 20 and w < 30:
                v = torch.empty(3, h, w).normal_() if value == "random" else torch.tensor(value).reshape(-1, 1, 1)
                top, left = torch.randint(0, 21 - h, size=(1,)).item(), torch.randint(0, 31 - w, size=(1,)).item()
                expected[:, top : top + h, left : left + w] = v.numpy()
                break
    erased = transforms.RandomErasing(0.7, value=value)(image)
    np.testing.assert_allclose(erased.numpy(), expected, rtol=1e-6)  # normal numbers agree to the last bit but one
    _nothing_else_was_drawn()


def test_random_erasing_errors() -> None:
    with pytest.raises(TypeError, match="Argument value should be either a number or str or a sequence"):
        transforms.RandomErasing(value=None)
    with pytest.raises(ValueError, match="If value is str, it should be 'random'"):
        transforms.RandomErasing(value="black")
    with pytest.raises(ValueError, match="Random erasing probability should be between 0 and 1"):
        transforms.RandomErasing(p=2)
    with pytest.raises(ValueError, match="Scale should be between 0 and 1"):
        transforms.RandomErasing(scale=(0, 2))
    with pytest.raises(TypeError, match="Ratio should be a sequence"):
        transforms.RandomErasing(ratio=1)
    with pytest.raises(ValueError, match="either a single value or 3"):
        transforms.RandomErasing(p=1, value=(1, 2))(_TENSOR)
    with pytest.warns(UserWarning, match="Scale and ratio should be of kind"):
        transforms.RandomResizedCrop(3, scale=(1, 0.5))


@pytest.mark.parametrize("seed", range(4))
def test_random_apply(seed: int) -> None:
    seed_both(seed)
    expected = _TENSOR if torch.rand(1) > 0.3 else F.vflip(F.hflip(_TENSOR))
    both = [transforms.Lambda(F.hflip), transforms.Lambda(F.vflip)]
    _equal(transforms.RandomApply(both, p=0.3)(_TENSOR), expected)


def test_choice_and_order_use_pythons_generator() -> None:
    add, double = transforms.Lambda(lambda x: x + 1), transforms.Lambda(lambda x: x * 2)
    random.seed(0)
    expected = [random.choices([2, 2.5], weights=[0.2, 0.8])[0] for _ in range(8)]
    random.seed(0)
    choice = transforms.RandomChoice([add, transforms.Lambda(lambda x: x + 1.5)], p=[0.2, 0.8])
    assert [choice(1) for _ in range(8)] == expected
    assert {transforms.RandomOrder([add, double])(1) for _ in range(50)} == {3, 4}
    for make in (transforms.RandomChoice, transforms.RandomOrder):
        with pytest.raises(TypeError, match="Argument transforms should be a sequence"):
            make(add)
    with pytest.raises(TypeError, match="Argument p should be a sequence"):
        transforms.RandomChoice([add], p=1)  # type: ignore[arg-type]


def test_compose_and_lambda() -> None:
    pipeline = transforms.Compose([transforms.Resize((8, 8)), transforms.ToTensor(), transforms.Lambda(lambda x: -x)])
    _equal(pipeline(pil(4, 4)), -F.to_tensor(F.resize(pil(4, 4), (8, 8))))
    with pytest.raises(TypeError, match="Argument lambd should be callable, got 'int'"):
        transforms.Lambda(3)  # type: ignore[arg-type]


def test_printed_forms() -> None:
    t = transforms
    expected = {
        "Compose(\n    ToTensor()\n    Normalize(mean=(0.5,), std=(0.5,))\n)": t.Compose(
            [t.ToTensor(), t.Normalize((0.5,), (0.5,))]
        ),
        "PILToTensor()": t.PILToTensor(),
        "ToPILImage()": t.ToPILImage(),
        "ToPILImage(mode=RGB)": t.ToPILImage("RGB"),
        "ConvertImageDtype()": t.ConvertImageDtype(minitorch.float32),
        "Resize(size=(3, 4), interpolation=bicubic, max_size=None, antialias=True)": t.Resize(
            (3, 4), t.InterpolationMode.BICUBIC
        ),
        "CenterCrop(size=(3, 3))": t.CenterCrop(3),
        "RandomCrop(size=(3, 4), padding=None)": t.RandomCrop((3, 4)),
        "RandomResizedCrop(size=(224, 224), scale=(0.08, 1.0), ratio=(0.75, 1.3333), interpolation=bilinear, "
        "antialias=True)": t.RandomResizedCrop(224),
        "RandomHorizontalFlip(p=0.5)": t.RandomHorizontalFlip(),
        "RandomVerticalFlip(p=0.1)": t.RandomVerticalFlip(0.1),
        "RandomRotation(degrees=[-3.0, 3.0], interpolation=nearest, expand=False, center=(1, 2), fill=0)": (
            t.RandomRotation(3, center=(1, 2))
        ),
        "Pad(padding=(1, 2), fill=0, padding_mode=edge)": t.Pad((1, 2), padding_mode="edge"),
        "Grayscale(num_output_channels=3)": t.Grayscale(3),
        "RandomGrayscale(p=0.1)": t.RandomGrayscale(),
        "ColorJitter(brightness=(0.5, 1.5), contrast=None, saturation=None, hue=(-0.1, 0.1))": t.ColorJitter(
            0.5, hue=0.1
        ),
        "Lambda()": t.Lambda(abs),
        "RandomApply(\n    p=0.5\n    Lambda()\n)": t.RandomApply([t.Lambda(abs)]),
        "RandomChoice(\n    Lambda()\n)(p=None)": t.RandomChoice([t.Lambda(abs)]),
        "RandomOrder(\n    Lambda()\n)": t.RandomOrder([t.Lambda(abs)]),
        "RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False)": t.RandomErasing(),
    }
    for text, transform in expected.items():
        assert repr(transform) == text
