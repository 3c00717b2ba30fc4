/* CUDA C for g++: what a kernel file may use, so that it compiles unchanged and runs on a CPU. runtime.cpp has the rest.

   One thread of a block runs at a time, until it waits for others. So `__shared__` is static memory, atomic functions
   are plain ones, and `threadIdx` is a variable that changes when another thread goes on. */

#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>
#include <utility>

#define CUDA_EMULATOR 1
#define __CUDA_ARCH__ 800

// `__global__` is left standing when build.py looks for the kernels, and defined away when it compiles them
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __restrict__ __restrict
#define __align__(bytes) alignas(bytes)
#define __launch_bounds__(...)
#define __grid_constant__
// in a section of its own, which the runtime fills with nan before each block
#define __shared__ static __attribute__((section("cuda_shared")))
#define SHARED_MEMORY(type, name) type* const name = reinterpret_cast<type*>(emulator_shared_memory())

// ── the runtime ──────────────────────────────────────────────────────────────────────────────────────────────────────

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x = 1, y = 1, z = 1; };

struct Meeting { unsigned long long value; unsigned votes; };

extern "C" {
extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
unsigned emulator_lane();
unsigned char* emulator_shared_memory();
void emulator_meet_block(int line);
Meeting emulator_meet_warp(unsigned mask, int line, int source, unsigned long long value);
void emulator_fail(const char* message);
}

static const int warpSize = 32;

// ── barriers, and what the lanes of a warp tell one another ──────────────────────────────────────────────────────────

#define __syncthreads() emulator_meet_block(__LINE__)
#define __syncthreads_or(condition) emulator_syncthreads_count(__LINE__, condition) != 0
#define __syncthreads_and(condition) emulator_syncthreads_count(__LINE__, !(condition)) == 0
#define __syncthreads_count(condition) emulator_syncthreads_count(__LINE__, condition)
#define __syncwarp(...) emulator_syncwarp(__LINE__, ##__VA_ARGS__)
#define __activemask() emulator_fail("__activemask(): which lanes are active is not known, name them"), 0u
#define __ballot_sync(mask, condition) emulator_meet_warp(mask, __LINE__, -1, !!(condition)).votes
#define __any_sync(mask, condition) (__ballot_sync(mask, condition) != 0)
#define __all_sync(mask, condition) (__ballot_sync(mask, !(condition)) == 0)
#define __shfl_sync(mask, ...) emulator_shuffle(mask, __LINE__, emulator_from_lane, __VA_ARGS__)
#define __shfl_xor_sync(mask, ...) emulator_shuffle(mask, __LINE__, emulator_from_xor, __VA_ARGS__)
#define __shfl_up_sync(mask, ...) emulator_shuffle(mask, __LINE__, emulator_from_below, __VA_ARGS__)
#define __shfl_down_sync(mask, ...) emulator_shuffle(mask, __LINE__, emulator_from_above, __VA_ARGS__)

inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __trap() { emulator_fail("__trap()"); }
inline void emulator_syncwarp(int line, unsigned mask = 0xffffffffu) { emulator_meet_warp(mask, line, -1, 0); }

inline int emulator_syncthreads_count(int line, int condition) {
    static __attribute__((section("cuda_shared"))) int count;
    if (threadIdx.x + threadIdx.y + threadIdx.z == 0) count = 0;
    emulator_meet_block(line);
    count += condition != 0;
    emulator_meet_block(line);
    const int result = count;
    emulator_meet_block(line);
    return result;
}

// Which lane to read. `lane` and `first` (of the group of `width` lanes) are this lane's.
inline int emulator_from_lane(int, int first, int width, int source) { return first + (source & (width - 1)); }
inline int emulator_from_xor(int lane, int first, int width, int bits) {
    return (lane ^ bits) < first + width ? lane ^ bits : lane;
}
inline int emulator_from_below(int lane, int first, int, int delta) { return lane - delta < first ? lane : lane - delta; }
inline int emulator_from_above(int lane, int first, int width, int delta) {
    return lane + delta >= first + width ? lane : lane + delta;
}

