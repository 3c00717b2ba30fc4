/* Products of matrices and of batches of them, with strides: what `device_matrix_product` in matmul_cuda.py launches.

       c[z] = alpha · a[z] · b[z] + beta · c[z] + bias          z = (outer, inner) counts the batch

   cuBLAS does the same and is the better choice wherever it can be called. But CuPy refuses its calls while a CUDA
   graph is captured, and here is a product that is a kernel like any other: the engine of tiled_product.cuh over
   operands that lie in memory as matrices. A transposed operand is one whose strides are exchanged; nothing is copied.

   Settings: those of tiled_product.cuh, and A_ALONG_K, B_ALONG_K, 1 where the operand is contiguous along K (a
   row-major A is, a row-major B is not). They change the speed, not the result.

   Compiled with: ELEMENT=float TENSOR_CORES=0 TILE_M=128 TILE_N=128 TILE_K=8 WARP_ROWS=2 WARP_COLUMNS=4 BLOCKS=2 A_ALONG_K=1 B_ALONG_K=0
   Compiled with: ELEMENT=float TENSOR_CORES=1 TILE_M=64 TILE_N=128 TILE_K=16 WARP_ROWS=2 WARP_COLUMNS=2 BLOCKS=3 A_ALONG_K=0 B_ALONG_K=1
   Compiled with: ELEMENT=half TENSOR_CORES=1 TILE_M=32 TILE_N=128 TILE_K=32 WARP_ROWS=1 WARP_COLUMNS=4 BLOCKS=3 A_ALONG_K=1 B_ALONG_K=1
   Compiled with: ELEMENT=double TENSOR_CORES=0 TILE_M=64 TILE_N=64 TILE_K=8 WARP_ROWS=2 WARP_COLUMNS=4 BLOCKS=3 A_ALONG_K=0 B_ALONG_K=0 */

#include "matrix_operand.cuh"

/* Takes the sums to c, with what is to be added. */
struct ToMatrix {
    T* c;
    const T* bias;  // a number a column, or null
    long long row_stride, column_stride;
    Accumulator alpha, beta;
    int N;

    __device__ long long column(int n) const { return n; }
    __device__ bool takes_pairs() const {
        return N % 2 == 0 && column_stride == 1 && row_stride % 2 == 0 && is_at_pair(c);
    }
    __device__ Accumulator with_extras(const T& element, long long n, Accumulator sum) const {
        sum *= alpha;
        if (beta != 0) sum += beta * static_cast<Accumulator>(element);  // with 0, c may be uninitialised memory
        if (bias) sum += static_cast<Accumulator>(__ldg(bias + n));
        return sum;
    }
    __device__ void store(int m, long long n, Accumulator sum) const {
        T& element = c[m * row_stride + n * column_stride];
        element = static_cast<T>(with_extras(element, n, sum));
    }
    __device__ void store(int m, long long n, Accumulator first, Accumulator second) const {
        T* address = c + m * row_stride + n;
        store_pair(address, with_extras(address[0], n, first), with_extras(address[1], n + 1, second));
    }
};

/* The numbers of a call, as matmul_cuda.py writes them: `numbers` there. Strides in elements. */
struct Numbers {
    long long parts, batches, inner, M, N, K;
    long long a_outer, a_inner, a_row, a_k, b_outer, b_inner, b_k, b_column, c_outer, c_inner, c_row, c_column;
};

#define ARGUMENTS                                                                                                     \
    const T *a, const T *b, T *c, const T *bias, Accumulator *partial, double alpha, double beta, const Numbers numbers
#define DESTINATION                                                                                                   \
    {c, bias, numbers.c_row, numbers.c_column, Accumulator(alpha), Accumulator(beta), static_cast<int>(numbers.N)}

#define BLOCK static_cast<int>(blockIdx.z * gridDim.y + blockIdx.y)

template <bool ALIGNED> using MatrixProduct = Product<Matrix<A_ALONG_K, ALIGNED>, Matrix<B_ALONG_K, ALIGNED>, ToMatrix>;

template <bool ALIGNED>
__device__ MatrixProduct<ALIGNED> product_of(int z, const T* a, const T* b, ToMatrix destination, const Numbers& call) {
    const long long i = z / call.inner, j = z % call.inner;
    a += i * call.a_outer + j * call.a_inner;
    b += i * call.b_outer + j * call.b_inner;
    destination.c += i * call.c_outer + j * call.c_inner;
    const int M = call.M, N = call.N, K = call.K;
    return {{a, call.a_row, call.a_k, M, K}, {b, call.b_column, call.b_k, N, K}, destination, M, N, K};
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) matrix_product(ARGUMENTS) {
    const int batches = numbers.batches, parts = numbers.parts, z = BLOCK % batches, part = BLOCK / batches;
    const Share share = {partial, numbers.M * numbers.N, z, part, parts};
    if (part >= parts) return;
    const auto product = product_of<true>(z, a, b, DESTINATION, numbers);
    if (product.a.is_aligned() && product.b.is_aligned())
        multiply_tile(product, share);
    else
        multiply_tile(product_of<false>(z, a, b, DESTINATION, numbers), share);
}

extern "C" __global__ void matrix_product_parts(ARGUMENTS) {
    const int z = BLOCK;
    const Share share = {partial, numbers.M * numbers.N, z, 0, int(numbers.parts)};
    if (z < numbers.batches) add_parts(product_of<true>(z, a, b, DESTINATION, numbers), share);
}
