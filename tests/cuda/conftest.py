"""Where the tests of whole programs run: in the emulator, and on a GPU where there is one."""

from __future__ import annotations

from typing import Any

import pytest

import minitorch


@pytest.fixture(params=["emulator", pytest.param("GPU", marks=pytest.mark.cuda)])
def where(request: Any, monkeypatch: Any) -> str:
    """What runs the kernels; without rounding to TF32."""
    if request.param == "emulator":
        request.getfixturevalue("emulated")
    monkeypatch.setattr(minitorch.backends.cudnn, "allow_tf32", False)
    return str(request.param)
