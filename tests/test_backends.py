"""The switches that scripts written for torch set."""

from __future__ import annotations

import minitorch


def test_switches_for_cudnn_may_be_set() -> None:
    cudnn = minitorch.backends.cudnn
    cudnn.deterministic, cudnn.benchmark = True, False
    assert cudnn.deterministic
    assert not cudnn.is_available()
    assert cudnn.version() is None
    cudnn.deterministic = False
