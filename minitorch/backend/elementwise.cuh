/* Work on arrays element by element, at the speed of the memory: a formula becomes a kernel in one line.

       UNARY(name, formula)                 name(first, output, count)
       BINARY(name, formula)                name(first, second, output, count)
       TERNARY_WITH_NUMBER(name, formula)   name(first, second, third, output, number, count)
       …

   In a formula a, b and c are elements of the operands and p is the number, all of them Wide: float16 is computed in
   float32, and rounded once. Operands and output have no gaps and one order in memory; the output may be one of the
   operands.

   A thread moves 16 bytes at a time, and has VECTORS reads of each operand under way before it computes. One element at
   a time would reach half of the memory's speed.

   Settings: those of numbers.cuh, and BLOCK, the threads of a block. */

#pragma once

#include "vectors.cuh"

constexpr int VECTORS = 2;  // of each operand, that a thread reads before it computes
constexpr int PIECE = BLOCK * VECTORS * WIDTH;  // elements of a block

template <int OPERANDS> struct Pointers {
    const T* of[OPERANDS];
};

template <int OPERANDS> __device__ inline bool are_aligned(const Pointers<OPERANDS>& inputs, const T* output) {
    bool all = is_aligned(output);
    for (int k = 0; k < OPERANDS; ++k) all = all && is_aligned(inputs.of[k]);
    return all;
}

/* The block's elements VECTORS · COUNT a thread: neighbouring threads have neighbouring vectors of COUNT. */
template <int COUNT, int OPERANDS, class Formula>
__device__ void work_on_vectors(const Pointers<OPERANDS>& inputs, T* output, Index start, Formula formula) {
    Wide values[OPERANDS][VECTORS][COUNT], results[COUNT];
#pragma unroll
    for (int v = 0; v < VECTORS; ++v)
#pragma unroll
        for (int k = 0; k < OPERANDS; ++k)
            read_vector<COUNT>(values[k][v], inputs.of[k] + start + (v * BLOCK + (int)threadIdx.x) * COUNT);
#pragma unroll
    for (int v = 0; v < VECTORS; ++v) {
#pragma unroll
        for (int e = 0; e < COUNT; ++e) {
            Wide element[OPERANDS];
#pragma unroll
            for (int k = 0; k < OPERANDS; ++k) element[k] = values[k][v][e];
            results[e] = formula(element);
        }
        write_vector<COUNT>(output + start + (v * BLOCK + (int)threadIdx.x) * COUNT, results);
    }
}

template <int OPERANDS, class Formula>
__device__ void for_each(const Pointers<OPERANDS>& inputs, T* output, long long count, Formula formula) {
    const Index start = (Index)blockIdx.x * PIECE;
    if (start + PIECE <= count && are_aligned(inputs, output)) {
        work_on_vectors<WIDTH>(inputs, output, start, formula);
        return;
    }
#pragma unroll 4
    for (int k = threadIdx.x; k < PIECE; k += BLOCK) {  // the last elements, or all of them if they lie askew
        const Index i = start + k;
        if (i >= count) return;
        Wide element[OPERANDS];
        for (int operand = 0; operand < OPERANDS; ++operand) element[operand] = inputs.of[operand][i];
        output[i] = (T)formula(element);
    }
}

#define UNARY(name, formula)                                                                              \
    extern "C" __global__ void name(const T* first, T* output, long long count) {                         \
        for_each<1>({first}, output, count, [](const Wide* x) -> Wide { const Wide a = x[0]; return formula; }); \
    }
#define UNARY_WITH_NUMBER(name, formula)                                                                  \
    extern "C" __global__ void name(const T* first, T* output, double number, long long count) {          \
        const Wide p = (Wide)number;                                                                      \
        for_each<1>({first}, output, count, [p](const Wide* x) -> Wide { const Wide a = x[0]; return formula; }); \
    }
#define BINARY(name, formula)                                                                             \
    extern "C" __global__ void name(const T* first, const T* second, T* output, long long count) {        \
        for_each<2>({first, second}, output, count,                                                       \
                    [](const Wide* x) -> Wide { const Wide a = x[0], b = x[1]; return formula; });        \
    }
#define BINARY_WITH_NUMBER(name, formula)                                                                 \
    extern "C" __global__ void name(const T* first, const T* second, T* output, double number, long long count) { \
        const Wide p = (Wide)number;                                                                      \
        for_each<2>({first, second}, output, count,                                                       \
                    [p](const Wide* x) -> Wide { const Wide a = x[0], b = x[1]; return formula; });       \
    }
#define TERNARY_WITH_NUMBER(name, formula)                                                                \
    extern "C" __global__ void name(const T* first, const T* second, const T* third, T* output, double number,    \
                                    long long count) {                                                    \
        const Wide p = (Wide)number;                                                                      \
        for_each<3>({first, second, third}, output, count,                                                \
                    [p](const Wide* x) -> Wide { const Wide a = x[0], b = x[1], c = x[2]; return formula; });     \
    }
