/* Lines of numbers: who works on them, how they are held in registers, and log Σ eˣ of one that is too long for that.

   A line has `length` elements, `inner` apart in memory: line number i of an array (outer, length, inner) starts at
   i / inner · length · inner + i % inner. A team of TEAM threads shares a line (see numbers.cuh), and a block of BLOCK
   threads has BLOCK / TEAM lines:

     inner = 1   Short lines: a few lanes each, up to a warp. Long ones: a block each. Neighbours in the line are read by
                 neighbouring threads, 16 bytes at a time where all lines start at multiples of that.
     inner > 1   TEAM = 1: a thread each. Neighbouring threads have neighbouring lines, which lie side by side in memory.

   A thread holds HELD elements of its line in registers, so that the line is read from memory once, whatever is computed
   of it. HELD is a power of two. Lines longer than TEAM · HELD are not held (HELD = 0): they are read twice.

   With RUNS, line c is channel c of an array (N, lines, run): N runs of `run` elements, one in each sample.

   Settings: those of numbers.cuh, TEAM, BLOCK, HELD, and RUNS (0 if it is left out). */

#pragma once

#include "vectors.cuh"

#ifndef RUNS
#define RUNS 0
#endif

constexpr int LINE_WIDTH = HELD == 0 || HELD > WIDTH ? WIDTH : HELD;  // elements of the widest access to a line

constexpr int AT_A_TIME = 64 / sizeof(Wide);  // elements of a line that is not held, which a thread reads at a time

/* How many blocks a multiprocessor shall have room for, if a thread has to do with so many arrays: for __launch_bounds__,
   by which the compiler gives out registers. (Left to itself, it takes twice as many, for the path of single elements,
   which is rarely taken.) Lines that are not held are so long that there is one block for a multiprocessor: of more, the
   cache would not know the beginnings when they are read again. */
#if defined(__CUDA_ARCH__) && (__CUDA_ARCH__ == 800 || __CUDA_ARCH__ == 900 || __CUDA_ARCH__ == 1000)
constexpr int MOST_THREADS = 2048;
#else
constexpr int MOST_THREADS = 1024;
#endif

__host__ __device__ constexpr int resident(int arrays) {
    const int registers = HELD * arrays * (int)(sizeof(Wide) / 4);
    const int wanted = HELD == 0         ? 1024
                       : registers <= 8  ? 2048
                       : registers <= 16 ? 1536
                       : registers <= 32 ? 1024
                                         : 640;
    const int threads = wanted < MOST_THREADS ? wanted : MOST_THREADS;
    return threads > BLOCK ? threads / BLOCK : 1;
}

struct Line {
    Index number, start, length, step, run, jump;
    bool exists;

    __device__ Line(long long lines, long long length, long long inner)
        : length(length), step(RUNS ? 1 : inner), run(RUNS ? inner : length), jump(lines * run) {
        number = (Index)blockIdx.x * (BLOCK / TEAM) + threadIdx.x / TEAM;
        exists = number < lines;
        if (!exists) number = lines - 1;  // does another line's sums, and writes nothing
        start = step == 1 ? number * run : number / step * this->length * step + number % step;
    }

    __device__ Index first() const { return TEAM == 1 ? 0 : threadIdx.x % TEAM; }
    __device__ Index offset(Index k) const { return RUNS ? start + k / run * jump + k % run : start + k * step; }
    __device__ bool writes() const { return exists && first() == 0; }

    /* Whether all lines of these arrays can be moved in vectors of LINE_WIDTH: the same for all threads. */
    __device__ bool has_vectors(const T* one, const T* other) const {
        return LINE_WIDTH > 1 && step == 1 && run % LINE_WIDTH == 0 && is_aligned(one) && is_aligned(other);
    }
};

// ── lines in registers ───────────────────────────────────────────────────────────────────────────────────────────────

#if HELD

/* Where in the line element j of a thread lies, if it is read in vectors of COUNT. */
template <int COUNT> __device__ inline Index held_place(const Line& line, int j) {
    return (j / COUNT * TEAM + line.first()) * COUNT + j % COUNT;
}

/* A thread's elements of a line; `otherwise` behind its end. */
template <int COUNT>
__device__ inline void read_held(Wide (&values)[HELD], const T* array, const Line& line, Wide otherwise) {
#pragma unroll
    for (int j = 0; j < HELD; j += COUNT) {
        const Index k = held_place<COUNT>(line, j);
        if (k < line.length) {
            read_vector<COUNT>(values + j, array + line.offset(k));
        } else {
#pragma unroll
            for (int e = 0; e < COUNT; ++e) values[j + e] = otherwise;
        }
    }
}

