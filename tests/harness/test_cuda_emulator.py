"""The emulator computes what a GPU would, and says what a kernel does wrong."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from tests.harness.cuda_emulator import EmulatedCompileError, EmulatedKernelError, EmulatedModule, compiler
from tests.harness.strict_array import strict

pytestmark = pytest.mark.skipif(compiler() is None, reason="no g++ to compile kernels for the emulator")

SOURCE = r"""
#include <cuda_fp16.h>

template <class Value> __device__ Value total(Value value) {
    __shared__ Value of_warp[32];
    for (int distance = 16; distance > 0; distance /= 2) value += __shfl_xor_sync(0xffffffffu, value, distance);
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
    __syncthreads();
    Value sum = 0;
    for (int warp = 0; warp < (blockDim.x + 31) / 32; ++warp) sum += of_warp[warp];
    return sum;
}

#define SUM(name, T) extern "C" __global__ void __launch_bounds__(256) name(const T* x, T* sums, long long size) { \
    T mine = 0;                                                                                                    \
    for (long long i = threadIdx.x; i < size; i += blockDim.x) mine += x[i];                                       \
    mine = total(mine);                                                                                            \
    if (threadIdx.x == 0) sums[blockIdx.x] = mine;                                                                 \
}
SUM(sum_floats, float)
SUM(sum_numbers, int)

extern "C" __global__ void where(int* threads, int* blocks) {
    const int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    const int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    threads[thread] = thread;
    blocks[block] = block;
}

extern "C" __global__ void lanes(int* result) {
    const int lane = threadIdx.x % 32;
    const int values[] = {__shfl_sync(~0u, lane, 5), __shfl_up_sync(~0u, lane, 2), __shfl_down_sync(~0u, lane, 2),
                          __shfl_xor_sync(~0u, lane, 8), __shfl_sync(~0u, lane, 9, 8),
                          __shfl_down_sync(~0u, lane, 3, 4), (int)__ballot_sync(~0u, lane % 3 == 0),
                          __any_sync(~0u, lane == 7), __all_sync(~0u, lane < 31), __reduce_max_sync(~0u, lane ^ 5)};
    for (int k = 0; k < 10; ++k) result[k * 32 + lane] = values[k];
}

extern "C" __global__ void half_of_a_warp(int* result) {
    if (threadIdx.x < 16) result[threadIdx.x] = __shfl_xor_sync(0x0000ffffu, (int)threadIdx.x, 1);
}

extern "C" __global__ void count(int* counter, float* sum, unsigned long long* best) {
    atomicAdd(counter, 1);
    atomicAdd(sum, 0.5f);
    atomicMax(best, (unsigned long long)threadIdx.x);
}

extern "C" __global__ void twice(half* x) { x[threadIdx.x] = x[threadIdx.x] * __float2half(2) + (half)0.1f; }

extern "C" __global__ void circle(const double* turns, double* result, float* rounded) {
    sincospi(2 * turns[threadIdx.x], &result[2 * threadIdx.x], &result[2 * threadIdx.x + 1]);
    sincospif(2 * (float)turns[threadIdx.x], &rounded[2 * threadIdx.x], &rounded[2 * threadIdx.x + 1]);
}

