"""``minitorch.backends``: torch's switches and questions about what computes."""

from __future__ import annotations

from minitorch.backend import accelerator


class _MatrixProducts:
    """How matrix products run on a GPU."""

    @property
    def allow_tf32(self) -> bool:
        """Whether float32 products may round their factors to TF32 (10 bits of mantissa, several times as fast).

        False unless set, as in torch. Applies to every GPU product from then on.
        """
        return accelerator.tf32_is_allowed()

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        accelerator.allow_tf32(bool(value))


class _Cuda:
    """Switches for CUDA devices."""

    matmul = _MatrixProducts()

    @staticmethod
    def is_built() -> bool:
        """Whether CuPy, through which minitorch uses CUDA, can be used."""
        return accelerator.is_available()


class _Cudnn:
    """NVIDIA's library of layers, which minitorch does not use: the switches may be set, and change nothing."""

    enabled = False
    benchmark = False
    deterministic = False

    @staticmethod
    def is_available() -> bool:
        """Always False."""
        return False

    @staticmethod
    def version() -> None:
        """Always None."""


class _Mps:
    """Apple's GPUs, which minitorch does not use."""

    @staticmethod
    def is_available() -> bool:
        """Always False."""
        return False

    @staticmethod
    def is_built() -> bool:
        """Always False."""
        return False


cuda = _Cuda()
cudnn = _Cudnn()
mps = _Mps()