template <class Value>
inline Value emulator_shuffle(unsigned mask, int line, int (*find)(int, int, int, int), Value value, int argument,
                              int width = 32) {
    static_assert(sizeof(Value) <= 8 && !std::is_pointer<Value>::value, "__shfl_sync: takes numbers of up to 64 bits");
    const int lane = emulator_lane();
    unsigned long long bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = emulator_meet_warp(mask, line, find(lane, lane & ~(width - 1), width, argument), bits).value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define EMULATOR_REDUCE(name, operation)                                                        \
    template <class Number> inline Number name(unsigned mask, Number mine) {                    \
        Number result = mine;                                                                   \
        for (int lane = 0, any = 0; lane < 32; ++lane) {                                        \
            if (!(mask >> lane & 1)) continue;                                                  \
            const Number b = __shfl_sync(mask, mine, lane), a = result;                         \
            result = any ? operation : b;                                                       \
            any = 1;                                                                            \
        }                                                                                       \
        return result;                                                                          \
    }
EMULATOR_REDUCE(__reduce_add_sync, a + b)
EMULATOR_REDUCE(__reduce_min_sync, a < b ? a : b)
EMULATOR_REDUCE(__reduce_max_sync, a > b ? a : b)
EMULATOR_REDUCE(__reduce_and_sync, a & b)
EMULATOR_REDUCE(__reduce_or_sync, a | b)
EMULATOR_REDUCE(__reduce_xor_sync, a ^ b)

template <class Number> inline unsigned __match_any_sync(unsigned mask, Number mine) {
    unsigned equal = 0;
    for (int lane = 0; lane < 32; ++lane)
        if (mask >> lane & 1) equal |= unsigned(__shfl_sync(mask, mine, lane) == mine) << lane;
    return equal;
}

// ── float16 and bfloat16 ─────────────────────────────────────────────────────────────────────────────────────────────

inline unsigned short emulator_bfloat16_bits(float value) {
    unsigned bits;
    memcpy(&bits, &value, 4);
    if (value != value) return 0x7fff;
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;  // to the nearest, ties to even
}

struct __half {
    _Float16 value;
    __half() = default;
    template <class Number, class = std::enable_if_t<std::is_arithmetic<Number>::value>>
    __half(Number number) : value((_Float16)number) {}
    operator float() const { return (float)value; }
};

struct __nv_bfloat16 {
    unsigned short bits;
    __nv_bfloat16() = default;
    template <class Number, class = std::enable_if_t<std::is_arithmetic<Number>::value>>
    __nv_bfloat16(Number number) : bits(emulator_bfloat16_bits((float)number)) {}
    operator float() const {
        const unsigned wide = (unsigned)bits << 16;
        float value;
        memcpy(&value, &wide, 4);
        return value;
    }
};

#define EMULATOR_SHORT_FLOAT(type)                                                                       \
    inline type operator+(type a, type b) { return (float)a + (float)b; }                                \
    inline type operator-(type a, type b) { return (float)a - (float)b; }                                \
    inline type operator*(type a, type b) { return (float)a * (float)b; }                                \
    inline type operator/(type a, type b) { return (float)a / (float)b; }                                \
    inline type operator-(type a) { return -(float)a; }                                                  \
    inline type& operator+=(type& a, type b) { return a = a + b; }                                       \
    inline type& operator-=(type& a, type b) { return a = a - b; }                                       \
    inline type& operator*=(type& a, type b) { return a = a * b; }                                       \
    inline type& operator/=(type& a, type b) { return a = a / b; }                                       \
    inline bool operator==(type a, type b) { return (float)a == (float)b; }                              \
    inline bool operator!=(type a, type b) { return (float)a != (float)b; }                              \
    inline bool operator<(type a, type b) { return (float)a < (float)b; }                                \
    inline bool operator>(type a, type b) { return (float)a > (float)b; }                                \
    inline bool operator<=(type a, type b) { return (float)a <= (float)b; }                              \
    inline bool operator>=(type a, type b) { return (float)a >= (float)b; }                              \
    struct type##2 { type x, y; };                                                                       \
    inline type __hadd(type a, type b) { return a + b; }                                                 \
    inline type __hsub(type a, type b) { return a - b; }                                                 \
    inline type __hmul(type a, type b) { return a * b; }                                                 \
    inline type __hfma(type a, type b, type c) { return fma((double)a, (double)b, (double)c); }          \
    inline bool __hisnan(type a) { return a != a; }
EMULATOR_SHORT_FLOAT(__half)
EMULATOR_SHORT_FLOAT(__nv_bfloat16)
typedef __half half;
typedef __half2 half2;
typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;

inline float __half2float(half a) { return a; }
inline half __float2half(float a) { return a; }
inline half __float2half_rn(float a) { return a; }
inline half __double2half(double a) { return a; }
inline float __low2float(half2 a) { return a.x; }
inline float __high2float(half2 a) { return a.y; }
inline half2 __halves2half2(half a, half b) { return {a, b}; }
inline half2 __floats2half2_rn(float a, float b) { return {a, b}; }
inline float __bfloat162float(nv_bfloat16 a) { return a; }
inline nv_bfloat16 __float2bfloat16(float a) { return a; }
inline nv_bfloat16 __float2bfloat16_rn(float a) { return a; }

// ── vectors, bits, fast arithmetic ───────────────────────────────────────────────────────────────────────────────────

#define EMULATOR_VECTORS(type, name, aligned2, aligned4)                                                           \
    struct alignas(aligned2) name##2 { type x, y; };                                                               \
    struct name##3 { type x, y, z; };                                                                              \
    struct alignas(aligned4) name##4 { type x, y, z, w; };                                                         \
    inline name##2 make_##name##2(type x, type y) { return {x, y}; }                                               \
    inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; }                                    \
    inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
