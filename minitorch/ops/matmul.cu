/* Products of matrices and of batches of them, with strides: what `device_matrix_product` in matmul_cuda.py launches.

       c[z] = alpha · a[z] · b[z] + beta · c[z] + bias          z = (outer, inner) counts the batch

   cuBLAS does the same and is the better choice wherever it can be called. But CuPy refuses its calls while a CUDA
   graph is captured, and here is a product that is a kernel like any other: the engine of tiled_product.cuh over
   operands that lie in memory as matrices. A transposed operand is one whose strides are exchanged; nothing is copied.

   Settings: those of tiled_product.cuh, and A_ALONG_K, B_ALONG_K, 1 where the operand is contiguous along K (a
   row-major A is, a row-major B is not). They change the speed, not the result.

   Compiled with: ELEMENT=float TENSOR_CORES=0 TILE_M=128 TILE_N=128 TILE_K=8 WARP_M=64 WARP_N=32 BLOCKS=2 A_ALONG_K=1 B_ALONG_K=0
   Compiled with: ELEMENT=float TENSOR_CORES=1 TILE_M=128 TILE_N=128 TILE_K=16 WARP_M=64 WARP_N=64 BLOCKS=2 A_ALONG_K=0 B_ALONG_K=1
   Compiled with: ELEMENT=half TENSOR_CORES=1 TILE_M=128 TILE_N=64 TILE_K=16 WARP_M=64 WARP_N=32 BLOCKS=3 A_ALONG_K=1 B_ALONG_K=1
   Compiled with: ELEMENT=double TENSOR_CORES=0 TILE_M=64 TILE_N=64 TILE_K=8 WARP_M=32 WARP_N=16 BLOCKS=2 A_ALONG_K=0 B_ALONG_K=0 */

#include "matrix_operand.cuh"

/* Takes the sums to c, with what is to be added. */
struct ToMatrix {
    T* c;
    const T* bias;  // a number a column, or null
    long long row_stride, column_stride;
    Accumulator alpha, beta;

    __device__ T* row(int m) const { return c + m * row_stride; }
    __device__ int column(int n) const { return n; }
    __device__ void store(T* row, int n, Accumulator sum) const {
        T& element = row[n * column_stride];
        sum *= alpha;
        if (beta != 0) sum += beta * static_cast<Accumulator>(element);  // with 0, c may be uninitialised memory
        if (bias) sum += static_cast<Accumulator>(bias[n]);
        element = static_cast<T>(sum);
    }
};

/* Whether every vector that Matrix<ALONG_K> reads is 16 bytes at an address that 16 divides. */
template <bool ALONG_K>
__device__ inline bool is_aligned(const T* data, int rows, int K, long long row_stride, long long k_stride) {
    constexpr int NUMBERS = 16 / sizeof(T);
    const long long near = ALONG_K ? k_stride : row_stride, far = ALONG_K ? row_stride : k_stride;
    return near == 1 && far % NUMBERS == 0 && (ALONG_K ? K : rows) % NUMBERS == 0 &&
           reinterpret_cast<unsigned long long>(data) % 16 == 0;
}

template <bool ALONG_K>
__device__ inline Matrix<ALONG_K> matrix(const T* data, int rows, int K, long long row_stride, long long k_stride) {
    return {data, row_stride, k_stride, rows, K, is_aligned<ALONG_K>(data, rows, K, row_stride, k_stride)};
}

/* The numbers of a call, as matmul_cuda.py writes them: `numbers` there. Strides in elements. */
struct Numbers {
    long long parts, batches, inner, M, N, K;
    long long a_outer, a_inner, a_row, a_k, b_outer, b_inner, b_k, b_column, c_outer, c_inner, c_row, c_column;
};

#define ARGUMENTS                                                                                                     \
    const T *a, const T *b, T *c, const T *bias, Accumulator *partial, double alpha, double beta, const Numbers numbers
#define DESTINATION {c, bias, numbers.c_row, numbers.c_column, Accumulator(alpha), Accumulator(beta)}

#define BLOCK static_cast<int>(blockIdx.z * gridDim.y + blockIdx.y)

typedef Product<Matrix<A_ALONG_K>, Matrix<B_ALONG_K>, ToMatrix> MatrixProduct;

__device__ inline MatrixProduct product_of(int z, const T* a, const T* b, ToMatrix destination, const Numbers& call) {
    const long long i = z / call.inner, j = z % call.inner;
    a += i * call.a_outer + j * call.a_inner;
    b += i * call.b_outer + j * call.b_inner;
    destination.c += i * call.c_outer + j * call.c_inner;
    const int M = call.M, N = call.N, K = call.K;
    return {matrix<A_ALONG_K>(a, M, K, call.a_row, call.a_k), matrix<B_ALONG_K>(b, N, K, call.b_column, call.b_k),
            destination, M, N, K};
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) matrix_product(ARGUMENTS) {
    const int batches = numbers.batches, parts = numbers.parts, z = BLOCK % batches, part = BLOCK / batches;
    const Share share = {partial, numbers.M * numbers.N, z, part, parts};
    if (part < parts) multiply_tile(product_of(z, a, b, DESTINATION, numbers), share);
}

extern "C" __global__ void matrix_product_parts(ARGUMENTS) {
    const int z = BLOCK;
    const Share share = {partial, numbers.M * numbers.N, z, 0, int(numbers.parts)};
    if (z < numbers.batches) add_parts(product_of(z, a, b, DESTINATION, numbers), share);
}
