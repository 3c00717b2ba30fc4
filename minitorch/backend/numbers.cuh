/* Numbers of the kernels that are bound by memory: which types they have, and how threads add theirs up.

   Settings, given when a kernel is compiled:
     ELEMENT   the type of the elements in memory: half, float or double
     INDEX     int, or long long for arrays of 2³¹ or more elements (dividing these takes several times as long) */

#pragma once

#ifndef CUDA_EMULATOR
#include <cuda_fp16.h>
#endif

#ifndef INDEX
#define INDEX int
#endif

typedef ELEMENT T;
typedef INDEX Index;

/* The type that formulas are computed in: float for half, else that of the elements. */
template <class Type> struct WideOf { typedef float type; };
template <> struct WideOf<double> { typedef double type; };
typedef WideOf<T>::type Wide;

__device__ inline Wide infinity() {
    const double large = 1e308;
    return (Wide)(large * 10);
}

// nan wins, as in torch.
__device__ inline Wide larger(Wide a, Wide b) { return a > b || a != a ? a : b; }

/* The number of this thread among all, for kernels in which each thread makes one element. */
__device__ inline Index thread_number() { return (Index)blockIdx.x * blockDim.x + threadIdx.x; }

/* The number of this thread in its block: 32 that follow one another are a warp. */
__device__ inline int thread_in_block() { return threadIdx.y * blockDim.x + threadIdx.x; }
__device__ inline int threads_of_block() { return blockDim.x * blockDim.y; }

/* The value that the lane with this number xor `distance` holds. Every thread of the warp must come here. */
__device__ inline Wide from_lane(Wide value, int distance) { return __shfl_xor_sync(0xffffffff, value, distance); }

/* COUNT sums that are added up side by side. */
template <int COUNT> struct Sums {
    Wide value[COUNT];

    __device__ void clear() {
        for (int k = 0; k < COUNT; ++k) value[k] = 0;
    }
    __device__ void merge(const Sums& other) {
        for (int k = 0; k < COUNT; ++k) value[k] += other.value[k];
    }
};

template <int COUNT> __device__ Sums<COUNT> from_lane(Sums<COUNT> sums, int distance) {
    for (int k = 0; k < COUNT; ++k) sums.value[k] = from_lane(sums.value[k], distance);
    return sums;
}

/* What all threads of a team have, merged; every one of them gets it. Value has `merge`, and `from_lane` knows it.

   A team is `team` neighbouring threads: a power of two up to 32, which is part of a warp, or more, which means the whole
   block (of a power of two of threads, at most so many, whole warps). Within a warp, after the step with distance d, each
   lane has merged 2d lanes, so log₂ steps do. Then the warps of a block tell one another through shared memory, and each
   of them merges these results in the same way: a sum never depends on who was first. All threads of the block must come
   here. */
template <int team, class Value> __device__ Value merged_in_team(Value value) {
#pragma unroll
    for (int distance = 1; distance < 32 && distance < team; distance *= 2) value.merge(from_lane(value, distance));
    if (team > 32) {
        __shared__ Value of_warp[team > 32 ? team / 32 : 1];
        if (thread_in_block() % 32 == 0) of_warp[thread_in_block() / 32] = value;
        __syncthreads();
        const int warps = threads_of_block() / 32;
        value = of_warp[thread_in_block() & (warps - 1)];
        for (int distance = 1; distance < warps; distance *= 2) value.merge(from_lane(value, distance));
        __syncthreads();  // before the next merge writes there
    }
    return value;
}
