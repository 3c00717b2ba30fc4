/* C = A · B, tile by tile: the engine under matmul.cu and conv2d.cu.

   C has M rows and N columns, A is (M × K) and B is (K × N). Neither A nor B need exist in memory: an *operand* only
   has to say what its element at (row, k) is. For a matrix product it reads a matrix (matrix_operand.cuh). For a
   convolution it looks into the image at the place that im2col would have copied from, so that the columns are never
   written anywhere (gather.cuh).

   A block of threads computes one tile of C and walks along K, TILE_K words a step:

                             TILE_N
                           ┌────────┐
                    TILE_K │░░░░░░░░│ B: this step             each step
                           ├────────┤                          1. starts reading its part of A and of B from global
                           │        │ B: later steps              memory into registers,
            TILE_K         └────────┘                          2. multiplies the part read one step before, which
           ┌──┬───────┐    ┌────────┐                             lies in shared memory, while the reads are on
    TILE_M │░░│       │    │  tile  │                             their way,
           │░░│       │    │  of C  │                          3. converts what has come to words and writes it to the
           └──┴───────┘    └────────┘                             *other* half of the shared memory (double buffering:
                                                                  one barrier a step).

   The pipeline lives from what step 1 leaves out. A load only stalls the thread at the first instruction that needs its
   number; so the numbers stay as they are, in registers that nobody touches, until step 3 rounds them to TF32 (once for
   each number, not once for each use). What waits for the barrier or for memory all the same is hidden by a second
   block on the same multiprocessor: the tiles are small enough for BLOCKS of them.

   Each element of A is read once from memory and used TILE_N times, one of B TILE_M times: a tile of 128 × 128 does 64
   multiplications for each element read, and that is what turns a memory-bound loop into a compute-bound one. The same
   holds one level down, between shared memory and registers, for a warp's part of the tile, WARP_M × WARP_N.

   Who holds which elements of C. The warps lie in rows and columns over the tile, the 32 lanes in 8 rows of 4 over the
   warp's part, and each thread keeps ROWS_EACH × COLUMNS_EACH sums in registers, in groups of GROUP_M × GROUP_N:

        tile (128 × 128)                  part of a warp (64 × 32)
        ┌──────┬──────┬──────┬──────┐     ┌─ lane 0 ─┬─ lane 1 ─┬─ 2 ─┬─ 3 ─┬─ lane 0 again …
        │warp 0│  1   │  2   │  3   │     │ GROUP_M  │          │     │     │
        ├──────┼──────┼──────┼──────┤     │ ×GROUP_N │          │     │     │
        │warp 4│  5   │  6   │  7   │     ├─ lane 4 ─┼─ lane 5 ─┼─ 6 ─┼─ 7 ─┼─ lane 4 again …
        └──────┴──────┴──────┴──────┘     …

   Tensor cores multiply and add a block of C (16 × 8) at once; what A and B consist of for them, a *word*, is told in
   words.cuh. With groups of 1 × 2, the layout of C in the picture is the one that their instruction asks for.

   Settings (-D): ELEMENT the type in memory (float, double, half), TENSOR_CORES 0 or 1, and the tile: TILE_M, TILE_N,
   TILE_K (words), WARP_M, WARP_N, BLOCKS on a multiprocessor. See TILES in tiled_product.py. */

#pragma once

#include "kernels.cuh"
#include "words.cuh"

constexpr int WARP_COLUMNS = TILE_N / WARP_N, THREADS = TILE_M / WARP_M * WARP_COLUMNS * LANES;
constexpr int LANE_ROWS = 8, LANE_COLUMNS = 4, ROWS_EACH = WARP_M / LANE_ROWS, COLUMNS_EACH = WARP_N / LANE_COLUMNS;
constexpr int GROUP_M = TENSOR_CORES ? 1 : ROWS_EACH < 4 ? ROWS_EACH : 4;
constexpr int GROUP_N = TENSOR_CORES ? 2 : COLUMNS_EACH < 4 ? COLUMNS_EACH : 4;

__device__ inline int ceil_divide(int a, int b) { return (a + b - 1) / b; }

// ── from global to shared memory ─────────────────────────────────────────────────────────────────────────────────────

struct alignas(16) Quad {
    Word words[16 / sizeof(Word)];
};

