"""What works on tensors works on a GPU too, and gives the same: tried on a real one and on the strict stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minitorch
from minitorch.backend import accelerator
from minitorch.vision import models, transforms
from minitorch.vision.transforms import InterpolationMode
from minitorch.vision.transforms import functional as F  # noqa: N812
from minitorch.vision.utils import make_grid, save_image
from tests.harness.strict_array import strict
from tests.vision.support import bytes_of, chw

_LINEAR, _CUBIC = InterpolationMode.BILINEAR, InterpolationMode.BICUBIC

_PROGRAMS: dict[str, Any] = {
    "normalize": lambda x: F.normalize(F.convert_image_dtype(x), (0.5, 0.4, 0.3), (0.5, 0.5, 0.2)),
    "to int16": lambda x: F.convert_image_dtype(x, minitorch.int16),
    "flip": lambda x: F.vflip(F.hflip(x)),
    "pad": lambda x: F.pad(x, (1, 2), fill=3),
    "pad edge": lambda x: F.pad(x, 2, padding_mode="edge"),
    "pad reflect": lambda x: F.pad(x, 2, padding_mode="reflect"),
    "pad symmetric": lambda x: F.pad(x, (1, 2, 3, 0), padding_mode="symmetric"),
    "crop": lambda x: F.crop(x, -1, 2, 5, 20),
    "center_crop": lambda x: F.center_crop(x, (5, 12)),
    "resize": lambda x: F.resize(x, (5, 7)),
    "resize cubic": lambda x: F.resize(x.float(), (12, 17), _CUBIC),
    "rotate": lambda x: F.rotate(x, 33, expand=True, fill=[1, 2, 3]),
    "rotate linear": lambda x: F.rotate(x, 33, _LINEAR, center=(1, 2), fill=7),
    "grey": lambda x: F.rgb_to_grayscale(x, 3),
    "brightness": lambda x: F.adjust_brightness(x, 1.4),
    "contrast": lambda x: F.adjust_contrast(x, 1.4),
    "saturation": lambda x: F.adjust_saturation(x, 1.4),
    "hue": lambda x: F.adjust_hue(x, 0.3),
    "gamma": lambda x: F.adjust_gamma(x, 0.7),
    "jitter": transforms.ColorJitter(0.3, 0.3, 0.3, 0.3),
    "random crop": transforms.RandomResizedCrop(4),
    "erasing": transforms.RandomErasing(1.0, value=(1, 2, 3)),
    "erasing noise": lambda x: transforms.RandomErasing(1.0, value="random")(x.float()),
    "grid": lambda x: make_grid([x.float(), x.float() / 2], normalize=True, scale_each=True),
}


@pytest.fixture(params=[pytest.param("cuda", marks=pytest.mark.cuda), "stand-in"])
def gpu(request: Any) -> Iterator[None]:
    """A GPU, or the strict stand-in for CuPy."""
    if request.param == "cuda":
        yield
        return
    previous = accelerator.install(strict)
    yield
    accelerator.install(previous)


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("name", _PROGRAMS)
def test_transforms(name: str) -> None:
    image = minitorch.tensor(chw(bytes_of(8, 9)))
    results = []
    for each in (image, image.cuda()):
        minitorch.manual_seed(0)
        results.append(_PROGRAMS[name](each))
    expected, found = results
    assert found.is_cuda
    assert found.dtype == expected.dtype
    # a GPU may round a float the other way, and a byte that is cut off then differs by one
    tolerance = 1 if expected.dtype == minitorch.uint8 else 1e-4
    np.testing.assert_allclose(found.cpu().numpy().astype(float), expected.numpy().astype(float), atol=tolerance)


@pytest.mark.usefixtures("gpu")
def test_images_from_a_gpu(tmp_path: Any) -> None:
    image = F.convert_image_dtype(minitorch.tensor(chw(bytes_of(8, 9)))).cuda()
    np.testing.assert_array_equal(np.array(F.to_pil_image(image)), np.array(F.to_pil_image(image.cpu())))
    save_image(image, tmp_path / "image.png")


@pytest.mark.usefixtures("gpu")
def test_a_network_on_a_gpu() -> None:
    net, image = models.lenet(), minitorch.rand(2, 1, 28, 28)
    expected = net(image).detach().numpy()
    np.testing.assert_allclose(net.cuda()(image.cuda()).detach().cpu().numpy(), expected, rtol=1e-3, atol=1e-4)
