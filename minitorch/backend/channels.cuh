/* Walking over the elements that belong to one channel of an array of shape (O, N, C, S), laid out row after row:

       element (o, n, c, s) lies at ((o · N + n) · C + c) · S + s,   and channel (o, c) has those of all n and s.

   An image batch (N, C, H, W) is that with O = 1 and S = H · W; channels-last it is N · H · W samples and S = 1; the
   rows of a matrix are channels of one sample. So one walk serves batch, layer and group normalisation, and every sum
   over dimensions that do not lie together in memory.

   A block has blockDim.x · blockDim.y threads. Which elements they visit depends on what lies side by side:

     ACROSS = 0   The runs of S elements. The block has one channel; blockDim.x threads share a run, and blockDim.y runs
                  are visited at a time.
     ACROSS = 1   The channels (S = 1). The block has 32 channels, one for each threadIdx.x; blockDim.y samples are
                  visited at a time.

   blockIdx.x numbers the channels (or groups of 32 of them), blockIdx.z is o, and the blocks with the same two numbers
   share out the samples: blockIdx.y is the number of the share. Sums of several shares must be added afterwards, which
   keeps them the same from run to run, as atomic additions would not.

   Settings: those of numbers.cuh, ACROSS, and BLOCK, the most threads that a block has. */

#pragma once

#include "numbers.cuh"

struct Shape {
    Index N, C, S;
};

struct Walk {
    Shape shape;
    Index o, c, n, s, first_s, n_step;

    __device__ Walk(long long N, long long C, long long S) : shape{(Index)N, (Index)C, (Index)S} {
        o = blockIdx.z;
        c = ACROSS ? (Index)blockIdx.x * 32 + threadIdx.x : (Index)blockIdx.x;
        s = first_s = ACROSS ? 0 : threadIdx.x;
        n = (Index)blockIdx.y * blockDim.y + threadIdx.y;
        n_step = (Index)gridDim.y * blockDim.y;
        if (!has_channel() || s >= shape.S) n = shape.N;  // nothing for this thread
    }

    __device__ bool has_channel() const { return c < shape.C; }
    __device__ bool goes_on() const { return n < shape.N; }
    __device__ Index offset() const { return ((o * shape.N + n) * shape.C + c) * shape.S + s; }

    __device__ void next() {
        s += ACROSS ? 1 : blockDim.x;
        if (s < shape.S) return;
        s = first_s;
        n += n_step;
    }

    /* Whether this thread is the one that writes what the block found out about its channel. */
    __device__ bool writes() const { return has_channel() && thread_in_block() < (ACROSS ? 32 : 1); }
};

constexpr int BATCH = 4;

/* The next elements of a walk. A thread reads all of them before it computes, so that BATCH reads are on their way at a
   time: with one, a GPU does not have enough of them under way to keep its memory busy. Fewer are left at the end; then
   the rest repeat the first one, for reading, and do not count. */
struct Batch {
    int count;
    Index n[BATCH], s[BATCH], offset[BATCH];

    __device__ explicit Batch(Walk& walk) : count(0) {
#pragma unroll
        for (int k = 0; k < BATCH; ++k) {
            const bool counts = walk.goes_on();
            n[k] = counts ? walk.n : n[0];
            s[k] = counts ? walk.s : s[0];
            offset[k] = counts ? walk.offset() : offset[0];
            if (!counts) continue;
            walk.next();
            ++count;
        }
    }
};

__device__ inline void read(Wide* values, const T* from, const Batch& batch) {
#pragma unroll
    for (int k = 0; k < BATCH; ++k) values[k] = from[batch.offset[k]];
}

/* What all threads with the same channel have, merged; every one of them gets it. All threads must come here. */
template <class Value> __device__ Value merged_in_channel(Value value) {
#if ACROSS
    __shared__ Value of_thread[BLOCK];
    of_thread[thread_in_block()] = value;
    __syncthreads();
    value = of_thread[threadIdx.x];
    for (int other = threadIdx.x + 32; other < threads_of_block(); other += 32) value.merge(of_thread[other]);
    __syncthreads();  // before the next merge writes there
    return value;
#else
    return merged_in_team<BLOCK>(value);
#endif
}
