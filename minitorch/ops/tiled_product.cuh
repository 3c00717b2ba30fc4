/* C = A · B, tile by tile: the engine under matmul.cu and conv2d.cu.

   C has M rows and N columns, A is (M × K) and B is (K × N). Neither A nor B need exist in memory: an *operand* only
   has to say what its element at (row, k) is. For a matrix product it reads a matrix. For a convolution it looks into
   the image at the place that im2col would have copied from, so that the columns are never written anywhere.

   A block of 256 threads computes one tile of C and walks along K, TILE_K words a step:

                             TILE_N
                           ┌────────┐
                    TILE_K │░░░░░░░░│ B: this step             each step
                           ├────────┤                          1. reads its part of A and of B from global memory
                           │        │ B: later steps              into registers,
            TILE_K         └────────┘                          2. multiplies the part read one step before, which
           ┌──┬───────┐    ┌────────┐                             lies in shared memory, while the reads are on
    TILE_M │░░│       │    │  tile  │                             their way,
           │░░│       │    │  of C  │                          3. writes the registers to the *other* half of the
           └──┴───────┘    └────────┘                             shared memory (double buffering: one barrier a step).

   Each element of A is read once from memory and used TILE_N times, one of B TILE_M times: a tile of 128 × 128 does 64
   multiplications for each element read, and that is what turns a memory-bound loop into a compute-bound one.

   Who holds which elements of C. The 8 warps lie in 2 rows of 4 over the tile (over a tile of 16 rows: in one row), the
   32 lanes in 8 rows of 4 over the warp's part, and each thread keeps ROWS_EACH × COLUMNS_EACH sums in registers, in
   groups of GROUP_M × GROUP_N:

        tile (128 × 128)                  part of a warp (64 × 32)
        ┌──────┬──────┬──────┬──────┐     ┌─ lane 0 ─┬─ lane 1 ─┬─ 2 ─┬─ 3 ─┬─ lane 0 again …
        │warp 0│  1   │  2   │  3   │     │ GROUP_M  │          │     │     │
        ├──────┼──────┼──────┼──────┤     │ ×GROUP_N │          │     │     │
        │warp 4│  5   │  6   │  7   │     ├─ lane 4 ─┼─ lane 5 ─┼─ 6 ─┼─ 7 ─┼─ lane 4 again …
        └──────┴──────┴──────┴──────┘     …

   Tensor cores multiply and add a block of C (16 × 8) at once; what A and B consist of for them, a *word*, is told in
   words.cuh. With groups of 1 × 2, the layout of C in the picture is the one that their instruction asks for.

   Settings (-D): ELEMENT the type in memory (float, double, half), TENSOR_CORES 0 or 1, TILE_M, TILE_N. */

#pragma once

#include "words.cuh"

#if TENSOR_CORES
constexpr int TILE_K = 16, GROUP_M = 1, GROUP_N = 2;
#else
constexpr int TILE_K = 8, GROUP_M = TILE_M < 64 ? 2 : 4, GROUP_N = 4;
#endif

constexpr int THREADS = 256;
constexpr int BLOCKS = TILE_M * TILE_N < 128 * 128 ? 2 : 1;  // on a multiprocessor: two leave each thread 128 registers
constexpr int WARP_ROWS = TILE_M < 32 ? 1 : 2, WARP_COLUMNS = 8 / WARP_ROWS, LANE_ROWS = 8, LANE_COLUMNS = 4;
constexpr int ROWS_EACH = TILE_M / (WARP_ROWS * LANE_ROWS), COLUMNS_EACH = TILE_N / (WARP_COLUMNS * LANE_COLUMNS);
constexpr int VECTOR = 16 / (sizeof(T) * PACK);  // words whose numbers one 16-byte read brings

__device__ inline int ceil_divide(int a, int b) { return (a + b - 1) / b; }

// ── from global to shared memory ─────────────────────────────────────────────────────────────────────────────────────

/* Where word (row, k) of an operand's tile lies in shared memory. ("Row" is a row of A, but a column of B: both
   operands are seen as so many rows of K words.) The padding spreads over different banks what a warp reads at once.
   Tensor cores read 8 rows × 4 words; that is without conflicts in either order, so the order is that of the writes. */
template <int ROWS, bool ALONG_K> __device__ inline int shared_place(int row, int k) {
    if (TENSOR_CORES && ALONG_K) return row * (TILE_K + 4) + k;
    return k * (ROWS + (TENSOR_CORES ? 8 : 4)) + row;
}