template <int COUNT> __device__ inline void write_held(T* array, const Wide (&values)[HELD], const Line& line) {
    if (!line.exists) return;
#pragma unroll
    for (int j = 0; j < HELD; j += COUNT) {
        const Index k = held_place<COUNT>(line, j);
        if (k < line.length) write_vector<COUNT>(array + line.offset(k), values + j);
    }
}

#endif

// ── what a team finds out about its line ─────────────────────────────────────────────────────────────────────────────

struct Largest {
    Wide value;

    __device__ void merge(const Largest& other) { value = larger(value, other.value); }
};

__device__ inline Largest from_lane(Largest largest, int distance) { return {from_lane(largest.value, distance)}; }

__device__ inline Wide largest_in_team(Wide mine) { return merged_in_team<TEAM>(Largest{mine}).value; }
__device__ inline Wide sum_in_team(Wide mine) { return merged_in_team<TEAM>(Sums<1>{mine}).value[0]; }

#if HELD

/* The mean of a line whose elements `x` the team holds (0 behind its end) is taken off them; `squares` is the sum of the
   squares of what is left. */
template <int COUNT>
__device__ inline void centre_held(Wide (&x)[HELD], const Line& line, Wide& mean, Wide& squares) {
    Wide sum = 0, partial = 0;
#pragma unroll
    for (int j = 0; j < HELD; ++j) sum += x[j];
    mean = sum_in_team(sum) / line.length;
#pragma unroll
    for (int j = 0; j < HELD; ++j) {
        x[j] -= mean;
        if (held_place<COUNT>(line, j) < line.length) partial += x[j] * x[j];
    }
    squares = sum_in_team(partial);
}

#endif

/* The largest of some numbers x, and Σ e^(x − largest). Merging two rescales the sum that belongs to the smaller one. */
struct LogSum {
    Wide largest, sum;

    __device__ void clear() {
        largest = -infinity();
        sum = 0;
    }
    template <int COUNT> __device__ void add(const Wide (&x)[COUNT]) {
        Wide most = x[0];
#pragma unroll
        for (int k = 1; k < COUNT; ++k) most = larger(most, x[k]);
        if (most == -infinity()) return;  // adds nothing; and −∞ − −∞ is nan
        if (most > largest || most != most) {
            sum *= exp(largest - most);
            largest = most;
        }
#pragma unroll
        for (int k = 0; k < COUNT; ++k) sum += exp(x[k] - largest);  // ∞ − ∞ is nan, as such a line shall be
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

// ── lines that are not held ──────────────────────────────────────────────────────────────────────────────────────────

/* The elements of a line that a thread visits, AT_A_TIME of them at a time, in vectors of COUNT. */
template <int COUNT> struct Steps {
    static constexpr Index STRIDE = (Index)TEAM * AT_A_TIME;
    Index k;  // where in the line the first of them lies, of the thread number 0

    /* The last step. A second walk goes from there to the front: what was read last, the cache still has. */
    __device__ static Steps last(const Line& line) { return {(line.length - 1) / STRIDE * STRIDE}; }

    __device__ Index place(const Line& line, int j) const {
        return k + (j / COUNT * TEAM + line.first()) * COUNT + j % COUNT;
    }
    __device__ void read(Wide (&values)[AT_A_TIME], const T* array, const Line& line, Wide otherwise) const {
#pragma unroll
        for (int j = 0; j < AT_A_TIME; j += COUNT) {
            const Index at = place(line, j);
            if (at < line.length) {
                read_vector<COUNT>(values + j, array + line.offset(at));
            } else {
#pragma unroll
                for (int e = 0; e < COUNT; ++e) values[j + e] = otherwise;
            }
        }
    }
    __device__ void write(T* array, const Wide (&values)[AT_A_TIME], const Line& line) const {
#pragma unroll
        for (int j = 0; j < AT_A_TIME; j += COUNT) {
            const Index at = place(line, j);
            if (at < line.length) write_vector<COUNT>(array + line.offset(at), values + j);
        }
    }
};

template <int COUNT> __device__ LogSum log_sum_of(const T* array, const Line& line) {
    LogSum total;
    total.clear();
    for (Steps<COUNT> steps{0}; steps.k < line.length; steps.k += Steps<COUNT>::STRIDE) {
        Wide x[AT_A_TIME];
        steps.read(x, array, line, -infinity());
        total.add(x);
    }
    return merged_in_team<TEAM>(total);
}
