/* Random numbers: the samples of a distribution, from words of Philox (see philox.cuh).

   Each launch is one draw: it fills `output`, `count` elements row after row, with numbers that depend on seed, offset and
   the number of the element only, and never on the grid. A thread takes one counter, whose four words make four elements,
   or two where an element takes 64 bits.

   Formulas, with u from the words:
     uniform          low + u · (high − low), u in [0, 1), both operations rounded; what rounding makes `high` is `low`
     normal           mean + std · z; (z₁, z₂) = √(−2 log u₁) · (cos 2πu₂, sin 2πu₂), Box and Muller 1958
     log_normal       exp(normal)
     exponential      −log(u) / rate, u in (0, 1)
     cauchy           median − sigma · cot(πu), u in (0, 1), which is median + sigma · tan(π(u − ½))
     geometric        ⌈log(u) / log(1 − p)⌉, u in (0, 1)
     bernoulli        1 where a word is below p · 2³²
     bernoulli_from   1 where u is below the probability of this element, u in [0, 1)
     integers         low + ⌊word · size / 2⁶⁴⌋ (Lemire 2019); from a size above 2³² on, words of 128 bits and 2¹²⁸
     categories       the first category whose cumulative probability is above u · total, u in [0, 1)

   Such integers are not quite equally probable, as with every way that takes a fixed number of words: but their
   probabilities differ by less than one part in 2³².

   Settings: ELEMENT, the type of the output; PROBABILITY, that of the probabilities of `bernoulli_from`.

   Compiled with: ELEMENT=float PROBABILITY=float
   Compiled with: ELEMENT=half PROBABILITY=half
   Compiled with: ELEMENT=double PROBABILITY=double
   Compiled with: ELEMENT="long long"
   Compiled with: ELEMENT="unsigned long long"
   Compiled with: ELEMENT=int
   Compiled with: ELEMENT=short
   Compiled with: ELEMENT="signed char"
   Compiled with: ELEMENT="unsigned char" PROBABILITY=double
   Compiled with: ELEMENT=bool */

#include "numbers.cuh"
#include "philox.cuh"

#ifndef PROBABILITY
#define PROBABILITY float
#endif

/* The elements that this thread makes: up to `each`, with one counter. */
struct Share {
    Word64 counter;
    long long start, left;

    __device__ Share(int each, long long count) {
        counter = (Word64)blockIdx.x * blockDim.x + threadIdx.x;
        start = (long long)counter * each;
        left = count - start;
    }
};

/* Uniform numbers of a precision: `closed` in [0, 1), `open` in (0, 1), both from lane number so and so. Operations that
   are rounded one by one on every device, so that none of them is fused with the next. */
template <class Real> struct Uniform;

template <> struct Uniform<float> {
    static const int LANES = 4;
    static __device__ float closed(const RandomWords& random, int lane) { return random.unit(lane); }
    static __device__ float open(const RandomWords& random, int lane) {
        const float middle = ((float)random.word[lane] + 0.5f) * (1.0f / 4294967296.0f);
        return middle < 1 ? middle : 1 - 1.0f / 16777216;
    }
    static __device__ float scaled(float x, float factor, float addend) {
        return __fadd_rn(__fmul_rn(x, factor), addend);
    }
    static __device__ void circle(float turns, float* sine, float* cosine) { sincospif(2 * turns, sine, cosine); }
};

template <> struct Uniform<double> {
    static const int LANES = 2;
    static __device__ double closed(const RandomWords& random, int lane) { return random.wide_unit(lane); }
    static __device__ double open(const RandomWords& random, int lane) {
        const double middle = random.wide_unit(lane) + 1.0 / 18014398509481984;  // 2⁻⁵⁴
        return middle < 1 ? middle : 1 - 1.0 / 9007199254740992;
    }
    static __device__ double scaled(double x, double factor, double addend) {
        return __dadd_rn(__dmul_rn(x, factor), addend);
    }
    static __device__ void circle(double turns, double* sine, double* cosine) { sincospi(2 * turns, sine, cosine); }
};

