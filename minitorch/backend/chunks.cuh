/* Changing the elements of a chunk of several arrays (see tensor_table.cuh), 16 bytes of each at a time.

   Settings: those of tensor_table.cuh and numbers.cuh. */

#pragma once

#include "tensor_table.cuh"
#include "vectors.cuh"

/* The arrays with the number of the chunk's tensor in the first ARRAYS lists; null for one that is not there. */
template <int ARRAYS> struct ChunkArrays {
    T* of[ARRAYS];
    bool are_aligned;

    __device__ ChunkArrays(const TensorTable& table, const Chunk& chunk) : are_aligned(true) {
        for (int k = 0; k < ARRAYS; ++k) {
            of[k] = (T*)table.array[k][chunk.tensor];
            are_aligned = are_aligned && is_aligned(of[k]);  // and so are all chunks of it
        }
    }
};

template <int COUNT, int ARRAYS, class Formula>
__device__ inline void change_elements(const ChunkArrays<ARRAYS>& arrays, unsigned written, long long i,
                                       Formula& formula) {
    Wide values[ARRAYS][COUNT];
#pragma unroll
    for (int k = 0; k < ARRAYS; ++k)
        if (arrays.of[k]) read_vector<COUNT>(values[k], arrays.of[k] + i);
#pragma unroll
    for (int e = 0; e < COUNT; ++e) {
        Wide element[ARRAYS];
#pragma unroll
        for (int k = 0; k < ARRAYS; ++k) element[k] = arrays.of[k] ? values[k][e] : 0;
        formula(element);
#pragma unroll
        for (int k = 0; k < ARRAYS; ++k) values[k][e] = element[k];
    }
#pragma unroll
    for (int k = 0; k < ARRAYS; ++k)
        if (written >> k & 1 && arrays.of[k]) write_vector<COUNT>(arrays.of[k] + i, values[k]);
}

/* formula(element) for the elements of the first ARRAYS arrays at each place of the chunk; what it leaves in `element`
   is written to array k if bit k of `written` is set. */
template <int ARRAYS, class Formula>
__device__ void for_chunk(const TensorTable& table, const Chunk& chunk, unsigned written, Formula formula) {
    const ChunkArrays<ARRAYS> arrays(table, chunk);
    long long i = chunk.start, whole = chunk.start;
    if (arrays.are_aligned) whole = chunk.end - (chunk.end - chunk.start) % WIDTH;
    for (i += threadIdx.x * WIDTH; i < whole; i += blockDim.x * WIDTH)
        change_elements<WIDTH>(arrays, written, i, formula);
    for (i = whole + threadIdx.x; i < chunk.end; i += blockDim.x) change_elements<1>(arrays, written, i, formula);
}
