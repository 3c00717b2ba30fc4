"""Interpolation in every mode, up and down, by size and by scale."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st

from tests.harness.both import same
from tests.harness.contract import OpContract
from tests.harness.declaration import Declaration, ErrorCase, Sample, Spec
from tests.harness.strategies import Draw

DIMENSIONS = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,), "bicubic": (2,)}
DIMENSIONS |= {"trilinear": (3,), "area": (1, 2)}


def samples(draw: Draw) -> Sample:
    mode = draw(st.sampled_from(sorted(DIMENSIONS)))
    dims = draw(st.sampled_from(DIMENSIONS[mode]))
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 2)), *[draw(st.integers(1, 5)) for _ in range(dims)])
    options: dict[str, Any] = {"mode": mode}
    if draw(st.booleans()):
        options["size"] = [draw(st.integers(1, 7)) for _ in range(dims)]
    else:
        # For sizes that a crooked factor happens to double, torch's forward and backward pick different pixels.
        factors = [1.0, 1.5, 2.0, 3.0] if mode == "nearest" else [1.0, 1.5, 2.0, 2.3, 3.0]
        options["scale_factor"] = [draw(st.sampled_from(factors)) for _ in range(dims)]
        options["recompute_scale_factor"] = draw(st.sampled_from([None, True]))
    if mode in ("linear", "bilinear", "bicubic", "trilinear"):
        options["align_corners"] = draw(st.booleans())
    # torch's antialiasing repeats the first row of an image that is, or becomes, one pixel wide: no judge there
    if mode in ("bilinear", "bicubic") and 1 not in shape[2:] and 1 not in options.get("size", ()):
        options["antialias"] = draw(st.booleans())
    return Sample(Spec(shape), **options)


IMAGE = Spec((1, 2, 4, 5))
ERRORS = [
    ErrorCase(Sample(IMAGE, size=3, scale_factor=2), ValueError, "only one of size or scale_factor"),
    ErrorCase(Sample(IMAGE), ValueError, "either size or scale_factor"),
    ErrorCase(Sample(IMAGE, size=3, align_corners=True), ValueError, "align_corners option can only be set"),
    ErrorCase(Sample(IMAGE, size=3, mode="nowhere"), NotImplementedError, "got nowhere"),
    ErrorCase(Sample(IMAGE, size=(3,)), ValueError, "same number of spatial dimensions"),
    ErrorCase(Sample(IMAGE, size=0), RuntimeError, "should be greater than 0"),
    ErrorCase(Sample(IMAGE, size=3, mode="linear"), NotImplementedError, "Got 4D input, but linear mode needs 3D"),
    ErrorCase(Sample(IMAGE, size=3, antialias=True), ValueError, "Anti-alias option is restricted"),
    ErrorCase(Sample(Spec((4, 5)), size=3), NotImplementedError, "got 2D"),
    ErrorCase(Sample(Spec((1, 1, 3, 3), "int64"), size=3), NotImplementedError, "Long"),
]


class TestInterpolate(OpContract):
    declarations: ClassVar = [
        Declaration(
            "nn.functional.interpolate",
            samples,
            tiny=[
                Sample(Spec((1, 1, 3)), size=5, mode="linear"),
                Sample(Spec((1, 1, 3, 2)), size=(2, 3), mode="bicubic", align_corners=False),
                Sample(Spec((1, 1, 4, 4)), size=(2, 2), mode="bilinear", antialias=True),
                Sample(Spec((1, 1, 3)), scale_factor=2.0),
            ],
            errors=ERRORS,
            # torch computes positions and weights in float32 for float32 images: near the edge between two pixels
            # a weight may differ by an ulp of the position, which is up to 1e-6 of the image's range.
            tolerance={"float32": (1.3e-6, 3e-5)},
        )
    ]


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_images_of_bytes(mode: str) -> None:
    same(
        lambda torch: torch.nn.functional.interpolate(
            torch.arange(9).reshape(1, 1, 3, 3).to(torch.uint8), size=(5, 2), mode=mode
        )
    )


def test_upsample_module() -> None:
    def program(torch: Any) -> Any:
        layer = torch.nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        return layer(torch.arange(4.0).reshape(1, 1, 2, 2)), repr(layer), repr(torch.nn.Upsample(size=(3, 3)))

    same(program)