typedef Uniform<Wide> U;

/* An integer of 64 bits as the element, modulo its range; for floating elements it has a sign. */
template <class Type> struct Integer {
    static __device__ Type of(Word64 value) { return (Type)value; }
};
template <> struct Integer<half> {
    static __device__ half of(Word64 value) { return (half)(float)(long long)value; }
};
template <> struct Integer<float> {
    static __device__ float of(Word64 value) { return (float)(long long)value; }
};
template <> struct Integer<double> {
    static __device__ double of(Word64 value) { return (double)(long long)value; }
};

extern "C" __global__ void uniform(T* output, const Word64* state, Word64 seed, Word64 offset, double low, double high,
                                   long long count) {
    const Share share(U::LANES, count);
    const RandomWords random(state, seed, offset, share.counter);
    const Wide first = (Wide)low, span = (Wide)high - (Wide)low, end = (Wide)(T)(Wide)high;
#pragma unroll
    for (int lane = 0; lane < U::LANES; ++lane) {
        const T value = (T)U::scaled(U::closed(random, lane), span, first);
        if (lane < share.left) output[share.start + lane] = (Wide)value < end ? value : (T)first;
    }
}

/* Two standard normals from the uniform numbers of lanes 2 · pair and 2 · pair + 1. */
struct Normals {
    Wide z[2];

    __device__ Normals(const RandomWords& random, int pair) {
        const Wide radius = sqrt(-2 * log(U::open(random, 2 * pair)));
        Wide sine, cosine;
        U::circle(U::closed(random, 2 * pair + 1), &sine, &cosine);
        z[0] = radius * cosine, z[1] = radius * sine;
    }
};

template <bool EXPONENTIAL>
__device__ void fill_normal(T* output, const RandomWords& random, const Share& share, double mean, double std) {
#pragma unroll
    for (int pair = 0; pair < U::LANES / 2; ++pair) {
        const Normals normals(random, pair);
#pragma unroll
        for (int k = 0; k < 2; ++k) {
            const Wide value = U::scaled(normals.z[k], (Wide)std, (Wide)mean);
            if (2 * pair + k < share.left)
                output[share.start + 2 * pair + k] = (T)(EXPONENTIAL ? (Wide)exp(value) : value);
        }
    }
}

extern "C" __global__ void normal(T* output, const Word64* state, Word64 seed, Word64 offset, double mean, double std,
                                  long long count) {
    const Share share(U::LANES, count);
    fill_normal<false>(output, RandomWords(state, seed, offset, share.counter), share, mean, std);
}

extern "C" __global__ void log_normal(T* output, const Word64* state, Word64 seed, Word64 offset, double mean,
                                      double std, long long count) {
    const Share share(U::LANES, count);
    fill_normal<true>(output, RandomWords(state, seed, offset, share.counter), share, mean, std);
}

extern "C" __global__ void exponential(T* output, const Word64* state, Word64 seed, Word64 offset, double rate,
                                       long long count) {
    const Share share(U::LANES, count);
    const RandomWords random(state, seed, offset, share.counter);
#pragma unroll
    for (int lane = 0; lane < U::LANES; ++lane)
        if (lane < share.left) output[share.start + lane] = (T)(-log(U::open(random, lane)) / (Wide)rate);
}

extern "C" __global__ void cauchy(T* output, const Word64* state, Word64 seed, Word64 offset, double median,
                                  double sigma, long long count) {
    const Share share(U::LANES, count);
    const RandomWords random(state, seed, offset, share.counter);
#pragma unroll
    for (int lane = 0; lane < U::LANES; ++lane) {
        Wide sine, cosine;
        U::circle(U::open(random, lane) / 2, &sine, &cosine);
        if (lane < share.left) output[share.start + lane] = (T)U::scaled(-cosine / sine, (Wide)sigma, (Wide)median);
    }
}