EMULATOR_VECTORS(float, float, 8, 16)
EMULATOR_VECTORS(double, double, 16, 16)
EMULATOR_VECTORS(int, int, 8, 16)
EMULATOR_VECTORS(long long, longlong, 16, 16)
EMULATOR_VECTORS(short, short, 4, 8)
EMULATOR_VECTORS(unsigned char, uchar, 2, 4)
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float2 __half22float2(half2 a) { return {a.x, a.y}; }

template <class Number> inline Number __ldg(const Number* address) { return *address; }
template <class Number> inline Number __ldcs(const Number* address) { return *address; }
template <class Number> inline void __stcs(Number* address, Number value) { *address = value; }

inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned long long)a * b >> 32; }
inline int __mulhi(int a, int b) { return (long long)a * b >> 32; }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned __int128)a * b >> 64;
}
inline int __popc(unsigned a) { return __builtin_popcount(a); }
inline int __popcll(unsigned long long a) { return __builtin_popcountll(a); }
inline int __clz(int a) { return a ? __builtin_clz(a) : 32; }
inline int __ffs(int a) { return __builtin_ffs(a); }

template <class To, class From> inline To emulator_bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "bits of another size");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
inline int __float_as_int(float a) { return emulator_bits<int>(a); }
inline unsigned __float_as_uint(float a) { return emulator_bits<unsigned>(a); }
inline float __int_as_float(int a) { return emulator_bits<float>(a); }
inline float __uint_as_float(unsigned a) { return emulator_bits<float>(a); }
inline long long __double_as_longlong(double a) { return emulator_bits<long long>(a); }
inline double __longlong_as_double(long long a) { return emulator_bits<double>(a); }
inline unsigned short __half_as_ushort(half a) { return emulator_bits<unsigned short>(a); }
inline half __ushort_as_half(unsigned short a) { return emulator_bits<half>(a); }

using std::abs;
using std::fmax;
using std::fmin;
inline float rsqrtf(float a) { return 1 / std::sqrt(a); }
inline double rsqrt(double a) { return 1 / std::sqrt(a); }
inline float rsqrt(float a) { return rsqrtf(a); }
inline void sincosf(float a, float* sine, float* cosine) { *sine = std::sin(a), *cosine = std::cos(a); }
inline float sinpif(float a) { return std::sin((float)M_PI * a); }
inline float cospif(float a) { return std::cos((float)M_PI * a); }
inline void sincospi(double a, double* sine, double* cosine) {
    const double rest = a - 0.5 * std::nearbyint(2 * a);  // exact, from -1/4 to 1/4
    const double s = std::sin(M_PI * rest), c = std::cos(M_PI * rest);
    const int quarter = (int)std::fmod(std::nearbyint(2 * a), 4) & 3;
    *sine = quarter == 0 ? s : quarter == 1 ? c : quarter == 2 ? -s : -c;
    *cosine = quarter == 0 ? c : quarter == 1 ? -s : quarter == 2 ? -c : s;
}
inline void sincospif(float a, float* sine, float* cosine) {
    double s, c;
    sincospi(a, &s, &c);
    *sine = (float)s, *cosine = (float)c;
}
inline float __saturatef(float a) { return a > 0 ? (a < 1 ? a : 1) : 0; }  // nan becomes 0
inline float __expf(float a) { return std::exp(a); }
inline float __logf(float a) { return std::log(a); }
inline float __powf(float a, float b) { return std::pow(a, b); }
inline float __sinf(float a) { return std::sin(a); }
inline float __cosf(float a) { return std::cos(a); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float a) { return 1 / a; }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline float __uint2float_rn(unsigned a) { return (float)a; }
inline int __float2int_rn(float a) { return (int)std::nearbyint(a); }
inline int __float2int_rd(float a) { return (int)std::floor(a); }

