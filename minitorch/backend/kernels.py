"""Kernels in CUDA C that lie beside their op: found, compiled at their first launch, kept, and launched.

    _kernels = KernelFile(Path(__file__).with_suffix(".cu"))
    _kernels.launch("double_it", (blocks,), (256,), [x, y, x.size], {"T": "float"})

runs, on the current stream,

    extern "C" __global__ void double_it(const T* x, T* y, long long size) { … }

**Compiled lazily**: NVRTC, a compiler that is a library, makes machine code for the GPU at hand (a second or so), and
CuPy keeps it on disk for the next process. Settings such as dtypes are written before the source (``#define T float``),
and each set of them makes a program of its own. ``#include "name.cuh"`` is replaced by that file's text, looked for
beside the including file and then in this folder, so that the compiler needs to know no path of ours.

**Arguments** have no types that a GPU would check: a device array becomes the pointer to its first element (whatever
its strides), ``None`` a null pointer, a Python int ``long long``, a float ``double``, a NumPy scalar its own type, and
a NumPy array is copied byte for byte into a parameter that is a struct.

**Without a GPU** kernels are compiled all the same, and run by an emulator. A ``.cu`` says in its first comment with
which settings it shall be compiled, a line a set, values with spaces in quotes:

    Compiled with: T=float INDEX="long long"

``tests/cuda/test_compilation.py`` compiles each of them with nvcc. ``tests/harness/cuda_emulator`` runs kernels on the
CPU, unchanged but for two things. Shared memory whose size is known at launch only (``shared_bytes``) is written
``SHARED_MEMORY(float, tile);``, with ``#include "kernels.cuh"``. What needs ``asm`` is a small function, which under
``#ifdef CUDA_EMULATOR`` says in C what it does.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from minitorch.backend import accelerator

OPTIONS = ("-std=c++17",)
# More than 48 KB must be asked for, kernel by kernel; and what a kernel declares for itself counts, too.
_SHARED_BYTES_OF_ANY_KERNEL = 40 << 10
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)".*$', re.MULTILINE)
_PRAGMA_ONCE = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+once[ \t]*$", re.MULTILINE)
_NULL = 0

Defines = Mapping[str, str | int] | tuple[tuple[str, str | int], ...]


def kernels_available() -> bool:
    """Whether kernels can be compiled and launched: there is a GPU, and its array module is not a mere stand-in."""
    return hasattr(accelerator.load(), "RawModule")


class KernelFile:
    """The kernels of one ``.cu`` file (absolute path), each compiled at its first launch."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._functions: dict[tuple[Any, ...], Any] = {}
        self._modules: dict[tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()

    def launch(
        self,
        name: str,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        arguments: Sequence[Any],
        defines: Defines | None = None,
        shared_bytes: int = 0,
    ) -> None:
        """Run kernel ``name`` on ``grid`` blocks of ``block`` threads (up to three numbers each), and do not wait.

        It runs on the current stream of the device that has the first array among ``arguments``. Nothing runs if the
        grid is empty.

        Raises: RuntimeError where there is no GPU, CuPy's CompileException (with the compiler's messages) if the source
        has an error, TypeError for an argument of another type.
        """
        if 0 in grid:
            return
        cupy = accelerator.require()
        current = cupy.cuda.runtime.getDevice()
        if accelerator.device_count() > 1:
            index = _device_of(arguments)
            if index is not None and index != current:
                with cupy.cuda.Device(index):
                    return self.launch(name, grid, block, arguments, defines, shared_bytes)
        settings = defines if isinstance(defines, tuple) else tuple((defines or {}).items())
        function = self._functions.get((cupy, current, name, settings))
        if function is None:
            function = self._compile(cupy, current, name, settings)
        if shared_bytes > _SHARED_BYTES_OF_ANY_KERNEL and function.max_dynamic_shared_size_bytes <= shared_bytes:
            function.max_dynamic_shared_size_bytes = shared_bytes
        parameters = [
            _NULL if each is None else each if each.__class__ is not numpy.ndarray else as_struct(each)
            for each in arguments
        ]
        function(grid, block, tuple(parameters), shared_mem=shared_bytes)

    def source(self, defines: Defines | None = None) -> str:
        """What is compiled: a line for each setting, and the file with the text of what it includes."""
        settings = "".join(f"#define {name} {value}\n" for name, value in dict(defines or ()).items())
        return settings + source_text(self.path)

    def _compile(self, cupy: Any, device: int, name: str, settings: tuple[Any, ...]) -> Any:
        """The function for the current device, kept for the next launch."""
        with self._lock:  # two threads need not compile the same
            module = self._modules.get((cupy, device, settings))
            if module is None:
                module = cupy.RawModule(code=self.source(dict(settings)), options=OPTIONS)
                self._modules[cupy, device, settings] = module
            function = self._functions[cupy, device, name, settings] = module.get_function(name)
        return function


def as_struct(numbers: numpy.ndarray) -> numpy.ndarray:
    """Numbers as one element, which is what CuPy passes by value, byte for byte."""
    return numbers if numbers.size == 1 else numbers.view(f"V{numbers.nbytes}")


def _device_of(arguments: Sequence[Any]) -> int | None:
    """The number of the GPU that has the first array."""
    for each in arguments:
        if hasattr(each, "get"):
            return int(each.device.id)
    return None


@functools.cache
def source_text(path: Path) -> str:
    """The text of a source file, with each ``#include "…"`` replaced by the file's text: its first time only.

    Compilers are told (``#line``) where each line came from, so that their messages name file and line.
    """
    return _expand(path, set())


def _expand(path: Path, seen: set[Path]) -> str:
    seen.add(path)
    text = _PRAGMA_ONCE.sub("", path.read_text(encoding="utf-8"))

    def replace(match: re.Match[str]) -> str:
        found, line = _find(match[1], path), text.count("\n", 0, match.start()) + 2
        included = "" if found in seen else _expand(found, seen)
        return f'{included}\n#line {line} "{path.name}"' if included else ""

    return f'#line 1 "{path.name}"\n' + _INCLUDE.sub(replace, text)


def _find(name: str, including: Path) -> Path:
    folders = (including.parent, Path(__file__).parent)
    for folder in folders:
        if (folder / name).is_file():
            return (folder / name).resolve()
    raise FileNotFoundError(f'{including}: #include "{name}" is neither in {folders[0]} nor in {folders[1]}')
