/* The words that matrix products are made of, and the instruction that multiplies them: part of tiled_product.cuh.

   Without tensor cores, a word is one number of the type that sums have, and multiplying is `*`.

   Tensor cores. A word is 32 bits: one number rounded to TF32 (8 bits of exponent, 10 of mantissa), or two float16
   numbers that follow each other along K. In words, both kinds of `mma` have the same layout, and so the engine knows
   only words. The sums are float32. (bfloat16 would be a third kind, with the layout of float16; neither NumPy nor CuPy
   has that type.) Another instruction brings words from shared memory in the layout that `mma` wants.

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

/* The same value, of which the compiler does not know any more how it came about: it keeps it in a register, where it
   would work it out again each time. */
__device__ inline int kept(int value) {
#ifndef CUDA_EMULATOR
    asm volatile("" : "+r"(value));
#endif
    return value;
}

template <class Type> __device__ inline Type* kept(Type* address) {  // of global memory
#ifndef CUDA_EMULATOR
    asm volatile("" : "+l"(address));
    __builtin_assume(__isGlobal(address));
#endif
    return address;
}

#if !TENSOR_CORES

typedef Accumulator Word;
constexpr int PACK = 1;  // numbers in a word, side by side along K

__device__ inline Word to_word(const T* value) { return static_cast<Accumulator>(*value); }

#else

typedef unsigned Word;
constexpr int PACK = sizeof(Word) / sizeof(T);

__device__ inline Word to_word(const float* value) {  // to TF32: the nearest
    Word word;
#ifdef CUDA_EMULATOR
    memcpy(&word, value, sizeof word);
    if ((word & 0x7f800000u) != 0x7f800000u) word = (word + 0xfffu + (word >> 13 & 1)) & ~0x1fffu;
#elif __CUDA_ARCH__ >= 900
    asm("cvt.rn.tf32.f32 %0, %1;" : "=r"(word) : "f"(*value));  // one instruction; of two as near, the even one
#else
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(*value));  // of two as near, the larger one
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

/* Four blocks of 8 rows × 4 words from shared memory. Lane 8i + r says where row r of block i begins, at 16 bytes that
   lie together; lane 4g + t gets, as words[i], word t of row g of block i. */
__device__ inline void load_blocks(const Word* shared, int place, Word (&words)[4]);

#ifdef CUDA_EMULATOR

__device__ inline float word_product(Word a, Word b) {
    T left[PACK], right[PACK];
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

__device__ inline void load_blocks(const Word* shared, int place, Word (&words)[4]) {
    const int lane = threadIdx.x % LANES;
    for (int i = 0; i < 4; i++) words[i] = shared[__shfl_sync(0xffffffffu, place, 8 * i + lane / 4) + lane % 4];
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

// The instruction thinks of a word as two numbers of 16 bits, and moves them as they are.
__device__ inline void load_blocks(const Word* shared, int place, Word (&words)[4]) {
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(shared + place));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "r"(address));
}

#endif
#endif
