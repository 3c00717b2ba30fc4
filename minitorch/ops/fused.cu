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
       a + α · b                         12          20
       a + value · b · c                 16          36
       a quotient's gradient             16          44

   (counted, not measured). Other functions are used too seldom for kernels of their own.

   a, b and c are elements of the operands, p is a number. Of a gradient, a is the gradient of the output, and b is what
   was saved: the input of absolute, square, logarithm, gelu, silu and leaky_relu, the output of the others. That of a
   quotient b / c is the one for c; its p is −1.

   Settings: those of elementwise.cuh.

   Compiled with: ELEMENT=float INDEX=int BLOCK=256
   Compiled with: ELEMENT=half INDEX="long long" BLOCK=256
   Compiled with: ELEMENT=double INDEX=int BLOCK=256 */

#include "elementwise.cuh"

__device__ inline Wide logistic(Wide x) { return 1 / (1 + exp(-x)); }
__device__ inline Wide normal_cdf(Wide x) { return (1 + erf(x * (Wide)0.70710678118654752)) / 2; }
__device__ inline Wide normal_density(Wide x) { return exp(-x * x / 2) * (Wide)0.39894228040143268; }

BINARY_WITH_NUMBER(add_scaled, a + p * b)
BINARY_WITH_NUMBER(subtract_scaled, a - p * b)
TERNARY_WITH_NUMBER(addcmul, a + p * (b * c))
TERNARY_WITH_NUMBER(addcdiv, a + p * (b / c))
TERNARY_WITH_NUMBER(quotient_gradient, p * a * ((b / c) / c))
UNARY(sigmoid, logistic(a))
UNARY(relu, larger(a, 0))
UNARY(gelu, a * normal_cdf(a))
UNARY(silu, a * logistic(a))
UNARY_WITH_NUMBER(leaky_relu, a > 0 ? a : a * p)

BINARY(absolute_gradient, b > 0 ? a : b < 0 ? -a : a * 0)
BINARY(square_gradient, a * (b * 2))
BINARY(root_gradient, a / (b * 2))
BINARY(inverse_root_gradient, a * (b * b * b * (Wide)-0.5))
BINARY(reciprocal_gradient, a * (b * b * -1))
BINARY(logarithm_gradient, a / b)
BINARY(relu_gradient, b != 0 ? a : 0)
BINARY(sigmoid_gradient, a * ((1 - b) * b))
BINARY(tanh_gradient, a * (1 - b * b))
BINARY(gelu_gradient, a * (normal_cdf(b) + b * normal_density(b)))
BINARY(silu_gradient, a * logistic(b) * (1 + b * (1 - logistic(b))))
BINARY_WITH_NUMBER(leaky_relu_gradient, b > 0 ? a : a * p)
