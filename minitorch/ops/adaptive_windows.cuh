/* The windows of adaptive pooling along one axis of `size` elements: adaptive_avg_pool2d.py, for kernels.

   Window i of `count` has the elements ⌊i · size / count⌋ … ⌈(i + 1) · size / count⌉ − 1. Turned around, element x lies in
   the windows ⌊x · count / size⌋ … ⌈(x + 1) · count / size⌉ − 1: the same rule with the two numbers exchanged. */

#pragma once

#include "numbers.cuh"

struct Range {
    int start, end;
};

__device__ inline Range window(long long i, long long size, long long count) {
    return {(int)(i * size / count), (int)(((i + 1) * size + count - 1) / count)};
}

__device__ inline Range windows_with(long long x, long long size, long long count) { return window(x, count, size); }
