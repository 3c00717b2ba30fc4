"""The switches that scripts written for torch set."""

from __future__ import annotations

import torch as oracle

import minitorch
from minitorch.backend import accelerator


def test_switches_for_cudnn_may_be_set() -> None:
    cudnn = minitorch.backends.cudnn
    cudnn.deterministic, cudnn.benchmark = True, False
    assert cudnn.deterministic
    assert not cudnn.is_available()
    assert cudnn.version() is None
    cudnn.deterministic = False


def test_switches_for_convolutions_on_a_gpu() -> None:
    """torch's names and defaults; they reach the place where convolutions look."""
    cudnn, switches = minitorch.backends.cudnn, accelerator.convolution
    assert (cudnn.enabled, cudnn.allow_tf32) == (oracle.backends.cudnn.enabled, oracle.backends.cudnn.allow_tf32)
    try:
        cudnn.enabled = cudnn.allow_tf32 = False
        assert (switches.kernels, switches.allow_tf32) == (False, False)
    finally:
        cudnn.enabled = cudnn.allow_tf32 = True
    assert (switches.kernels, switches.allow_tf32) == (True, True)
