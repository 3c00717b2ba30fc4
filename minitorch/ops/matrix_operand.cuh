/* An operand of a product that lies in memory as a matrix: part of matmul.cu and conv2d.cu. */

#pragma once

#include "tiled_product.cuh"

/* Element (row, k) at data[row · row_stride + k · k_stride]. The reads are fast where neighbouring threads find
   neighbouring numbers: k_stride = 1 for ALONG_K, else row_stride = 1. ALIGNED says that they do, and that what a thread
   reads at once, a vector, begins at a multiple of its size, and is inside of the matrix or outside as a whole. */
template <bool ALONG_K_, bool ALIGNED> struct Matrix {
    static constexpr bool ALONG_K = ALONG_K_;
    static constexpr int PER_READ = 16 / sizeof(T);  // numbers that 16 bytes hold
    // Tensor cores want each row's words together: along the rows, 4 bytes are read at each of the k of four words.
    static constexpr int UNIT_ROWS = ALONG_K ? 1 : TENSOR_CORES ? 4 / sizeof(T) : PER_READ;
    static constexpr int UNIT_K = ALONG_K ? PER_READ / PACK : TENSOR_CORES ? 4 : 1;
    static constexpr int VECTOR = ALONG_K ? PER_READ : UNIT_ROWS;  // numbers of one read

    const T* data;
    long long row_stride, k_stride;
    int rows, K;

    struct Row {
        const T* start;
        int row, K;  // no k is inside for a row that is not
    };
    struct Cursor {
        int k;
    };
    template <int> struct Table {};  // nothing to tell one another
    struct alignas(VECTOR * sizeof(T)) Vector {
        T values[VECTOR];
    };

    /* Whether this matrix is what ALIGNED says. */
    __device__ bool is_aligned() const {
        const long long near = ALONG_K ? k_stride : row_stride, far = ALONG_K ? row_stride : k_stride;
        return near == 1 && far % VECTOR == 0 && (ALONG_K ? K : rows) % VECTOR == 0 &&
               reinterpret_cast<unsigned long long>(data) % (VECTOR * sizeof(T)) == 0;
    }

    __device__ Row row(int row) const { return {data + row * row_stride, row, row < rows ? K : 0}; }
    __device__ Cursor start(int first, int k) const { return {first + k}; }
    __device__ void advance(Cursor& cursor) const { cursor.k += TILE_K * PACK; }
    template <class Nothing> __device__ void fill(Nothing&, int) const {}
    template <class Nothing> __device__ void prepare(Nothing&, Cursor&) const {}

    template <class Nothing, int COUNT>
    __device__ void read(const Nothing&, const Row (&all_rows)[COUNT], const Cursor& cursor, const Unit& unit,
                         T (&values)[UNIT_ROWS][UNIT_K * PACK]) const {
        const Row& row = all_rows[unit.turn];
        const int k = cursor.k + unit.ks_on;
        if (ALIGNED && ALONG_K) {
            Vector vector = {};
            if (k < row.K) vector = *reinterpret_cast<const Vector*>(row.start + k);
#pragma unroll
            for (int i = 0; i < VECTOR; i++) values[0][i % (UNIT_K * PACK)] = vector.values[i];
            return;
        }
        // of rows that are neighbours in memory, the others lie at a fixed distance from the first
        const T* address = (ALIGNED ? all_rows[0].start + unit.rows_on : row.start) + k * k_stride;
#pragma unroll
        for (int i = 0; i < UNIT_K * PACK; i++, address += k_stride) {
            Vector vector = {};
            if (ALIGNED && k + i < row.K) vector = *reinterpret_cast<const Vector*>(address);
#pragma unroll
            for (int u = 0; u < UNIT_ROWS; u++) {
                if (ALIGNED)
                    values[u][i] = vector.values[u % VECTOR];
                else
                    values[u][i] = k + i < row.K && row.row + u < rows ? address[u * row_stride] : T(0);
            }
        }
    }
};
