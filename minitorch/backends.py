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
    """NVIDIA's library of layers, which minitorch does not use; two of its switches have a meaning all the same.

    ``benchmark`` and ``deterministic`` may be set, and change nothing: results are always the same from run to run.
    """

    benchmark = False
    deterministic = False

    @property
    def enabled(self) -> bool:
        """Whether convolutions on a GPU run through kernels made for them; else as matrix products with columns."""
        return accelerator.convolution.kernels

    @enabled.setter
    def enabled(self, value: bool) -> None:
        accelerator.convolution.kernels = bool(value)

    @property
    def allow_tf32(self) -> bool:
        """Whether float32 convolutions on a GPU may round their factors to TF32 (10 bits of mantissa).

        True unless set, as in torch. Columns (``enabled = False``) follow ``cuda.matmul.allow_tf32`` instead.
        """
        return accelerator.convolution.allow_tf32

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        accelerator.convolution.allow_tf32 = bool(value)

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