template <int ROWS, bool ALONG_K> __device__ constexpr int shared_words() {
    return TENSOR_CORES && ALONG_K ? ROWS * (TILE_K + 4) : TILE_K * (ROWS + (TENSOR_CORES ? 8 : 4));
}

/* A thread's share of reading the tiles of one operand. Neighbouring threads read neighbouring memory: along K if the
   operand is contiguous that way (Operand::ALONG_K), else along the rows, Operand::WORDS words each at a time.
   A thread meets the same rows in every step, so that what is to be known about a row is found once. */
template <int ROWS, class Operand> struct TileReader {
    static constexpr bool ALONG_K = Operand::ALONG_K;
    static constexpr int WORDS = Operand::WORDS;
    static constexpr int FAST_SIZE = (ALONG_K ? TILE_K : ROWS) / WORDS, SLOW_SIZE = ALONG_K ? ROWS : TILE_K;
    static constexpr int FAST = FAST_SIZE < LANES ? FAST_SIZE : LANES;
    static constexpr int SLOW = THREADS / FAST < SLOW_SIZE ? THREADS / FAST : SLOW_SIZE;
    static constexpr int FAST_TURNS = FAST_SIZE / FAST, SLOW_TURNS = SLOW_SIZE / SLOW;
    static constexpr int ROW_TURNS = ALONG_K ? SLOW_TURNS : FAST_TURNS, K_TURNS = ALONG_K ? FAST_TURNS : SLOW_TURNS;
    static constexpr int ROW_STEP = ALONG_K ? SLOW : FAST * WORDS, K_STEP = ALONG_K ? FAST * WORDS : SLOW;

    const Operand& operand;
    const int row, k;    // of this thread's first word in the tile
    const bool is_busy;  // small tiles do not need every thread
    typename Operand::Row rows[ROW_TURNS];
    typename Operand::Cursor cursor;
    Word words[K_TURNS][ROW_TURNS][WORDS];

    __device__ TileReader(const Operand& operand, int first_row, int first_step)
        : operand(operand),
          row(ALONG_K ? threadIdx.x / FAST : threadIdx.x % FAST * WORDS),
          k(ALONG_K ? threadIdx.x % FAST * WORDS : threadIdx.x / FAST),
          is_busy(threadIdx.x / FAST < SLOW) {
        for (int r = 0; r < ROW_TURNS; r++) rows[r] = operand.row(first_row + row + r * ROW_STEP);
        cursor = operand.start((first_step * TILE_K + k) * PACK, K_STEP * PACK);
    }

    __device__ void read() {
        if (!is_busy) return;
#pragma unroll
        for (int i = 0; i < K_TURNS; i++) {
#pragma unroll
            for (int r = 0; r < ROW_TURNS; r++) {
                T values[WORDS * PACK];
                operand.read(rows[r], cursor, values);
#pragma unroll
                for (int w = 0; w < WORDS; w++) words[i][r][w] = to_word(values + w * PACK);
            }
            operand.advance(cursor);
        }
    }

    __device__ void write(Word* shared) const {
        if (!is_busy) return;
#pragma unroll
        for (int i = 0; i < K_TURNS; i++)
#pragma unroll
            for (int r = 0; r < ROW_TURNS; r++)
#pragma unroll
                for (int w = 0; w < WORDS; w++) {
                    const int row_of_word = row + r * ROW_STEP + (ALONG_K ? 0 : w);
                    const int k_of_word = k + i * K_STEP + (ALONG_K ? w : 0);
                    shared[shared_place<ROWS, ALONG_K>(row_of_word, k_of_word)] = words[i][r][w];
                }
    }
};

// ── the sums of a thread ─────────────────────────────────────────────────────────────────────────────────────────────

struct Sums {
    Accumulator sums[ROWS_EACH][COLUMNS_EACH];

    __device__ Sums() {
        for (int i = 0; i < ROWS_EACH; i++)
            for (int j = 0; j < COLUMNS_EACH; j++) sums[i][j] = 0;
    }

