/* C = A · B, tile by tile: the engine under matmul.cu and conv2d.cu.

   C has M rows and N columns, A is (M × K) and B is (K × N). Neither A nor B need exist in memory: an *operand* only
   has to say what its element at (row, k) is. For a matrix product it reads a matrix. For a convolution it looks into
   the image at the place that im2col would have copied from, so that the columns are never written anywhere.

   A block of threads computes one tile of C and walks along K, TILE_K words a step:

                             TILE_N
                           ┌────────┐
                    TILE_K │░░░░░░░░│ B: this step
                           ├────────┤
                           │        │ B: later steps
            TILE_K         └────────┘
           ┌──┬───────┐    ┌────────┐
    TILE_M │░░│       │    │  tile  │
           │░░│       │    │  of C  │
           └──┴───────┘    └────────┘

   Each element of A is read once from memory and used TILE_N times, one of B TILE_M times: a tile of 128 × 128 does 64
   multiplications for each element read, and that is what turns a memory-bound loop into a compute-bound one.

   The pipeline. A number from memory takes some 600 clock cycles to arrive, and nobody may wait for it. So three steps
   are under way at a time:

       step s + 1   asked for                   ┐ global memory → registers
       step s       multiplied meanwhile        │ shared memory, one half → registers → sums
       step s + 1   arrives, is rounded         ┘ registers → shared memory, the other half
       step s + 2   its addresses are prepared    (convolutions: gather.cuh)

   and then all threads meet, once a step, and the halves of the shared memory change their roles (*double buffering*).
   The order of these lines is what makes it fast: were the numbers of step s + 1 rounded where they are asked for, they
   would be waited for there, with nothing to do meanwhile. Two blocks or more on a multiprocessor (BLOCKS) fill what
   gaps remain: one multiplies while the other waits at its barrier.

   Who holds which elements of C. The warps lie in WARP_ROWS rows of WARP_COLUMNS over the tile, the 32 lanes in 8 rows
   of 4 over the warp's part, and each thread keeps ROWS_EACH × COLUMNS_EACH sums in registers, in groups of
   GROUP_M × GROUP_N:

        tile (128 × 128, 8 warps)         part of a warp (64 × 32)
        ┌──────┬──────┬──────┬──────┐     ┌─ lane 0 ─┬─ lane 1 ─┬─ 2 ─┬─ 3 ─┬─ lane 0 again …
        │warp 0│  1   │  2   │  3   │     │ GROUP_M  │          │     │     │
        ├──────┼──────┼──────┼──────┤     │ ×GROUP_N │          │     │     │
        │warp 4│  5   │  6   │  7   │     ├─ lane 4 ─┼─ lane 5 ─┼─ 6 ─┼─ 7 ─┼─ lane 4 again …
        └──────┴──────┴──────┴──────┘     …

   Tensor cores multiply and add a block of C (16 × 8) at once; what A and B consist of for them, a *word*, is told in
   words.cuh. With groups of 1 × 2, the layout of C in the picture is the one that their instruction asks for. They are
   so fast that shared memory can hardly feed them: the part of a warp should be large, 64 × 64 for the largest tile,
   since a word of A is read again for each column of warps, and a word of B for each row of them.

   tile_reader.cuh brings the tiles into shared memory, the operands are in matrix_operand.cuh and gather.cuh.

   Settings (-D): ELEMENT the type in memory (float, double, half), TENSOR_CORES 0 or 1; TILE_M, TILE_N, TILE_K,
   WARP_ROWS, WARP_COLUMNS; BLOCKS, how many blocks shall fit on a multiprocessor (which limits the registers of each
   thread to 65536 / (BLOCKS · threads)). tiled_product.py knows good ones. */

#pragma once

#include "tile_reader.cuh"

constexpr int LANE_ROWS = 8, LANE_COLUMNS = 4;
constexpr int ROWS_EACH = TILE_M / (WARP_ROWS * LANE_ROWS), COLUMNS_EACH = TILE_N / (WARP_COLUMNS * LANE_COLUMNS);
constexpr int GROUP_M = TENSOR_CORES ? 1 : ROWS_EACH < 4 ? ROWS_EACH : 4, GROUP_N = TENSOR_CORES ? 2 : 4;

constexpr int THREADS_THAT_ADD = 256;  // of a block of add_parts

__device__ inline int ceil_divide(int a, int b) { return (a + b - 1) / b; }

// ── the sums of a thread ─────────────────────────────────────────────────────────────────────────────────────────────

/* Two neighbours of a row of C, written at once. Four lanes then fill the 32 bytes that memory is written in. */
template <class Number> struct alignas(2 * sizeof(Number)) Pair {
    Number first, second;
};

