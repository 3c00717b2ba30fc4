"""CUDA kernels on a CPU, for tests: grids of real threads with real barriers, one after another.

``EmulatedModule`` stands in for ``cupy.RawModule``. It takes the same source: ``cuda_emulator.h`` teaches g++ the words
of CUDA C, ``runtime.cpp`` runs the threads of a block as fibers.
"""

from tests.harness.cuda_emulator.build import EmulatedCompileError, compiler
from tests.harness.cuda_emulator.launch import EmulatedKernel, EmulatedKernelError, EmulatedModule, launched

__all__ = ["EmulatedCompileError", "EmulatedKernel", "EmulatedKernelError", "EmulatedModule", "compiler", "launched"]
