"""Every kernel file of the library compiles for GPUs, with each set of settings that its first comment names."""

from __future__ import annotations

import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import minitorch
from minitorch.backend import KernelFile
from tests.harness.cuda_compilers import KernelCompileError, compile_kernels, compiler_name

LIBRARY = Path(minitorch.__file__).parent
FILES = sorted(LIBRARY.rglob("*.cu"))
OLDEST, TENSOR_CORES, NEWEST = 75, 80, 90  # Turing, Ampere (whose tensor cores know TF32), Hopper
# What NVRTC, which compiles without the headers of C++, has not
HOST_WORDS = r"\b(std::\w+|u?int(8|16|32|64)_t|INFINITY|NAN|(FLT|DBL|INT|UINT|LONG)_M(AX|IN)|M_PI|assert|nullptr_t)\b"
HEADERS = {"cuda_fp16.h", "cuda_bf16.h"}


def variants(path: Path) -> list[dict[str, str | int]]:
    """The sets of settings in a file's first comment."""
    comment = path.read_text().split("*/")[0]
    lines = re.findall(r"^\s*Compiled with:(.*)$", comment, re.MULTILINE)
    return [dict(each.split("=", 1) for each in shlex.split(line)) for line in lines]


def uses_tensor_cores(defines: dict[str, str | int]) -> bool:
    return defines.get("TENSOR_CORES") == "1"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_compiles(path: Path) -> None:
    if compiler_name() is None:
        pytest.skip("neither NVRTC nor nvcc")
    jobs = [(defines, NEWEST) for defines in variants(path)]
    jobs += [(defines, TENSOR_CORES if uses_tensor_cores(defines) else OLDEST) for defines in variants(path)[:1]]
    sources = KernelFile(path).source
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: compile_kernels(sources(job[0]), job[1]), jobs))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_needs_nothing_of_the_host(path: Path) -> None:
    assert variants(path), f"{path.name}: no line 'Compiled with:' in the first comment"
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", KernelFile(path).source(), flags=re.DOTALL)
    text = re.sub(r"#ifdef CUDA_EMULATOR.*?#(else|endif)", "", text, flags=re.DOTALL)
    found = re.search(HOST_WORDS, text)
    assert found is None, f"{path.name}: NVRTC has no {found and found[0]}"
    assert set(re.findall(r"#\s*include\s*<(.*?)>", text)) <= HEADERS


@pytest.mark.skipif(compiler_name() is None, reason="neither NVRTC nor nvcc")
def test_errors_and_warnings_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "wrong.cu"
    path.write_text('/* A mistake. */\nextern "C" __global__ void f(float* x) { x[0] = NUMBER + unknown; }\n')
    with pytest.raises(KernelCompileError, match=r'wrong.cu"?\(2\).*"unknown" is undefined'):
        compile_kernels(KernelFile(path).source({"NUMBER": 1}), NEWEST)
    unused = 'extern "C" __global__ void f(float* x) { int unused_number = 1; x[0] = 1; }\n'
    with pytest.raises(KernelCompileError, match="unused_number"):
        compile_kernels(unused, NEWEST)
