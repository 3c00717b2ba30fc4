"""Compiling CUDA C without a GPU: by NVRTC, which is what CuPy calls, or else by nvcc.

NVRTC is looked for where ``NVRTC_LIBRARY`` points, in CUDA's packages for Python (``pip install nvidia-cuda-nvrtc
nvidia-cuda-runtime``), and where the system keeps libraries.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OPTIONS = ("-std=c++17",)


class KernelCompileError(Exception):
    """What the compiler says."""


@functools.cache
def compiler_name() -> str | None:
    """``"nvrtc"``, ``"nvcc"``, or None where there is neither."""
    if _nvrtc() is not None:
        return "nvrtc"
    return "nvcc" if shutil.which("nvcc") else None


def compile_kernels(source: str, architecture: int) -> None:
    """Make machine code for a GPU of compute capability ``architecture`` (90: Hopper). Warnings are errors.

    A source that has been compiled is not compiled again: its name is kept in a folder of the system's temporary one.
    """
    name = compiler_name()
    key = hashlib.sha256(f"{name} {architecture} {OPTIONS} {source}".encode()).hexdigest()[:24]
    done = _folder() / key
    if not done.exists():
        (_by_nvrtc if name == "nvrtc" else _by_nvcc)(source, architecture)
        done.touch()


def _by_nvcc(source: str, architecture: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kernels.cu"
        path.write_text(source)
        options = [*OPTIONS, "-cubin", f"-arch=sm_{architecture}", "-Werror", "all-warnings", "-o", os.devnull]
        done = subprocess.run(["nvcc", *options, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise KernelCompileError(done.stdout + done.stderr)


def _by_nvrtc(source: str, architecture: int) -> None:
    library = _nvrtc()
    assert library is not None
    program = ctypes.c_void_p()
    _check(library.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernels.cu", 0, None, None))
    options = [*OPTIONS, f"-arch=sm_{architecture}", *(f"-I{folder}" for folder in _include_folders())]
    array = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    failed = library.nvrtcCompileProgram(program, len(options), array)
    log = _log(library, program)
    library.nvrtcDestroyProgram(ctypes.byref(program))
    if failed or "warning" in log:
        raise KernelCompileError(log)


def _check(code: int) -> None:
    if code:
        raise RuntimeError(f"NVRTC error {code}")


def _log(library: ctypes.CDLL, program: ctypes.c_void_p) -> str:
    size = ctypes.c_size_t()
    _check(library.nvrtcGetProgramLogSize(program, ctypes.byref(size)))
    text = ctypes.create_string_buffer(size.value)
    _check(library.nvrtcGetProgramLog(program, text))
    return text.value.decode(errors="replace")


@functools.cache
def _nvrtc() -> ctypes.CDLL | None:
    for path in _candidates():
        try:
            for part in sorted(Path(path).parent.glob("libnvrtc-builtins.so*")):  # which it would look for elsewhere
                ctypes.CDLL(str(part))
            return ctypes.CDLL(str(path))
        except OSError:
            continue
    return None


def _candidates() -> list[Path | str]:
    named = [Path(os.environ["NVRTC_LIBRARY"])] if "NVRTC_LIBRARY" in os.environ else []
    packages = [path for folder in sys.path for path in sorted(Path(folder).glob("nvidia/cu*/lib/libnvrtc.so.*"))]
    system = ctypes.util.find_library("nvrtc")
    return [*named, *packages, *([system] if system else [])]


@functools.cache
def _include_folders() -> list[Path]:
    """Where ``cuda_fp16.h`` is: beside the library, or beside nvcc."""
    nvcc = shutil.which("nvcc")
    roots = [path.parent.parent for path in _candidates() if isinstance(path, Path)]
    roots += [Path(nvcc).resolve().parent.parent] if nvcc else []
    roots += [Path(os.environ.get("CUDA_PATH", "/usr/local/cuda"))]
    return [root / "include" for root in roots if (root / "include" / "cuda_fp16.h").exists()]


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"minitorch-compiled-kernels-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
