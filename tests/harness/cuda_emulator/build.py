"""Compiling CUDA C with g++, once for each source: the libraries are kept in a folder of the system's temporary one."""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# `-w`: a kernel is not written for g++, whose warnings (unknown pragmas) are not meant for it; nvcc's are
FLAGS = ("-std=c++17", "-fPIC", "-shared", "-w", "-fno-exceptions", "-fno-rtti", "-fno-strict-aliasing")
# An index outside of an array whose size is known, a vector at an address that it must not have: a trap
CHECKS = ("-fsanitize=alignment,bounds", "-fsanitize-undefined-trap-on-error")
_KERNEL = re.compile(r"\b__global__\s+(?:static\s+)?void\s+(?:__attribute__\s*\(\(.*?\)\)\s*)?(\w+)\s*\(")


class EmulatedCompileError(Exception):
    """g++ refuses a kernel file; its messages."""


@functools.cache
def compiler() -> str | None:
    """The path of g++, or None."""
    return shutil.which("g++")


@functools.cache
def runtime() -> ctypes.CDLL:
    """``runtime.cpp``, loaded so that the kernels' libraries find its functions."""
    library = _compiled((HERE / "runtime.cpp").read_text(), ("-O2", "-Wl,-soname,libcuda_emulator.so"))
    loaded = ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    loaded.emulator_run.restype = ctypes.c_char_p
    loaded.emulator_guarded.restype = ctypes.c_void_p
    loaded.emulator_guarded.argtypes = [ctypes.c_size_t]
    loaded.emulator_release.restype = ctypes.c_bool
    loaded.emulator_release.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return loaded


@functools.lru_cache(256)
def kernel_library(source: str) -> tuple[ctypes.CDLL, tuple[str, ...]]:
    """The kernels of a source as a library, and their names."""
    runtime()
    cache = _cache_folder() / f"{_digest(source + _shim())}.kernels"
    if not cache.exists():
        _build(source, cache)
    path, *names = cache.read_text().split("\n")
    return ctypes.CDLL(path), tuple(names)


def _build(source: str, cache: Path) -> None:
    # In a namespace without a name everything is local: then even the shared variables of templates get their section.
    text = _preprocessed(f'#include "cuda_emulator.h"\nnamespace {{\n{source}\n}}\n')
    names = tuple(dict.fromkeys(_KERNEL.findall(text)))
    library = _compiled(text + "".join(map(_entry, names)), (*CHECKS, "-O1", "-fvisibility=hidden", "-D__global__="))
    _write(cache, "\n".join([str(library), *names]).encode())


def _entry(name: str) -> str:
    return f"""
extern "C" __attribute__((visibility("default"))) void emulator_call_{name}(void** arguments) {{
    emulator_call({name}, arguments);
}}
extern "C" __attribute__((visibility("default"))) void emulator_signature_{name}(char* text, char** shared) {{
    emulator_signature({name}, text);
    shared[0] = __start_cuda_shared, shared[1] = __stop_cuda_shared;
}}
"""


def _preprocessed(text: str) -> str:
    return _run(["-E", f"-I{HERE}", "-x", "c++", "-", "-std=c++17"], text)


def _compiled(text: str, flags: tuple[str, ...]) -> Path:
    """The library made of this text."""
    library = _cache_folder() / f"{_digest(text + repr((FLAGS, flags)))}.so"
    if not library.exists():
        fresh = library.with_suffix(f".{os.getpid()}")
        _run([*FLAGS, *flags, "-x", "c++", "-", "-o", str(fresh)], text)
        os.replace(fresh, library)
    return library


def _run(arguments: list[str], text: str) -> str:
    program = compiler()
    assert program is not None, "no g++"
    done = subprocess.run([program, *arguments], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EmulatedCompileError(done.stderr)
    return done.stdout


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@functools.cache
def _shim() -> str:
    return (HERE / "cuda_emulator.h").read_text() + Path(__file__).read_text()


@functools.cache
def _cache_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"minitorch-cuda-emulator-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(content)
    os.replace(fresh, path)
