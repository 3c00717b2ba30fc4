/* Formulas of several operations, element by element in one pass.

   Operation by operation, a whole array is read and written each time, and memory is all that such operations wait for.
   What a formula needs, in bytes an element of float32, against what it takes operation by operation:

                                   one pass    by operations
       relu's gradient                   12          14, in 2 launches
       sigmoid                            8          32
       sigmoid's gradient                12          32
       tanh's gradient                   12          28
       gelu, and its gradient         8, 12     44, 100
       silu, and its gradient         8, 12      44, 84

   (counted, not measured). Other functions are used too seldom for kernels of their own.

   A kernel has two inputs: a is an element of the first, b of the second (0 if there is none). Of a gradient, a is the
   gradient of the output, and b is what was saved: the output of relu, sigmoid and tanh, the input of gelu and silu.

   Settings: those of numbers.cuh.

   Compiled with: ELEMENT=float INDEX=int
   Compiled with: ELEMENT=half INDEX="long long" */

#include "numbers.cuh"

constexpr int EACH = 4;  // elements that a thread reads before it computes: one at a time does not keep the memory busy

template <class Formula>
__device__ void for_each(const T* first, const T* second, T* output, long long count, Formula formula) {
    const Index start = (Index)blockIdx.x * blockDim.x * EACH + threadIdx.x;
    Wide a[EACH], b[EACH];
#pragma unroll
    for (int k = 0; k < EACH; ++k) {
        const Index i = start + k * blockDim.x;
        a[k] = i < count ? (Wide)first[i] : 0;
        b[k] = second && i < count ? (Wide)second[i] : 0;
    }
#pragma unroll
    for (int k = 0; k < EACH; ++k) {
        const Index i = start + k * blockDim.x;
        if (i < count) output[i] = (T)formula(a[k], b[k]);
    }
}

__device__ inline Wide logistic(Wide x) { return 1 / (1 + exp(-x)); }
__device__ inline Wide normal_cdf(Wide x) { return (1 + erf(x * (Wide)0.70710678118654752)) / 2; }
__device__ inline Wide normal_density(Wide x) { return exp(-x * x / 2) * (Wide)0.39894228040143268; }

#define KERNEL(name, formula)                                                                                    \
    extern "C" __global__ void name(const T* first, const T* second, T* output, long long count) {               \
        for_each(first, second, output, count, [](Wide a, Wide b) -> Wide { return formula; });                  \
    }

KERNEL(relu_gradient, b != 0 ? a : 0)
KERNEL(sigmoid, logistic(a))
KERNEL(sigmoid_gradient, a * ((1 - b) * b))
KERNEL(tanh_gradient, a * (1 - b * b))
KERNEL(gelu, a * normal_cdf(a))
KERNEL(gelu_gradient, a * (normal_cdf(b) + b * normal_density(b)))
KERNEL(silu, a * logistic(a))
KERNEL(silu_gradient, a * logistic(b) * (1 + b * (1 - logistic(b))))