    /* Where in the tile sums[i][j] belongs. */
    __device__ static int row(int i) {
        const int first = threadIdx.x / LANES / WARP_COLUMNS * (TILE_M / WARP_ROWS) +
                          threadIdx.x % LANES / LANE_COLUMNS * GROUP_M;
        return first + i / GROUP_M * (LANE_ROWS * GROUP_M) + i % GROUP_M;
    }
    __device__ static int column(int j) {
        return first_column() + j / GROUP_N * (LANE_COLUMNS * GROUP_N) + j % GROUP_N;
    }
    __device__ static int first_column() {
        return threadIdx.x / LANES % WARP_COLUMNS * (TILE_N / WARP_COLUMNS) + threadIdx.x % LANE_COLUMNS * GROUP_N;
    }

    /* Add one step's products. */
    template <class A, class B> __device__ void add_products(const Word* tile_a, const Word* tile_b) {
#if !TENSOR_CORES
#pragma unroll
        for (int k = 0; k < TILE_K; k++) {
            Word a[ROWS_EACH], b[COLUMNS_EACH];
            for (int i = 0; i < ROWS_EACH; i++) a[i] = tile_a[shared_place<TILE_M, A::ALONG_K>(row(i), k)];
            for (int j = 0; j < COLUMNS_EACH; j++) b[j] = tile_b[shared_place<TILE_N, B::ALONG_K>(column(j), k)];
            for (int i = 0; i < ROWS_EACH; i++)
                for (int j = 0; j < COLUMNS_EACH; j++) sums[i][j] += a[i] * b[j];
        }
#else
        const int t = threadIdx.x % 4;
        const int column_of_b = first_column() - 2 * t + threadIdx.x % LANES / 4;  // brought by column
#pragma unroll
        for (int k = t; k < TILE_K; k += 8) {
            Word a[ROWS_EACH / 2][4], b[COLUMNS_EACH / 2][2];
            for (int i = 0; i < ROWS_EACH / 2; i++)
                for (int e = 0; e < 4; e++)
                    a[i][e] = tile_a[shared_place<TILE_M, A::ALONG_K>(row(2 * i + e % 2), k + e / 2 * 4)];
            for (int j = 0; j < COLUMNS_EACH / 2; j++)
                for (int e = 0; e < 2; e++)
                    b[j][e] = tile_b[shared_place<TILE_N, B::ALONG_K>(column_of_b + 8 * j, k + e * 4)];
            for (int i = 0; i < ROWS_EACH / 2; i++)
                for (int j = 0; j < COLUMNS_EACH / 2; j++)
                    multiply_accumulate(&sums[2 * i][2 * j], &sums[2 * i + 1][2 * j], a[i], b[j]);
        }
#endif
    }

    /* Give every sum that lies in C to `destination`. What belongs to a column is found once for all of its rows. */
    template <class Destination>
    __device__ void hand_out(Destination destination, int tile_row, int tile_column, int M, int N) const {
        for (int j = 0; j < COLUMNS_EACH; j++) {
            if (tile_column + column(j) >= N) continue;
            const auto place = destination.column(tile_column + column(j));
            for (int i = 0; i < ROWS_EACH; i++)
                if (tile_row + row(i) < M) destination.store(tile_row + row(i), place, sums[i][j]);
        }
    }
};

// ── a tile of the product ────────────────────────────────────────────────────────────────────────────────────────────

/* A (M × K) · B (K × N), and the `destination` that takes each element: `destination.column(n)` and then
   `destination.store(m, column, sum)`. */
template <class A, class B, class Destination> struct Product {
    A a;
    B b;
    Destination destination;
    int M, N, K;
};

/* Which product of several this block is at, and at which part of it. Where K is long and C small, `parts` blocks share
   a tile of C, each for a part of K. They must not add to C at the same time (the order, and with it the rounding,
   would change from run to run): each writes its sums to `partial`, and `add_parts` adds them up in order. */
struct Share {
    Accumulator* partial;  // room for `room` sums for each part of each product
    long long room;
    int product, part, parts;

    __device__ Accumulator* sums(int part) const {
        return partial + (static_cast<long long>(product) * parts + part) * room;
    }
};

struct PartialSums {
    Accumulator* sums;  // (M × N)
    int N;
    __device__ int column(int n) const { return n; }
    __device__ void store(int m, int n, Accumulator sum) const { sums[m * N + n] = sum; }
};