extern "C" __global__ void geometric(T* output, const Word64* state, Word64 seed, Word64 offset, double log_of_failure,
                                     long long count) {
    const Share share(2, count);
    const RandomWords random(state, seed, offset, share.counter);
#pragma unroll
    for (int lane = 0; lane < 2; ++lane) {
        const double trials = ceil(log(Uniform<double>::open(random, lane)) / log_of_failure);
        if (lane < share.left) output[share.start + lane] = (T)(trials < 1 ? 1.0 : trials);
    }
}

extern "C" __global__ void bernoulli(T* output, const Word64* state, Word64 seed, Word64 offset, Word64 bound,
                                     long long count) {
    const Share share(4, count);
    const RandomWords random(state, seed, offset, share.counter);
#pragma unroll
    for (int lane = 0; lane < 4; ++lane)
        if (lane < share.left) output[share.start + lane] = Integer<T>::of(random.word[lane] < bound);
}

extern "C" __global__ void bernoulli_from(T* output, const PROBABILITY* probabilities, const Word64* state, Word64 seed,
                                          Word64 offset, long long count) {
    const Share share(2, count);
    const RandomWords random(state, seed, offset, share.counter);
#pragma unroll
    for (int lane = 0; lane < 2; ++lane) {
        const long long i = share.start + lane;
        if (lane < share.left)
            output[i] = Integer<T>::of(random.wide_unit(lane) < (WideOf<PROBABILITY>::type)probabilities[i]);
    }
}

/* `size` is how many integers there are to choose from; 0 means 2⁶⁴. */
extern "C" __global__ void integers(T* output, const Word64* state, Word64 seed, Word64 offset, Word64 low, Word64 size,
                                    long long count) {
    const bool is_small = size - 1 <= 0xffffffffull;
    const Share share(is_small ? 2 : 1, count);
    const RandomWords random(state, seed, offset, share.counter);
    const Word64 high_word = random.wide(0), low_word = random.wide(1);
    if (is_small) {
        if (0 < share.left) output[share.start] = Integer<T>::of(low + __umul64hi(high_word, size));
        if (1 < share.left) output[share.start + 1] = Integer<T>::of(low + __umul64hi(low_word, size));
    } else if (0 < share.left) {
        const Word64 product = high_word * size, carried = product + __umul64hi(low_word, size);
        const Word64 chosen = size ? __umul64hi(high_word, size) + (carried < product) : high_word;
        output[share.start] = Integer<T>::of(low + chosen);
    }
}

/* `cumulative` has a row of cumulative probabilities, times any total, for each `samples` elements of the output. */
extern "C" __global__ void categories(long long* output, const double* cumulative, const Word64* state, Word64 seed,
                                      Word64 offset, long long category_count, long long samples, long long count) {
    const Share share(2, count);
    const RandomWords random(state, seed, offset, share.counter);
    for (int lane = 0; lane < 2 && lane < share.left; ++lane) {
        const double* row = cumulative + (share.start + lane) / samples * category_count;
        const double wanted = random.wide_unit(lane) * row[category_count - 1];
        long long low = 0, high = category_count - 1;
        while (low < high) {  // row[low − 1] ≤ wanted < row[high], or high is the last
            const long long middle = (low + high) / 2;
            if (row[middle] > wanted)
                high = middle;
            else
                low = middle + 1;
        }
        output[share.start + lane] = low;
    }
}

/* Where the kernels of a graph shall find seed and offset: those of its next replay. */
extern "C" __global__ void write_state(Word64* state, Word64 seed, Word64 offset) { state[0] = seed, state[1] = offset; }

/* The place of one draw in a replay, kept for who draws the same numbers once more. */
extern "C" __global__ void keep_place(Word64* kept, const Word64* state, Word64 offset) {
    kept[0] = state[0], kept[1] = state[1] + offset;
}
