/* The words that matrix products are made of, and the instruction that multiplies them: part of tiled_product.cuh.

   Without tensor cores, a word is one number of the type that sums have, and multiplying is `*`.

   Tensor cores. A word is 32 bits: one number rounded to TF32 (8 bits of exponent, 10 of mantissa), or two float16
   numbers that follow each other along K. In words, both kinds of `mma` have the same layout, and so the engine knows
   only words. The sums are float32. (bfloat16 would be a third kind, with the layout of float16; neither NumPy nor CuPy
   has that type.)

   Settings: ELEMENT and TENSOR_CORES, see tiled_product.cuh. */

#pragma once

#ifndef CUDA_EMULATOR
#include <cuda_fp16.h>
#endif

typedef ELEMENT T;

template <class Type> struct AccumulatorOf { typedef float type; };
template <> struct AccumulatorOf<double> { typedef double type; };
typedef AccumulatorOf<T>::type Accumulator;

constexpr int LANES = 32;  // threads of a warp

#if !TENSOR_CORES

typedef Accumulator Word;
constexpr int PACK = 1;  // numbers in a word, side by side along K

__device__ inline Word to_word(const T* value) { return static_cast<Accumulator>(*value); }

#else

typedef unsigned Word;
constexpr int PACK = sizeof(Word) / sizeof(T);

/* To TF32: the nearest, ties away from zero. The tensor cores ignore the 13 last bits of a float, which rounds towards
   zero; so half of what the last bit kept is worth is added before. (That is what the instruction `cvt.rna.tf32.f32`
   does in four.) Adding it to a nan whose bits are all 1 would make a zero of it. */
__device__ inline Word to_word(const float* value) {
    Word word;
    memcpy(&word, value, sizeof word);
#ifdef CUDA_EMULATOR
    if (fabsf(*value) < __int_as_float(0x7f800000)) word += 0x1000u;
#else
    asm("{ .reg .pred is_finite; .reg .f32 size;\n"
        "abs.f32 size, %1; setp.lt.f32 is_finite, size, 0f7F800000; @is_finite add.u32 %0, %0, 0x1000; }"
        : "+r"(word) : "f"(*value));
#endif
    return word;
}

template <class Half> __device__ inline Word to_word(const Half* pair) {
    Word word;
    memcpy(&word, pair, sizeof word);
    return word;
}

/* sums (16 × 8) += A (16 × 8 words) · B (8 words × 8), by the 32 lanes of a warp together. With g = lane / 4 and
   t = lane % 4, a lane brings and gets

        A   a[0] (row g, word t)   a[1] (g + 8, t)   a[2] (g, t + 4)   a[3] (g + 8, t + 4)
        B   b[0] (word t, column g)                  b[1] (t + 4, g)
        C   top[0], top[1] (row g, columns 2t and 2t + 1)        bottom[0], bottom[1] (row g + 8) */
__device__ inline void multiply_accumulate(float* top, float* bottom, const Word* a, const Word* b);

/* Four blocks of 8 rows × 4 words from shared memory: to[b] is, for the lane 4g + t, word t of row g of block b. The
   rows, 16 bytes each, lie wherever the lanes say: lane 8b + r brings the address of row r of block b. (The instruction
   was made for 8 × 8 numbers of 16 bits, of which two are a word.) One instruction thus brings the A of an `mma`. */
__device__ inline void load_blocks(Word (&to)[4], const Word* row);

#ifdef CUDA_EMULATOR

__device__ inline float word_product(Word a, Word b) {
    T left[PACK], right[PACK];
    if (PACK == 1) a &= ~0x1fffu, b &= ~0x1fffu;
    memcpy(left, &a, sizeof a);
    memcpy(right, &b, sizeof b);
    float sum = 0;
    for (int p = 0; p < PACK; p++) sum += static_cast<float>(left[p]) * static_cast<float>(right[p]);
    return sum;
}

// What the tensor core does, written out: lane 4r + j holds the words j and j + 4 of row (or column) r.
__device__ inline void multiply_accumulate(float* top, float* bottom, const Word* a, const Word* b) {
    const int lane = threadIdx.x % LANES, g = lane / 4, t = lane % 4;
    for (int half_of_k = 0; half_of_k < 2; half_of_k++)
        for (int j = 0; j < 4; j++) {
            const Word upper = __shfl_sync(0xffffffffu, a[2 * half_of_k], 4 * g + j);
            const Word lower = __shfl_sync(0xffffffffu, a[2 * half_of_k + 1], 4 * g + j);
            for (int e = 0; e < 2; e++) {
                const Word right = __shfl_sync(0xffffffffu, b[half_of_k], 4 * (2 * t + e) + j);
                top[e] += word_product(upper, right);
                bottom[e] += word_product(lower, right);
            }
        }
}

__device__ inline void load_blocks(Word (&to)[4], const Word* row) {
    const int lane = threadIdx.x % LANES;
    for (int b = 0; b < 4; b++) {
        const auto address = reinterpret_cast<unsigned long long>(row);
        to[b] = reinterpret_cast<const Word*>(__shfl_sync(0xffffffffu, address, 8 * b + lane / 4))[lane % 4];
    }
}

#else

// The suffixes name the shape and the types of C, A, B, C; the type T decides between the two instructions.
#define MMA(SHAPE, TYPE)                                                                                             \
    asm("mma.sync.aligned." SHAPE ".row.col.f32." TYPE "." TYPE ".f32 "                                              \
        "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                                                      \
        : "+f"(top[0]), "+f"(top[1]), "+f"(bottom[0]), "+f"(bottom[1])                                               \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]))

__device__ inline void multiply_accumulate(float* top, float* bottom, const Word* a, const Word* b) {
    if (PACK == 1)
        MMA("m16n8k8", "tf32");
    else
        MMA("m16n8k16", "f16");
}

__device__ inline void load_blocks(Word (&to)[4], const Word* row) {
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(row));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(address)
                 : "memory");
}

#endif
#endif
