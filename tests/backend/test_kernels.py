"""Kernel files: the text that is compiled, what is kept, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest

from minitorch.backend import KernelFile, accelerator, kernels_available
from tests.harness.fake_cupy import installed
from tests.harness.strict_array import strict

SOURCE = """/* Adds NUMBER. */
#include "scale.cuh"
#include "scale.cuh"
extern "C" __global__ void add(T* x, long long size, const T* more) {
    const long long i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) x[i] = scaled(x[i]) + NUMBER + (more ? more[i] : 0);
}
extern "C" __global__ void clear(T* x) { x[threadIdx.x] = 0; }
"""
INCLUDED = """#pragma once
#include "kernels.cuh"
__device__ inline T scaled(T x) { return 2 * x; }
"""


@pytest.fixture
def kernels(tmp_path: Path) -> KernelFile:
    (tmp_path / "scale.cuh").write_text(INCLUDED)
    (tmp_path / "add.cu").write_text(SOURCE)
    return KernelFile(tmp_path / "add.cu")


def test_the_source_is_one_text(kernels: KernelFile) -> None:
    text = kernels.source({"T": "unsigned char", "NUMBER": 3})
    assert text.startswith("#define T unsigned char\n#define NUMBER 3\n")
    assert text.count("scaled(T x)") == 1
    assert text.count("#define SHARED_MEMORY") == 1  # from the folder of the backend
    assert '#include "' not in text
    assert "#pragma once" not in text
    lines = text.split("\n")
    start = lines.index('#line 3 "add.cu"')
    assert lines[start + 1 : start + 3] == SOURCE.split("\n")[2:4] or lines[start + 2].startswith('extern "C"')


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "add.cu").write_text('#include "other.cuh"')
    with pytest.raises(FileNotFoundError, match=r'#include "other.cuh" is neither in .* nor in .*backend'):
        KernelFile(tmp_path / "add.cu").source()


def test_launches(emulated: Any, kernels: KernelFile) -> None:
    x, more = emulated(numpy.arange(5, dtype="float32")), emulated(numpy.ones(5, "float32"))
    defines = {"T": "float", "NUMBER": 10}
    kernels.launch("add", (2,), (4,), [x, 5, more], defines)
    assert x.tolist() == [11, 13, 15, 17, 19]
    kernels.launch("add", (2,), (4,), (x, 3, None), defines=defines)
    assert x.tolist() == [32, 36, 40, 17, 19]
    kernels.launch("clear", (1,), (2,), (x,), defines)
    assert x.tolist() == [0, 0, 40, 17, 19]
    kernels.launch("clear", (0,), (2,), (x[2:],), defines)
    assert x.tolist() == [0, 0, 40, 17, 19]
    wide = emulated(numpy.ones(3))
    kernels.launch("add", (1,), (4,), (wide, 3, None), {"T": "double", "NUMBER": 1})
    assert wide.tolist() == [3, 3, 3]


def test_each_set_of_settings_is_compiled_once(monkeypatch: Any, emulated: Any, kernels: KernelFile) -> None:
    compiled = []
    cupy = accelerator.require()
    module = cupy.RawModule
    monkeypatch.setattr(
        cupy, "RawModule", lambda **options: compiled.append(options) or module(**options), raising=False
    )
    x = emulated(numpy.zeros(2, "float32"))
    for name, arguments in (("clear", (x,)), ("add", (x, 2, None)), ("clear", (x,))):
        kernels.launch(name, (1,), (2,), arguments, {"T": "float", "NUMBER": 1})
    assert len(compiled) == 1
    kernels.launch("clear", (1,), (2,), (x,), {"T": "float", "NUMBER": 2})
    assert len(compiled) == 2
    assert compiled[0]["options"] == ("-std=c++17",)


def test_more_shared_memory_is_asked_for(emulated: Any, tmp_path: Path) -> None:
    path = tmp_path / "large.cu"
    path.write_text("""#include "kernels.cuh"
extern "C" __global__ void fill(float* x, long long size) {
    SHARED_MEMORY(float, tile);
    tile[size - 1] = 7;
    x[0] = tile[size - 1];
}""")
    x = emulated(numpy.zeros(1, "float32"))
    KernelFile(path).launch("fill", (1,), (1,), (x, 25_000), shared_bytes=100_000)
    assert x.tolist() == [7]


def test_when_there_are_kernels() -> None:
    previous = accelerator.install(strict)
    try:
        assert not kernels_available()
    finally:
        accelerator.install(previous)
    with installed():
        assert kernels_available()
    if not accelerator.is_available():
        assert not kernels_available()
        with pytest.raises(RuntimeError, match="a CUDA device was asked for"):
            KernelFile("nothing.cu").launch("f", (1,), (1,), [])