/* This block's tile of the product, or its share of it. */
template <class A, class B, class Destination>
__device__ void multiply_tile(const Product<A, B, Destination>& product, const Share& share) {
    alignas(16) __shared__ Word tiles_a[2][shared_words<TILE_M, A::ALONG_K>()];
    alignas(16) __shared__ Word tiles_b[2][shared_words<TILE_N, B::ALONG_K>()];
    const int M = product.M, N = product.N;
    const int tiles_down = ceil_divide(M, TILE_M);
    const int tile_row = blockIdx.x % tiles_down * TILE_M, tile_column = blockIdx.x / tiles_down * TILE_N;
    if (tile_column >= N) return;  // the grid is large enough for the largest of several products

    const int steps = ceil_divide(product.K, TILE_K * PACK);
    int step = static_cast<long long>(steps) * share.part / share.parts;
    const int end = static_cast<long long>(steps) * (share.part + 1) / share.parts;
    TileReader<TILE_M, A> reader_a(product.a, tile_row, step);
    TileReader<TILE_N, B> reader_b(product.b, tile_column, step);
    Sums sums;
    if (step < end) {
        reader_a.read();
        reader_b.read();
        reader_a.write(tiles_a[0]);
        reader_b.write(tiles_b[0]);
    }
    __syncthreads();
    for (int now = 0; step < end; step++, now ^= 1) {
        const bool has_next = step + 1 < end;
        if (has_next) {
            reader_a.read();
            reader_b.read();
        }
        sums.template add_products<A, B>(tiles_a[now], tiles_b[now]);
        if (has_next) {
            reader_a.write(tiles_a[now ^ 1]);
            reader_b.write(tiles_b[now ^ 1]);
        }
        __syncthreads();
    }
    if (share.parts == 1)
        sums.hand_out(product.destination, tile_row, tile_column, M, N);
    else
        sums.hand_out(PartialSums{share.sums(share.part), N}, tile_row, tile_column, M, N);
}

/* C from the sums of its parts: a thread an element. */
template <class A, class B, class Destination>
__device__ void add_parts(const Product<A, B, Destination>& product, const Share& share) {
    const long long size = static_cast<long long>(product.M) * product.N;
    const long long element = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (element >= size) return;
    Accumulator sum = 0;
#pragma unroll 8
    for (int part = 0; part < share.parts; part++) sum += share.sums(part)[element];
    const int m = element / product.N, n = element % product.N;
    product.destination.store(m, product.destination.column(n), sum);
}

// ── an operand that lies in memory as a matrix ───────────────────────────────────────────────────────────────────────

/* Element (row, k) at data[row · row_stride + k · k_stride]. The reads are fast where neighbouring threads find
   neighbouring numbers: k_stride = 1 for ALONG_K, else row_stride = 1. `is_aligned` says more, namely that each
   thread's WORDS words are 16 bytes of memory at an address that 16 divides; then one instruction reads them. */
template <bool ALONG_K_> struct Matrix {
    static constexpr bool ALONG_K = ALONG_K_;
    static constexpr int WORDS = ALONG_K || PACK == 1 ? VECTOR : 1;  // a pair along K is no neighbour along the rows
    const T* data;
    long long row_stride, k_stride;
    int rows, K;
    bool is_aligned;

    struct Row {
        const T* start;
        int row;
    };
    struct Cursor {
        int k, step;
    };
    struct alignas(16) Vector {
        T values[16 / sizeof(T)];
    };

    __device__ Row row(int row) const { return {data + row * row_stride, row}; }
    __device__ Cursor start(int k, int step) const { return {k, step}; }
    __device__ void advance(Cursor& cursor) const { cursor.k += cursor.step; }

    __device__ void read(const Row& first, const Cursor& cursor, T (&values)[WORDS * PACK]) const {
        const T* address = first.start + cursor.k * k_stride;
        if (WORDS > 1 && is_aligned) {
            Vector vector = {};
            if (first.row < rows && cursor.k < K) vector = *reinterpret_cast<const Vector*>(address);
#pragma unroll
            for (int i = 0; i < WORDS * PACK; i++) values[i] = vector.values[i];
            return;
        }
#pragma unroll
        for (int i = 0; i < WORDS * PACK; i++) {
            const int row = first.row + (ALONG_K ? 0 : i / PACK), k = cursor.k + (ALONG_K ? i : i % PACK);
            const long long offset = ALONG_K ? i * k_stride : i / PACK * row_stride + i % PACK * k_stride;
            values[i] = row < rows && k < K ? address[offset] : T(0);
        }
    }
};
