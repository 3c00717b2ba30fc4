/* Single operations, element by element, where they are all that is done: what an array module has, at the speed of the
   memory. (CuPy's own kernels move one element at a time.) Formulas of several operations are in ops/fused.cu.

   Settings: those of elementwise.cuh.

   Compiled with: ELEMENT=float INDEX=int BLOCK=256
   Compiled with: ELEMENT=half INDEX="long long" BLOCK=256
   Compiled with: ELEMENT=double INDEX=int BLOCK=256 */

#include "elementwise.cuh"

__device__ inline Wide smaller(Wide a, Wide b) { return a < b || a != a ? a : b; }  // nan wins

BINARY(add, a + b)
BINARY(subtract, a - b)
BINARY(multiply, a * b)
BINARY(divide, a / b)
BINARY(maximum, larger(a, b))
BINARY(minimum, smaller(a, b))
UNARY_WITH_NUMBER(add_number, a + p)
UNARY_WITH_NUMBER(subtract_number, a - p)
UNARY_WITH_NUMBER(multiply_number, a * p)
UNARY_WITH_NUMBER(divide_number, a / p)
UNARY_WITH_NUMBER(number_subtract, p - a)
UNARY_WITH_NUMBER(number_divide, p / a)

UNARY(negative, -a)
UNARY(absolute, fabs(a))
UNARY(square, a * a)
UNARY(square_root, sqrt(a))
UNARY(reciprocal, 1 / a)
UNARY(inverse_root, 1 / sqrt(a))
UNARY(exponential, exp(a))
UNARY(logarithm, log(a))
UNARY(hyperbolic_tangent, tanh(a))