/* Where word (row, k) of an operand's tile lies in shared memory. ("Row" is a row of A, but a column of B: both
   operands are seen as so many rows of K words.) Shared memory is 32 banks of 4 bytes, and serves a warp at once if its
   lanes meet different banks, or 8 lanes at once if each moves 16 bytes.

   For tensor cores a row lies in one piece, since they read 8 rows × 4 words. Those would all meet the same banks; so
   the quads of 4 words change places within each row, by a number that is another one for each of 8 rows (for each two
   of them, where a row is half of the banks):

        TILE_K = 16    row 0   0 1 2 3 │ row 1   0 1 2 3         a column of the picture: 4 banks. Quad 0 of rows 0 … 7
                       row 2   1 0 3 2 │ row 3   1 0 3 2         meets each of them once, and so do quads 0 … 3 of two
                       row 4   2 3 0 1 │ row 5   2 3 0 1         rows: writes along rows and along K are without
                       row 6   3 2 1 0 │ row 7   3 2 1 0         conflicts, too.

   Without tensor cores, threads read some neighbouring rows of one k. */
template <int ROWS> __device__ inline int shared_place(int row, int k) {
#if TENSOR_CORES
    constexpr int QUADS = TILE_K / 4;
    static_assert(QUADS == 4 || QUADS == 8, "other quads would need other places");
    return row * TILE_K + ((k / 4) ^ (row * QUADS / 8 % QUADS)) * 4 + k % 4;
#else
    return k * (ROWS + 4) + row;
#endif
}

/* The place that lies `rows` rows (some times 4) and `k` words behind another one, whose own k has none of the bits of
   `k`: adding is exchanging bits then, which quads that have changed places need. Both steps are known to the compiler,
   which is left with an instruction or none. */
template <int ROWS> __device__ inline int further_place(int place, int rows, int k) {
#if TENSOR_CORES
    return (place ^ shared_place<ROWS>(rows, k) % TILE_K) + rows * TILE_K;
#else
    return place + shared_place<ROWS>(rows, k);
#endif
}

template <int ROWS> __device__ constexpr int shared_words() {
    return TENSOR_CORES ? ROWS * TILE_K : TILE_K * (ROWS + 4);
}

/* A thread's share of an operand's tiles: units of UNIT_ROWS × UNIT_K words (one of the two is 1), the same ones in every
   step. Neighbouring threads have neighbouring units: along K if the operand is contiguous that way, else along the
   rows. An operand's reader fills `values`, with numbers as they are in memory, and `write` takes them on. */
template <int ROWS, bool ALONG_K, int UNIT_ROWS, int UNIT_K> struct TileShare {
    static constexpr int ROW_UNITS = ROWS / UNIT_ROWS, K_UNITS = TILE_K / UNIT_K;
    static constexpr int FAST_UNITS = ALONG_K ? K_UNITS : ROW_UNITS, SLOW_UNITS = ALONG_K ? ROW_UNITS : K_UNITS;
    static constexpr int FAST = FAST_UNITS < THREADS ? FAST_UNITS : THREADS;
    static constexpr int SLOW = THREADS / FAST < SLOW_UNITS ? THREADS / FAST : SLOW_UNITS;
    static constexpr int ROW_TURNS = ROW_UNITS / (ALONG_K ? SLOW : FAST), ROW_STEP = ROWS / ROW_TURNS;
    static constexpr int K_TURNS = K_UNITS / (ALONG_K ? FAST : SLOW), K_STEP = TILE_K / K_TURNS;
    static constexpr int WORDS = UNIT_ROWS * UNIT_K;
    static constexpr int IN_PIECE = WORDS > 1 && (UNIT_K > 1) == TENSOR_CORES ? sizeof(Quad) / sizeof(Word) : 1;

    const int row, k, place;  // of this thread's first word in the tile
    T values[K_TURNS][ROW_TURNS][WORDS * PACK];

    __device__ TileShare()
        : row((ALONG_K ? threadIdx.x / FAST : threadIdx.x % FAST) * UNIT_ROWS),
          k((ALONG_K ? threadIdx.x % FAST : threadIdx.x / FAST) * UNIT_K),
          place(kept(shared_place<ROWS>(row, k))) {}

    /* Small tiles do not need every thread. */
    __device__ static bool is_busy() { return FAST * SLOW == THREADS || threadIdx.x < FAST * SLOW; }

    __device__ void write(Word* tile) const {
        if (!is_busy()) return;
#pragma unroll
        for (int i = 0; i < K_TURNS; i++)
#pragma unroll
            for (int r = 0; r < ROW_TURNS; r++)
#pragma unroll
                for (int w = 0; w < WORDS; w += IN_PIECE) {
                    const int rows = r * ROW_STEP + (UNIT_ROWS > 1 ? w : 0), ks = i * K_STEP + (UNIT_K > 1 ? w : 0);
                    write_words(values[i][r] + w * PACK, tile + further_place<ROWS>(place, rows, ks));
                }
    }

    __device__ static void write_words(const T* values, Word* place) {
        if (IN_PIECE == 1) {
            *place = to_word(values);
        } else {
            Quad quad;
#pragma unroll
            for (int w = 0; w < IN_PIECE; w++) quad.words[w] = to_word(values + w * PACK);
            *reinterpret_cast<Quad*>(place) = quad;
        }
    }
};