#define EMULATOR_MIN_MAX(type)                                   \
    inline type min(type a, type b) { return b < a ? b : a; }    \
    inline type max(type a, type b) { return a < b ? b : a; }
EMULATOR_MIN_MAX(int)
EMULATOR_MIN_MAX(unsigned)
EMULATOR_MIN_MAX(long long)
EMULATOR_MIN_MAX(unsigned long long)
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

// ── atomic functions: nobody else runs ───────────────────────────────────────────────────────────────────────────────

#define EMULATOR_ATOMIC(name, change)                                                       \
    template <class Number> inline Number name(Number* address, std::common_type_t<Number> b) { \
        const Number a = *address;                                                          \
        *address = change;                                                                  \
        return a;                                                                           \
    }
EMULATOR_ATOMIC(atomicAdd, a + b)
EMULATOR_ATOMIC(atomicSub, a - b)
EMULATOR_ATOMIC(atomicMin, b < a ? b : a)
EMULATOR_ATOMIC(atomicMax, a < b ? b : a)
EMULATOR_ATOMIC(atomicExch, b)
EMULATOR_ATOMIC(atomicAnd, a & b)
EMULATOR_ATOMIC(atomicOr, a | b)
EMULATOR_ATOMIC(atomicXor, a ^ b)
template <class Number>
inline Number atomicCAS(Number* address, std::common_type_t<Number> expected, std::common_type_t<Number> wanted) {
    const Number before = *address;
    if (before == expected) *address = wanted;
    return before;
}

// ── how the runtime calls a kernel, and what Python must know of its parameters ──────────────────────────────────────

template <class Number> struct EmulatorKind {
    static constexpr char value = std::is_floating_point<Number>::value ? 'f' : std::is_integral<Number>::value ? 'i' : 's';
};
template <> struct EmulatorKind<void> { static constexpr char value = 'v'; };
template <> struct EmulatorKind<__half> { static constexpr char value = 'f'; };
template <> struct EmulatorKind<__nv_bfloat16> { static constexpr char value = 'f'; };
template <class Type> struct EmulatorSize { static constexpr int value = sizeof(Type); };
template <> struct EmulatorSize<void> { static constexpr int value = 0; };

/* "p f 4": a pointer to floats of 4 bytes; "- i 8": a long long. */
template <class Parameter> inline int emulator_describe(char* text) {
    typedef std::remove_cv_t<std::remove_pointer_t<Parameter>> Element;
    return sprintf(text, "%c %c %d;", std::is_pointer<Parameter>::value ? 'p' : '-', EmulatorKind<Element>::value,
                   EmulatorSize<Element>::value);
}

template <class... Parameters> inline void emulator_signature(void (*)(Parameters...), char* text) {
    *text = 0;
    const int written[] = {0, (text += emulator_describe<Parameters>(text), 0)...};
    (void)written;
}

template <class... Parameters, size_t... places>
inline void emulator_call(void (*kernel)(Parameters...), void** arguments, std::index_sequence<places...>) {
    kernel(*reinterpret_cast<std::remove_const_t<Parameters>*>(arguments[places])...);
}
template <class... Parameters> inline void emulator_call(void (*kernel)(Parameters...), void** arguments) {
    emulator_call(kernel, arguments, std::index_sequence_for<Parameters...>());
}

extern "C" __attribute__((weak, visibility("hidden"))) char __start_cuda_shared[], __stop_cuda_shared[];