template <class Number> __device__ inline void store_pair(Number* address, Accumulator first, Accumulator second) {
    *reinterpret_cast<Pair<Number>*>(address) = {static_cast<Number>(first), static_cast<Number>(second)};
}

template <class Number> __device__ inline bool is_at_pair(const Number* address) {
    return reinterpret_cast<unsigned long long>(address) % (2 * sizeof(Number)) == 0;
}

struct Sums {
    Accumulator sums[ROWS_EACH][COLUMNS_EACH];

    __device__ Sums() {
#pragma unroll
        for (int i = 0; i < ROWS_EACH; i++)
#pragma unroll
            for (int j = 0; j < COLUMNS_EACH; j++) sums[i][j] = 0;
    }

    /* Where in the tile sums[i][j] belongs. */
    __device__ static int row(int i) {
        return first_row() + i / GROUP_M * (LANE_ROWS * GROUP_M) + i % GROUP_M;
    }
    __device__ static int column(int j) {
        return first_column() + j / GROUP_N * (LANE_COLUMNS * GROUP_N) + j % GROUP_N;
    }
    __device__ static int first_row() {
        return threadIdx.x / LANES / WARP_COLUMNS * (TILE_M / WARP_ROWS) +
               threadIdx.x % LANES / LANE_COLUMNS * GROUP_M;
    }
    __device__ static int first_column() {
        return threadIdx.x / LANES % WARP_COLUMNS * (TILE_N / WARP_COLUMNS) + threadIdx.x % LANE_COLUMNS * GROUP_N;
    }

    /* Add one step's products. */
    __device__ void add_products(const Word* tile_a, const Word* tile_b) {
#if !TENSOR_CORES
#pragma unroll
        for (int k = 0; k < TILE_K; k++) {
            Word a[ROWS_EACH], b[COLUMNS_EACH];
#pragma unroll
            for (int i = 0; i < ROWS_EACH; i++) a[i] = tile_a[shared_place<TILE_M>(row(i), k)];
#pragma unroll
            for (int j = 0; j < COLUMNS_EACH; j++) b[j] = tile_b[shared_place<TILE_N>(column(j), k)];
#pragma unroll
            for (int i = 0; i < ROWS_EACH; i++)
#pragma unroll
                for (int j = 0; j < COLUMNS_EACH; j++) sums[i][j] += a[i] * b[j];
        }
#else
        // Which of the four blocks of 8 rows × 4 words this lane brings the address of (`load_blocks`). Of A they lie
        //     0  2      of B, seen as columns × words,     0  1      each quarter of the picture 8 rows (or columns)
        //     1  3                                         2  3      by four words
        const int lane = threadIdx.x % LANES, upper = lane / 16, odd = lane / 8 % 2;
        const int row_of_a = first_row() - lane / 4 + odd * 8 + lane % 8;
        const int column_of_b = first_column() - lane % 4 * 2 + upper * 8 + lane % 8;
#pragma unroll
        for (int k = 0; k < TILE_K; k += 8) {
            Word b[COLUMNS_EACH / 4][4];
#pragma unroll
            for (int j = 0; j < COLUMNS_EACH / 4; j++)
                load_blocks(b[j], tile_b + shared_place<TILE_N>(column_of_b + 16 * j, k + odd * 4));
#pragma unroll
            for (int i = 0; i < ROWS_EACH; i += 2) {
                Word a[4];
                load_blocks(a, tile_a + shared_place<TILE_M>(row_of_a + 8 * i, k + upper * 4));
#pragma unroll
                for (int j = 0; j < COLUMNS_EACH; j += 2)
                    multiply_accumulate(&sums[i][j], &sums[i + 1][j], a, b[j / 4] + j % 4);
            }
        }
#endif
    }

    /* Give every sum that lies in C to `destination`: two at a time if it takes them (and then N is even). What belongs
       to a column is found once for all of its rows. */
    template <class Destination>
    __device__ void hand_out(Destination destination, int tile_row, int tile_column, int M, int N) const {
        const bool in_pairs = destination.takes_pairs();
#pragma unroll
        for (int j = 0; j < COLUMNS_EACH; j += 2) {
            const int n = tile_column + column(j);
            if (n >= N) continue;
            const auto place = destination.column(n);
            if (in_pairs) {
#pragma unroll
                for (int i = 0; i < ROWS_EACH; i++)
                    if (tile_row + row(i) < M)
                        destination.store(tile_row + row(i), place, sums[i][j], sums[i][j + 1]);
                continue;
            }
            const auto next = destination.column(n + 1);
#pragma unroll
            for (int i = 0; i < ROWS_EACH; i++) {
                if (tile_row + row(i) >= M) continue;
                destination.store(tile_row + row(i), place, sums[i][j]);
                if (n + 1 < N) destination.store(tile_row + row(i), next, sums[i][j + 1]);
            }
        }
    }
};