// ── the sums of a thread ─────────────────────────────────────────────────────────────────────────────────────────────

struct Sums {
    Accumulator sums[ROWS_EACH][COLUMNS_EACH];
    const int place_of_a, place_of_b;  // from where in the tiles this thread reads, or helps its warp to

    __device__ Sums()
#if TENSOR_CORES
        : place_of_a(kept(shared_place<TILE_M>(warp_row() + lane() % 16, lane() / 16 * 4))),
          place_of_b(kept(shared_place<TILE_N>(warp_column() + lane() / 16 * 8 + lane() % 8, lane() / 8 % 2 * 4))) {
#else
        : place_of_a(shared_place<TILE_M>(row(0), 0)), place_of_b(shared_place<TILE_N>(column(0), 0)) {
#endif
        for (int i = 0; i < ROWS_EACH; i++)
            for (int j = 0; j < COLUMNS_EACH; j++) sums[i][j] = 0;
    }

    /* The first row and column of this thread's warp, and where in the tile sums[i][j] belongs. */
    __device__ static int lane() { return threadIdx.x % LANES; }
    __device__ static int warp_row() { return threadIdx.x / LANES / WARP_COLUMNS * WARP_M; }
    __device__ static int warp_column() { return threadIdx.x / LANES % WARP_COLUMNS * WARP_N; }
    __device__ static int row(int i) { return warp_row() + lane() / LANE_COLUMNS * GROUP_M + row_step(i); }
    __device__ static int column(int j) { return warp_column() + lane() % LANE_COLUMNS * GROUP_N + column_step(j); }
    __device__ static int row_step(int i) { return i / GROUP_M * (LANE_ROWS * GROUP_M) + i % GROUP_M; }
    __device__ static int column_step(int j) { return j / GROUP_N * (LANE_COLUMNS * GROUP_N) + j % GROUP_N; }

    /* Add one step's products. */
    __device__ void add_products(const Word* tile_a, const Word* tile_b) {
#if !TENSOR_CORES
#pragma unroll
        for (int k = 0; k < TILE_K; k++) {
            Word a[ROWS_EACH], b[COLUMNS_EACH];
            for (int i = 0; i < ROWS_EACH; i++) a[i] = tile_a[further_place<TILE_M>(place_of_a, row_step(i), k)];
            for (int j = 0; j < COLUMNS_EACH; j++) b[j] = tile_b[further_place<TILE_N>(place_of_b, column_step(j), k)];
            for (int i = 0; i < ROWS_EACH; i++)
                for (int j = 0; j < COLUMNS_EACH; j++) sums[i][j] += a[i] * b[j];
        }
#else
        constexpr int BLOCKS_DOWN = WARP_M / 16, PAIRS_ACROSS = WARP_N / 16;  // a load brings two blocks of B
#pragma unroll
        for (int k = 0; k < TILE_K; k += 8) {
            Word a[BLOCKS_DOWN][4], b[PAIRS_ACROSS][4];
            for (int i = 0; i < BLOCKS_DOWN; i++) load_blocks(tile_a, further_place<TILE_M>(place_of_a, 16 * i, k), a[i]);
            for (int j = 0; j < PAIRS_ACROSS; j++)
                load_blocks(tile_b, further_place<TILE_N>(place_of_b, 16 * j, k), b[j]);
            for (int i = 0; i < BLOCKS_DOWN; i++)
                for (int j = 0; j < 2 * PAIRS_ACROSS; j++)
                    multiply_accumulate(&sums[2 * i][2 * j], &sums[2 * i + 1][2 * j], a[i], b[j / 2] + j % 2 * 2);
        }
#endif
    }

    /* Give every sum that lies in C to `destination`. What is to be known of a column is found by one thread, which tells
       the others through `shared`. */
    template <class Destination>
    __device__ void hand_out(Destination destination, void* shared, int tile_row, int tile_column, int M, int N) const {
        auto* const columns = static_cast<decltype(destination.column(0))*>(shared);
        for (int n = threadIdx.x; n < TILE_N; n += THREADS) columns[n] = destination.column(tile_column + n);
        __syncthreads();
#pragma unroll
        for (int i = 0; i < ROWS_EACH; i++) {
            if (tile_row + row(i) >= M) continue;
            const auto place_of_row = destination.row(tile_row + row(i));
#pragma unroll
            for (int j = 0; j < COLUMNS_EACH; j++)
                if (tile_column + column(j) < N) destination.store(place_of_row, columns[column(j)], sums[i][j]);
        }
    }
};

// ── a tile of the product ────────────────────────────────────────────────────────────────────────────────────────────

/* A (M × K) · B (K × N), and the `destination` that takes each element:
   `destination.store(destination.row(m), destination.column(n), sum)`. */
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
    __device__ Accumulator* row(int m) const { return sums + static_cast<long long>(m) * N; }
    __device__ int column(int n) const { return n; }
    __device__ void store(Accumulator* row, int n, Accumulator sum) const { row[n] = sum; }
};