extern "C" __global__ void reversed(float* x, long long size) {
    SHARED_MEMORY(float, tile);
    tile[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = tile[size - 1 - threadIdx.x];
}

struct Table { long long numbers[3]; };
extern "C" __global__ void add_up(const Table table, long long* sum, double factor, int offset) {
    *sum = (long long)(factor * (table.numbers[0] + table.numbers[1] + table.numbers[2])) + offset;
}

extern "C" __global__ void reads(const float* x, float* y, long long place) { y[threadIdx.x] = x[place]; }
extern "C" __global__ void writes(float* y, long long place) { y[place] = 1; }
extern "C" __global__ void races(float* y) { y[0] = threadIdx.x; }
extern "C" __global__ void forgets_a_barrier(float* y) {
    __shared__ float mine[64];
    mine[threadIdx.x] = y[threadIdx.x];
    y[threadIdx.x] = mine[(threadIdx.x + 1) % 64];
}
extern "C" __global__ void leaves(float* y) {
    if (threadIdx.x > 2) return;
    __syncthreads();
    y[0] = 1;
}
extern "C" __global__ void parts(float* y) {
    if (threadIdx.x > 2) __syncthreads();
    else
        __syncthreads();
    y[0] = 1;
}
extern "C" __global__ void names_itself_not(int* y) { y[threadIdx.x] = __shfl_sync(1u, 1, 0); }
extern "C" __global__ void waits_for_ever(int* y) { if (threadIdx.x < 8) y[0] = __shfl_sync(~0u, 1, 0); }
extern "C" __global__ void divides(int* y) { y[threadIdx.x] /= (int)threadIdx.x; }
extern "C" __global__ void misaligned(float* y) { *(float4*)(y + 1) = float4{1, 2, 3, 4}; }
extern "C" __global__ void reads_beyond(float* y, long long place) {
    __shared__ float numbers[4];
    numbers[threadIdx.x] = 1;
    y[0] = numbers[place];
}
extern "C" __global__ void reads_what_nobody_wrote(float* y) {
    __shared__ float numbers[2];
    y[threadIdx.x] = numbers[1];
}
"""


def launch(name: str, grid: Any, block: Any, *args: Any, shared_mem: int = 0) -> None:
    EmulatedModule(SOURCE).get_function(name)(grid, block, args, shared_mem=shared_mem)


def floats(size: int) -> Any:
    return strict.asarray(numpy.arange(size, dtype="float32"))


def integers(size: int) -> Any:
    return strict.asarray(numpy.arange(size, dtype="int32"))


@pytest.mark.parametrize(("name", "make"), [("sum_floats", floats), ("sum_numbers", integers)])
@pytest.mark.parametrize("threads", [32, 256])
def test_sums_through_shuffles_and_shared_memory(name: str, make: Any, threads: int) -> None:
    sums = make(3)
    launch(name, (3,), (threads,), make(1000), sums, 1000)
    assert sums.tolist() == [499500] * 3


def test_numbers_of_threads_and_blocks() -> None:
    threads, blocks = integers(24) * 0, integers(30) * 0
    launch("where", (5, 3, 2), (4, 3, 2), threads, blocks)
    assert threads.tolist() == list(range(24))
    assert blocks.tolist() == list(range(30))


def test_what_lanes_tell_one_another() -> None:
    result, lane = integers(320), numpy.arange(32)
    launch("lanes", (1,), (32,), result)
    expected = [
        lane * 0 + 5,
        numpy.where(lane < 2, lane, lane - 2),
        numpy.where(lane > 29, lane, lane + 2),
        lane ^ 8,
        lane // 8 * 8 + 1,
        numpy.where(lane % 4 == 0, lane + 3, lane),
        lane * 0 + sum(1 << k for k in range(0, 32, 3)),
        lane * 0 + 1,
        lane * 0,
        lane * 0 + 31,
    ]
    numpy.testing.assert_array_equal(result.get().reshape(10, 32), expected)


def test_a_part_of_a_warp() -> None:
    result = integers(16)
    launch("half_of_a_warp", (1,), (32,), result)
    assert result.tolist() == [k ^ 1 for k in range(16)]


def test_atomic_functions() -> None:
    counter, total, best = integers(1), floats(1), strict.zeros(1, "uint64")
    launch("count", (3,), (50,), counter, total, best)
    assert (counter.item(), total.item(), best.item()) == (150, 75, 49)


def test_float16_is_rounded() -> None:
    x = numpy.linspace(0, 1, 20).astype("float16")
    result = strict.asarray(x)
    launch("twice", (1,), (20,), result)
    numpy.testing.assert_array_equal(result.get(), x * numpy.float16(2) + numpy.float16(0.1))


def test_sine_and_cosine_of_turns() -> None:
    turns = numpy.linspace(-2, 2, 65)
    result, rounded = strict.zeros((65, 2)), strict.zeros((65, 2), "float32")
    launch("circle", (1,), (65,), strict.asarray(turns), result, rounded)
    expected = numpy.stack([numpy.sin(2 * numpy.pi * turns), numpy.cos(2 * numpy.pi * turns)], 1)
    numpy.testing.assert_allclose(result.get(), expected, 0, 1e-15)
    numpy.testing.assert_array_equal(rounded.get(), result.get().astype("float32"))
    assert (result.get() == 0).sum() == 17, "zeros are exact"


def test_memory_and_structs_of_a_size_known_at_launch() -> None:
    x, total = floats(40), strict.zeros(1, "int64")
    launch("reversed", (1,), (40,), x, 40, shared_mem=160)
    assert x.tolist() == list(range(39, -1, -1))
    launch("add_up", (1,), (1,), numpy.array([1, 2, 3]), total, 2.5, numpy.int32(-4))
    assert total.item() == 11


def test_views_share_the_memory_of_their_array() -> None:
    x = floats(8)
    launch("writes", (1,), (1,), x[3:], 2)
    assert x.tolist() == [0, 1, 2, 3, 4, 1, 6, 7]


@pytest.mark.parametrize(
    ("name", "threads", "make", "text"),
    [
        ("reads", 2, lambda: (floats(3), floats(2), 4), "outside of an array"),
        ("reads", 2, lambda: (floats(3), floats(2), -2000), "outside of an array"),
        ("writes", 1, lambda: (floats(3), 3), "just outside of an array"),
        ("writes", 1, lambda: (floats(3), -1), "just outside of an array"),
        ("reversed", 9, lambda: (floats(9), 9), "outside of an array or of the shared memory"),
        ("misaligned", 1, lambda: (floats(9),), "a vector at an address of another alignment"),
        ("reads_beyond", 1, lambda: (floats(9), 4), "an index outside of an array"),
        ("races", 2, lambda: (floats(1),), "depends on the order in which threads run"),
        ("forgets_a_barrier", 64, lambda: (floats(64),), "depends on the order in which threads run"),
        ("leaves", 8, lambda: (floats(1),), r"not reached by thread \(7, 0, 0\), which has ended"),
        ("parts", 8, lambda: (floats(1),), r"__syncthreads\(\) in line \d+ meets another thread's in line"),
        ("names_itself_not", 2, lambda: (integers(2),), "leaves out the lane that names it"),
        ("waits_for_ever", 32, lambda: (integers(1),), "a function of its warp in line .* which has ended"),
        ("divides", 2, lambda: (integers(2),), "integer division by zero"),
    ],
)
def test_what_a_kernel_does_wrong(name: str, threads: int, make: Any, text: str) -> None:
    with pytest.raises(EmulatedKernelError, match=text):
        launch(name, (1,), (threads,), *make())
    test_views_share_the_memory_of_their_array()  # the next kernel runs as if nothing had happened


def test_memory_that_nobody_wrote_is_nan() -> None:
    y = floats(2)
    launch("reads_what_nobody_wrote", (1,), (2,), y)
    assert numpy.isnan(y.get()).all()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: (floats(3), floats(2)), "takes 3 arguments, not 2"),
        (lambda: (floats(3), floats(2), 1.0), "is a float64, but the parameter has 8 bytes of kind i"),
        (lambda: (floats(3), floats(2), numpy.int32(1)), "is a int32"),
        (lambda: (floats(3), floats(2), True), "of a type that CuPy does not take"),
        (lambda: (floats(3), floats(2), None), "of a type that CuPy does not take"),
        (lambda: (floats(3), integers(2), 1), "an array of int32, but the pointer is to 4 bytes of kind f"),
        (lambda: (floats(3), floats(2).astype("float64"), 1), "an array of float64"),
        (lambda: (floats(3), floats(2), floats(1)), "the parameter is no pointer"),
        (lambda: (floats(3), numpy.zeros(2, "float32"), 1), "lies in host memory"),
    ],
)
def test_arguments_that_do_not_fit(make: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        launch("reads", (1,), (1,), *make())


@pytest.mark.parametrize(
    ("grid", "block", "shared"),
    [((0,), (1,), 0), ((1, 70_000), (1,), 0), ((1,), (1025,), 0), ((1,), (64, 32), 0), ((1,), (1,), 50_000)],
)
def test_grids_that_no_device_has(grid: Any, block: Any, shared: int) -> None:
    with pytest.raises(ValueError, match="CUDA_ERROR_INVALID_VALUE"):
        launch("races", grid, block, floats(1), shared_mem=shared)


def test_errors_of_the_source() -> None:
    with pytest.raises(EmulatedCompileError, match="wrong"):
        EmulatedModule('extern "C" __global__ void f() { wrong; }').get_function("f")
    with pytest.raises(AttributeError, match="no kernel g among f"):
        EmulatedModule('extern "C" __global__ void f() {}').get_function("g")