// ── a tile of the product ────────────────────────────────────────────────────────────────────────────────────────────

/* A (M × K) · B (K × N), and the `destination` that takes each element: `destination.column(n)` and then
   `destination.store(m, column, sum)`, or with two sums, of columns n and n + 1, if it `takes_pairs()`. */
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

/* Takes the sums of a part, (M × N). */
struct PartialSums {
    Accumulator* sums;
    int N;
    __device__ int column(int n) const { return n; }
    __device__ bool takes_pairs() const { return N % 2 == 0 && is_at_pair(sums); }
    __device__ void store(int m, int n, Accumulator sum) const { sums[m * N + n] = sum; }
    __device__ void store(int m, int n, Accumulator first, Accumulator second) const {
        store_pair(sums + m * N + n, first, second);
    }
};

constexpr int WORDS_A = shared_words<TILE_M>(), WORDS_B = shared_words<TILE_N>();

/* Room for two tiles of A and two of B: the same for every product that a kernel may choose to make. */
__device__ inline Word* shared_tiles() {
    alignas(16) __shared__ Word words[2 * (WORDS_A + WORDS_B)];
    return words;
}

/* This block's tile of the product, or its share of it. */
template <class A, class B, class Destination>
__device__ void multiply_tile(const Product<A, B, Destination>& product, const Share& share) {
    Word *const tiles_a = shared_tiles(), *const tiles_b = tiles_a + 2 * WORDS_A;
    __shared__ typename TileReader<TILE_M, A>::Table table_a;
    __shared__ typename TileReader<TILE_N, B>::Table table_b;
    const int M = product.M, N = product.N;
    const int tiles_down = ceil_divide(M, TILE_M);
    const int tile_row = blockIdx.x % tiles_down * TILE_M, tile_column = blockIdx.x / tiles_down * TILE_N;
    if (tile_column >= N) return;  // the grid is large enough for the largest of several products

    const int steps = ceil_divide(product.K, TILE_K * PACK);
    int step = static_cast<long long>(steps) * share.part / share.parts;
    const int end = static_cast<long long>(steps) * (share.part + 1) / share.parts;
    TileReader<TILE_M, A> reader_a(product.a, table_a, tile_row, step);
    TileReader<TILE_N, B> reader_b(product.b, table_b, tile_column, step);
    const auto prepare = [&] { reader_a.prepare(), reader_b.prepare(); };
    const auto read = [&] { reader_a.read(), reader_b.read(); };
    const auto write = [&](int half) {
        reader_a.write(tiles_a + half * WORDS_A), reader_b.write(tiles_b + half * WORDS_B);
    };
    Sums sums;
    prepare();
    __syncthreads();
    read();
    write(0);
    prepare();
    __syncthreads();
    // The last turn reads a step too many (what lies beyond K is 0): a loop without a question runs faster.
    for (int half = 0; step < end; step++, half ^= 1) {
        read();
        sums.add_products(tiles_a + half * WORDS_A, tiles_b + half * WORDS_B);
        write(half ^ 1);
        prepare();
        __syncthreads();
    }
    if (share.parts == 1)
        sums.hand_out(product.destination, tile_row, tile_column, M, N);
    else
        sums.hand_out(PartialSums{share.sums(share.part), N}, tile_row, tile_column, M, N);
}

/* C from the sums of its parts. A block has blockDim.x elements, and blockDim.y threads for each: where there are many
   parts, one thread would wait for the memory again and again. The order of the sum depends on these numbers alone. */
template <class A, class B, class Destination>
__device__ void add_parts(const Product<A, B, Destination>& product, const Share& share) {
    __shared__ Accumulator sums[THREADS_THAT_ADD];
    const long long size = static_cast<long long>(product.M) * product.N;
    const long long element = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
    Accumulator sum = 0;
#pragma unroll 8
    for (int part = threadIdx.y; part < share.parts; part += blockDim.y)
        if (element < size) sum += share.sums(part)[element];
    sums[threadIdx.y * blockDim.x + threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.y > 0 || element >= size) return;
    for (int y = 1; y < blockDim.y; y++) sum += sums[y * blockDim.x + threadIdx.x];
    const int m = element / product.N, n = element % product.N;
    product.destination.store(m, product.destination.column(n), sum);
}
