"""``transforms/rotation.py``: tensors against torch's ``grid_sample``, Pillow images against Pillow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import minitorch
from minitorch.vision.transforms import InterpolationMode, RandomRotation
from minitorch.vision.transforms import functional as F  # noqa: N812
from tests.vision.support import bytes_of, chw, pair, pil, same, seed_both, smooth_bytes


def _by_grid_sample(image: Any, angle: float, mode: str, center: Any = None, size: Any = None) -> Any:
    """The same rotation through torch's sampling grid, in double precision."""
    H, W = image.shape[-2:]
    height, width = size or (H, W)
    x0, y0 = (0.0, 0.0) if center is None else (center[0] - W / 2, center[1] - H / 2)
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float64) - (height - 1) / 2 - y0,
        torch.arange(width, dtype=torch.float64) - (width - 1) / 2 - x0,
        indexing="ij",
    )
    grid = torch.stack(((cosine * x - sine * y + x0) / (W / 2), (sine * x + cosine * y + y0) / (H / 2)), -1)
    sampled = torch.nn.functional.grid_sample(
        image.double()[None], grid[None], mode=mode, padding_mode="zeros", align_corners=False
    )
    return sampled[0]


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("angle", [0, 17, -33.3, 90, 200])
@pytest.mark.parametrize("center", [None, (1, 2)])
def test_rotate_of_tensors(mode: str, angle: float, center: Any) -> None:
    ours, theirs = pair(chw(bytes_of(8, 11)).astype(np.float64))
    expected = _by_grid_sample(theirs, angle, mode, center)
    rotated = F.rotate(ours, angle, InterpolationMode(mode), center=center)
    np.testing.assert_allclose(rotated.numpy(), expected.numpy(), atol=1e-9)


@pytest.mark.parametrize("angle", [30, 91, 135.5])
def test_expand_has_pillows_size_and_values(angle: float) -> None:
    array = chw(smooth_bytes(40, 61))
    rotated = F.rotate(minitorch.tensor(array), angle, expand=True)
    expected = chw(np.array(F.rotate(Image.fromarray(smooth_bytes(40, 61)), angle, expand=True)))
    assert rotated.shape == expected.shape
    sampled = _by_grid_sample(torch.tensor(array), angle, "nearest", size=rotated.shape[-2:])
    assert (rotated.numpy() != sampled.numpy()).mean() < 0.02  # half-way between two pixels either may be taken


def test_expand_by_a_right_angle_loses_nothing() -> None:
    array = chw(bytes_of(4, 8))  # where one side is odd, the edges lie on half pixels, and both halves are kept
    same(F.rotate(minitorch.tensor(array), 90, expand=True), np.rot90(array, axes=(1, 2)))
    same(F.rotate(minitorch.tensor(array), 180), np.rot90(array, 2, axes=(1, 2)))


@pytest.mark.parametrize("fill", [7, [7.0], [1, 2, 3]])
def test_nearest_fill(fill: Any) -> None:
    image = minitorch.ones(3, 6, 6)
    rotated = F.rotate(image, 45, fill=fill).numpy()
    every = np.resize(fill, 3)
    np.testing.assert_array_equal(rotated[:, 0, 0], every)
    np.testing.assert_array_equal(rotated[:, 3, 3], 1)


def test_bilinear_fill_is_weighted_by_what_lies_outside() -> None:
    ours, theirs = pair(chw(bytes_of(7, 7)).astype(np.float64))
    value = _by_grid_sample(theirs, 20, "bilinear")
    inside = _by_grid_sample(torch.ones_like(theirs), 20, "bilinear")
    expected = value * inside + (1 - inside) * 50
    rotated = F.rotate(ours, 20, InterpolationMode.BILINEAR, fill=50)
    np.testing.assert_allclose(rotated.numpy(), expected.numpy(), atol=1e-9)


def test_rotate_of_bytes_and_of_other_ranks() -> None:
    array = chw(bytes_of(5, 5))
    rotated = F.rotate(minitorch.tensor(array), 25, InterpolationMode.BILINEAR)
    expected = _by_grid_sample(torch.tensor(array), 25, "bilinear").round().to(torch.uint8)
    same(rotated, expected)
    same(F.rotate(minitorch.tensor(array[None]), 25, InterpolationMode.BILINEAR), expected[None])
    same(F.rotate(minitorch.tensor(array[0]), 25, InterpolationMode.BILINEAR), expected[0])


def test_rotate_lets_gradients_through() -> None:
    x = minitorch.ones(1, 3, 3, requires_grad=True)
    F.rotate(x, 90).sum().backward()
    same(x.grad, np.ones((1, 3, 3), np.float32))


@pytest.mark.parametrize("mode", ["NEAREST", "BILINEAR", "BICUBIC"])
def test_rotate_of_pil_images_is_pillows(mode: str) -> None:
    image = pil(9, 12)
    expected = image.rotate(33, Image.Resampling[mode], True, (2, 3), fillcolor=(1, 2, 3))
    found = F.rotate(image, 33, InterpolationMode[mode], True, [2, 3], [1, 2, 3])
    np.testing.assert_array_equal(np.array(found), np.array(expected))


@pytest.mark.parametrize("image", [minitorch.zeros(3, 8, 8) + 100, Image.new("RGB", (8, 8), "white")])
def test_random_rotation_draws_torchs_angle(image: Any) -> None:
    seed_both(3)
    angle = float(torch.empty(1).uniform_(-30.0, 30.0).item())
    found = RandomRotation(30, fill=9)(image)
    expected = F.rotate(image, angle, fill=9)
    np.testing.assert_array_equal(np.array(found), np.array(expected))
    assert torch.rand(1).item() == minitorch.rand(1).item()  # nothing else was drawn


def test_errors() -> None:
    image = minitorch.zeros(3, 4, 4)
    with pytest.raises(TypeError, match="Argument angle should be int or float"):
        F.rotate(image, "90")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Argument center should be a sequence"):
        F.rotate(image, 90, center=2)
    with pytest.raises(TypeError, match="Argument interpolation should be a InterpolationMode"):
        F.rotate(image, 90, "nearest")
    with pytest.raises(ValueError, match="Interpolation mode 'bicubic' is unsupported with Tensor input"):
        F.rotate(image, 90, InterpolationMode.BICUBIC)
    with pytest.raises(ValueError, match=r"cannot broadcast to match the number of channels of the image \(2 != 3\)"):
        F.rotate(image, 90, fill=[1, 2])
    with pytest.raises(ValueError, match="If degrees is a single number, it must be positive"):
        RandomRotation(-3)
    with pytest.raises(TypeError, match="degrees should be a sequence of length 2"):
        RandomRotation("ab".encode)
    with pytest.raises(ValueError, match="center should be a sequence of length 2"):
        RandomRotation(3, center=(1, 2, 3))
    with pytest.raises(TypeError, match="Fill should be either a sequence or a number"):
        RandomRotation(3, fill={})
