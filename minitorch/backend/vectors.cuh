/* Several neighbouring elements in one access: 16 bytes are the most that a thread can move in one instruction.

   The first of them must lie at a multiple of their common size. Memory that CuPy hands out does; a view such as x[1:]
   need not, so a kernel asks (`is_aligned`) and has a path of single elements beside that of vectors.

   Settings: those of numbers.cuh. */

#pragma once

#include "numbers.cuh"

constexpr int WIDTH = 16 / sizeof(T);  // elements of the widest access

template <int COUNT> struct alignas(COUNT * sizeof(T)) Vector {
    T value[COUNT];
};

__device__ inline bool is_aligned(const void* address) { return (unsigned long long)address % 16 == 0; }

/* values[0 … COUNT − 1] = the elements from `from` on. */
template <int COUNT> __device__ inline void read_vector(Wide* values, const T* from) {
    const Vector<COUNT> vector = *reinterpret_cast<const Vector<COUNT>*>(from);
#pragma unroll
    for (int e = 0; e < COUNT; ++e) values[e] = vector.value[e];
}

template <int COUNT> __device__ inline void write_vector(T* to, const Wide* values) {
    Vector<COUNT> vector;
#pragma unroll
    for (int e = 0; e < COUNT; ++e) vector.value[e] = (T)values[e];
    *reinterpret_cast<Vector<COUNT>*>(to) = vector;
}
