/* The windows of pooling over planes of H rows and W columns: windows.py, for kernels.

   An image (N, C, H, W) lies in memory channel by channel or, with CHANNELS_LAST, place by place, all channels of a
   place side by side. Both are one formula:

       offset of (outer, row, column, inner) = ((outer · H + row) · W + column) · inners + inner

   with outer = n · C + c and inners = 1, or with outer = n, inner = c and inners = C. One thread makes one element;
   neighbouring threads make neighbours in memory, so that a warp reads and writes whole lines of the cache.

   Settings: those of numbers.cuh, CHANNELS_LAST (0 or 1), and the numbers of the window, so that the loops over it are
   unrolled and divisions by them are shifts: K_H, K_W (size), S_H, S_W (stride), P_H, P_W (padding), D_H, D_W
   (dilation). */

#pragma once

#include "numbers.cuh"

struct Planes {
    Index rows, columns, inners;

    __device__ Planes(long long H, long long W, long long channels)
        : rows(H), columns(W), inners(CHANNELS_LAST ? channels : 1) {}

    /* How far into memory an element lies. */
    __device__ Index offset(Index outer, Index row, Index column, Index inner) const {
        return ((outer * rows + row) * columns + column) * inners + inner;
    }
};

/* Where the element with this number in memory lies: the inverse of `offset`. */
struct Place {
    Index outer, row, column, inner;

    __device__ Place(Index number, const Planes& planes) {
        inner = number % planes.inners;
        number /= planes.inners;
        column = number % planes.columns;
        number /= planes.columns;
        row = number % planes.rows;
        outer = number / planes.rows;
    }
};

/* Along one axis, the windows that have a given place in them: first … last. Of these, with dilation, only those
   count for which `element` is not −1. */
struct Covering {
    Index first, last, place;
    int stride, dilation;

    __device__ Covering(Index place, Index count, int size, int stride, int padding, int dilation)
        : place(place + padding), stride(stride), dilation(dilation) {
        const Index reach = this->place - (Index)dilation * (size - 1);  // window i starts at i · stride ≥ reach
        first = reach > 0 ? (reach + stride - 1) / stride : 0;
        last = this->place / stride;
        if (last > count - 1) last = count - 1;
    }

    /* Which element of window number i the place is. */
    __device__ int element(Index i) const {
        const int distance = place - i * stride;
        return distance % dilation ? -1 : distance / dilation;
    }
};

__device__ inline Covering covering_rows(Index row, Index H_out) { return {row, H_out, K_H, S_H, P_H, D_H}; }
__device__ inline Covering covering_columns(Index column, Index W_out) { return {column, W_out, K_W, S_W, P_W, D_W}; }
