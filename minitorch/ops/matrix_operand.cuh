/* An operand of a product that lies in memory as a matrix: part of tiled_product.cuh. */

#pragma once

#include "tiled_product.cuh"

/* Element (row, k) at data[row · row_stride + k · k_stride]. The reads are fast where neighbouring threads find
   neighbouring numbers: k_stride = 1 for ALONG_K, else row_stride = 1. `is_aligned` says more, namely that each vector
   of 16 bytes along that direction begins at an address that 16 divides, and ends within the matrix; then one
   instruction reads it.

   Tensor cores want words that follow each other along K, four in a piece. Where neighbours in memory are rows, a thread
   collects its four from as many reads, and the 32 threads of a warp read 32 neighbouring rows each time. */
template <bool ALONG_K> struct Matrix {
    const T* data;
    long long row_stride, k_stride;
    int rows, K;
    bool is_aligned;

    static constexpr int VECTOR = 16 / sizeof(T);  // numbers
    static constexpr int UNIT_ROWS = ALONG_K || TENSOR_CORES ? 1 : VECTOR;
    static constexpr int UNIT_K = TENSOR_CORES ? 4 : ALONG_K ? VECTOR : 1;

    struct alignas(16) Vector {
        T values[VECTOR];
    };

    template <int ROWS> struct Reader : TileShare<ROWS, ALONG_K, UNIT_ROWS, UNIT_K> {
        typedef TileShare<ROWS, ALONG_K, UNIT_ROWS, UNIT_K> Share;
        struct Table {};  // nothing to look up

        const Matrix& matrix;
        const T* starts[Share::ROW_TURNS];  // of this thread's units in the next step
        int first_row, next_k;

        __device__ Reader(const Matrix& matrix, int first_row, int first_step, Table&)
            : matrix(matrix), first_row(first_row + Share::row), next_k((first_step * TILE_K + Share::k) * PACK) {
            for (int r = 0; r < Share::ROW_TURNS; r++) {
                const int row = this->first_row + r * Share::ROW_STEP;
                // One row too many is as good as any other, since its sums are not kept.
                starts[r] = matrix.data + (row < matrix.rows ? row : 0) * matrix.row_stride + next_k * matrix.stride_of_k();
            }
        }

        __device__ void read() {
            if (!Share::is_busy()) return;
            if ((ALONG_K || UNIT_ROWS > 1) && matrix.is_aligned)
                read_units([](const T* start, int, int k_left, T* values) { read_vector(start, k_left, values); });
            else
                read_units([this](const T* start, int row, int k_left, T* values) {
                    matrix.read_numbers(start, row, k_left, values);
                });
#pragma unroll
            for (int r = 0; r < Share::ROW_TURNS; r++) starts[r] += TILE_K * PACK * matrix.stride_of_k();
            next_k += TILE_K * PACK;
        }

        template <class Read> __device__ void read_units(Read read_unit) {
            const int k_left = matrix.K - next_k;
#pragma unroll
            for (int r = 0; r < Share::ROW_TURNS; r++) {
                const T* start = starts[r];
#pragma unroll
                for (int i = 0; i < Share::K_TURNS; i++) {
                    read_unit(start, first_row + r * Share::ROW_STEP, k_left - i * Share::K_STEP * PACK,
                              Share::values[i][r]);
                    start += Share::K_STEP * PACK * matrix.stride_of_k();
                }
            }
        }
    };

    __device__ long long stride_of_k() const { return ALONG_K ? 1 : k_stride; }

    /* A unit that is a vector; of its row, `k_left` numbers are left. */
    __device__ static void read_vector(const T* start, int k_left, T* values) {
        Vector vector = {};
        if (k_left > 0) vector = *reinterpret_cast<const Vector*>(start);
#pragma unroll
        for (int i = 0; i < VECTOR; i++) values[i] = vector.values[i];
    }

    /* Any unit, number by number. */
    __device__ void read_numbers(const T* start, int row, int k_left, T* values) const {
        const long long stride = UNIT_ROWS > 1 ? row_stride : stride_of_k();
#pragma unroll
        for (int i = 0; i < UNIT_ROWS * UNIT_K * PACK; i++, start += stride) {
            const bool exists = UNIT_ROWS > 1 ? row + i < rows && k_left > 0 : i < k_left;
            values[i] = exists ? *start : T(0);
        }
    }
};
