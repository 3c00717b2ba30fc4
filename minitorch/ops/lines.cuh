/* Lines of scores, and log Σ eˣ of a line in one pass.

   A line has `length` elements, `inner` apart in memory: line number i of an array (outer, length, inner) starts at
   i / inner · length · inner + i % inner. A team of TEAM threads shares a line (see numbers.cuh), and a block of BLOCK
   threads has BLOCK / TEAM lines:

     inner = 1   Short lines: a few lanes each, up to a warp. Long ones: a block each. Neighbours in the line are read by
                 neighbouring threads.
     inner > 1   TEAM = 1: a thread each. Neighbouring threads have neighbouring lines, which lie side by side in memory.

   Settings: those of numbers.cuh, TEAM and BLOCK. */

#pragma once

#include "numbers.cuh"

struct Line {
    Index number, start, length, step;
    bool exists;

    __device__ Line(long long lines, long long length, long long inner) : length(length), step(inner) {
        number = (Index)blockIdx.x * (BLOCK / TEAM) + threadIdx.x / TEAM;
        exists = number < lines;
        if (!exists) number = lines - 1;  // does another line's sums, and writes nothing
        start = inner == 1 ? number * this->length : number / step * this->length * step + number % step;
    }

    __device__ Index first() const { return TEAM == 1 ? 0 : threadIdx.x % TEAM; }
    __device__ Index offset(Index k) const { return start + k * step; }
    __device__ bool writes() const { return exists && first() == 0; }
};

/* The largest of some numbers x, and Σ e^(x − largest). Merging two rescales the sum that belongs to the smaller one. */
struct LogSum {
    Wide largest, sum;

    __device__ void clear() {
        largest = -infinity();
        sum = 0;
    }
    __device__ void add(Wide x) {
        if (x == -infinity()) return;  // adds nothing; and −∞ − −∞ is nan
        if (x > largest) {
            sum *= exp(largest - x);
            largest = x;
        }
        sum += exp(x - largest);  // ∞ − ∞ is nan, which is what such a line shall be
    }
    __device__ void merge(const LogSum& other) {
        const Wide both = larger(largest, other.largest);
        if (both == -infinity()) {
            sum += other.sum;  // 0, or nan
            return;
        }
        sum = sum * exp(largest - both) + other.sum * exp(other.largest - both);
        largest = both;
    }
};

__device__ inline LogSum from_lane(LogSum sum, int distance) {
    return {from_lane(sum.largest, distance), from_lane(sum.sum, distance)};
}