/* This block's tile of the product, or its share of it. */
template <class A, class B, class Destination>
__device__ void multiply_tile(const Product<A, B, Destination>& product, const Share& share) {
    typedef typename A::template Reader<TILE_M> ReaderA;
    typedef typename B::template Reader<TILE_N> ReaderB;
    constexpr int WORDS_OF_A = shared_words<TILE_M>(), WORDS_OF_STEP = WORDS_OF_A + shared_words<TILE_N>();
    SHARED_MEMORY(Word, tiles);  // A and B of one step, A and B of the next
    __shared__ typename ReaderA::Table table_a;
    __shared__ typename ReaderB::Table table_b;
    const int M = product.M, N = product.N;
    const int tiles_down = ceil_divide(M, TILE_M);
    const int tile_row = blockIdx.x % tiles_down * TILE_M, tile_column = blockIdx.x / tiles_down * TILE_N;
    if (tile_column >= N) return;  // the grid is large enough for the largest of several products

    const int steps = ceil_divide(product.K, TILE_K * PACK);
    int step = static_cast<long long>(steps) * share.part / share.parts;
    const int end = static_cast<long long>(steps) * (share.part + 1) / share.parts;
    ReaderA reader_a(product.a, tile_row, step, table_a);
    ReaderB reader_b(product.b, tile_column, step, table_b);
    Sums sums;
    __syncthreads();  // the tables are filled
    if (step < end) {
        reader_a.read();
        reader_b.read();
        reader_a.write(tiles);
        reader_b.write(tiles + WORDS_OF_A);
    }
    __syncthreads();
    Word *now = tiles, *next = tiles + WORDS_OF_STEP;
    for (; step < end; step++) {
        const bool has_next = step + 1 < end;
        if (has_next) {
            reader_a.read();
            reader_b.read();
        }
        sums.add_products(now, now + WORDS_OF_A);
        if (has_next) {
            reader_a.write(next);
            reader_b.write(next + WORDS_OF_A);
        }
        Word* const done = now;
        now = next, next = done;
        __syncthreads();
    }
    if (share.parts == 1)
        sums.hand_out(product.destination, tiles, tile_row, tile_column, M, N);
    else
        sums.hand_out(PartialSums{share.sums(share.part), N}, tiles, tile_row, tile_column, M, N);
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
    // A division of 32 bits, unless the element's number has more, takes a tenth of the time.
    const int m = element >> 31 ? element / product.N : static_cast<int>(element) / product.N;
    const int n = element - static_cast<long long>(m) * product.N;
    product.destination.store(product.destination.row(m), product.destination.column(n), sum);
}
