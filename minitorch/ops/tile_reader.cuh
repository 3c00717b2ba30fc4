/* From global to shared memory: part of tiled_product.cuh.

   Both operands are seen as so many rows of K words ("row" is a row of A, but a column of B). An operand says how its
   elements lie in memory (`ALONG_K`: neighbours along k are neighbours there, else neighbouring rows are) and how much
   of it a thread should read at once, a *unit* of UNIT_ROWS × UNIT_K words:

       operand            lanes of a warp lie      unit with tensor cores           unit without
       Matrix, ALONG_K    along k, then rows       16 bytes along k: one read       16 bytes along k: one read
       Matrix             along the rows           4 bytes along the rows,          16 bytes along the rows: one read
                                                   of the k of 4 words
       Gather, ALONG_K    along k, then rows       one word                         one number
       Gather             along the rows           4 words along k of a row         one number

   A thread meets the same rows in every step, so that what is to be known about a row is found once.

   In shared memory, a tile for tensor cores is row after row, TILE_K words each, because `load_blocks` wants 16 bytes
   of a row in one piece. Eight such pieces are read (or written) at a time, and that takes one turn if they lie in
   different banks: 8 rows at the same k must not be a multiple of 128 bytes apart. So the four-word pieces of a row
   are exchanged by an XOR with the row's number (a *swizzle*), here for TILE_K = 16, two rows to the 128 bytes of the
   banks:

       rows 0, 1    0 1 2 3   0 1 2 3        a column of the picture is a bank (of four words), a number the piece of
       rows 2, 3    1 0 3 2   1 0 3 2        its row: piece 0 of the rows 0 … 7 lies in 8 different columns, and so do
       rows 4, 5    2 3 0 1   2 3 0 1        the others; but a row also fills neighbouring columns, which is what the
       rows 6, 7    3 2 1 0   3 2 1 0        writes need

   Without tensor cores, a thread reads several rows at the same k: it lies k after k. */

#pragma once

#include "words.cuh"

constexpr int THREADS = LANES * WARP_ROWS * WARP_COLUMNS;
constexpr int PIECE = 16 / sizeof(Word);  // words that one access to shared memory moves

/* Where word (row, k) of an operand's tile lies in shared memory. */
template <int ROWS> __device__ inline int shared_place(int row, int k) {
#if TENSOR_CORES
    const unsigned swizzle = static_cast<unsigned>(row) * TILE_K / 32 % (TILE_K / 4);
    return row * TILE_K + static_cast<int>((static_cast<unsigned>(k) / 4 ^ swizzle) * 4) + k % 4;
#else
    return k * (ROWS + 4) + row;
#endif
}

template <int ROWS> __device__ constexpr int shared_words() { return TENSOR_CORES ? ROWS * TILE_K : TILE_K * (ROWS + 4); }

/* COUNT words that follow each other in shared memory, 16 bytes at a time where they are that many. */
template <int COUNT> __device__ inline void store_words(Word* to, const Word* from) {
    struct alignas(16) Piece {
        Word words[PIECE];
    };
    if (COUNT % PIECE == 0) {
#pragma unroll
        for (int i = 0; i < COUNT / PIECE; i++) {
            Piece piece;
#pragma unroll
            for (int w = 0; w < PIECE; w++) piece.words[w] = from[i * PIECE + w];
            reinterpret_cast<Piece*>(to)[i] = piece;
        }
    } else {
#pragma unroll
        for (int w = 0; w < COUNT; w++) to[w] = from[w];
    }
}

/* Which unit of a step a thread reads: in which turn, so many rows and numbers along k after its first unit; and where
   in the tile that first one lies. */
struct Unit {
    int turn, rows_on, first_row, ks_on, first_k;
};

/* A thread's share of reading the tiles of one operand, step after step. An operand has

       Row row(m)                              what is to be known about row m
       Cursor start(first, k)                  where a thread stands that reads from k on in the step that begins at first
       advance(cursor)                         a step further
       Table<ROWS>, fill(table, first_row)     what the threads know together (in shared memory), written once,
       prepare(table, cursor)                  and that of the next step, written a step ahead
       read(table, rows, cursor, unit, values) the numbers, or 0 for what is not inside

   `read` only asks for the numbers; it is `write` that waits for them, to round them (`to_word`) and put them into
   shared memory. Whatever the thread does between the two, it does while the numbers are on their way. */
template <int ROWS, class Operand> struct TileReader {
    static constexpr bool ALONG_K = Operand::ALONG_K;
    static constexpr int UNIT_ROWS = Operand::UNIT_ROWS, UNIT_K = Operand::UNIT_K;
    static constexpr int FAST_SIZE = ALONG_K ? TILE_K / UNIT_K : ROWS / UNIT_ROWS;  // units in the lanes' direction
    static constexpr int SLOW_SIZE = ALONG_K ? ROWS / UNIT_ROWS : TILE_K / UNIT_K;
    static constexpr int POWER_OF_TWO = FAST_SIZE & -FAST_SIZE;  // the largest that FAST_SIZE is a multiple of
    static constexpr int FAST = POWER_OF_TWO < LANES ? POWER_OF_TWO : LANES;
    static constexpr int SLOW = THREADS / FAST < SLOW_SIZE ? THREADS / FAST : SLOW_SIZE;
    static constexpr int FAST_TURNS = FAST_SIZE / FAST, SLOW_TURNS = SLOW_SIZE / SLOW;
    static constexpr int ROW_TURNS = ALONG_K ? SLOW_TURNS : FAST_TURNS, K_TURNS = ALONG_K ? FAST_TURNS : SLOW_TURNS;
    static constexpr int ROW_STEP = (ALONG_K ? SLOW : FAST) * UNIT_ROWS, K_STEP = (ALONG_K ? FAST : SLOW) * UNIT_K;
    static_assert(FAST_SIZE % FAST == 0 && SLOW_SIZE % SLOW == 0, "a tile is whole turns of units");

    typedef typename Operand::template Table<ROWS> Table;  // in shared memory: what the threads know together

    const Operand& operand;
    Table& table;
    const int row, k;  // of this thread's first word in the tile
    typename Operand::Row rows[ROW_TURNS];
    typename Operand::Cursor cursor;
    T values[K_TURNS][ROW_TURNS][UNIT_ROWS][UNIT_K * PACK];

    __device__ TileReader(const Operand& operand, Table& table, int first_row, int first_step)
        : operand(operand),
          table(table),
          row((ALONG_K ? threadIdx.x / FAST : threadIdx.x % FAST) * UNIT_ROWS),
          k((ALONG_K ? threadIdx.x % FAST : threadIdx.x / FAST) * UNIT_K) {
#pragma unroll
        for (int r = 0; r < ROW_TURNS; r++) rows[r] = operand.row(first_row + row + r * ROW_STEP);
        cursor = operand.start(first_step * TILE_K * PACK, k * PACK);
        operand.fill(table, first_row);
    }

    // Small tiles do not need every thread.
    __device__ bool is_busy() const { return THREADS / FAST == SLOW || threadIdx.x / FAST < SLOW; }

    /* What `table` must say about the next step. Between this and its `read` there is a barrier. */
    __device__ void prepare() { operand.prepare(table, cursor); }

    __device__ void read() {
        if (is_busy()) {
#pragma unroll
            for (int i = 0; i < K_TURNS; i++)
#pragma unroll
                for (int r = 0; r < ROW_TURNS; r++)
                    operand.read(table, rows, cursor, {r, r * ROW_STEP, row, i * K_STEP * PACK, k * PACK}, values[i][r]);
        }
        operand.advance(cursor);
    }

    __device__ void write(Word* shared) const {
        if (!is_busy()) return;
#pragma unroll
        for (int i = 0; i < K_TURNS; i++)
#pragma unroll
            for (int r = 0; r < ROW_TURNS; r++) write_unit(shared, r * ROW_STEP, k + i * K_STEP, values[i][r]);
    }

    /* A row that is a multiple of 8 further on lies at the same place of its line: found once for all. */
    __device__ int place(int rows_on, int k) const {
        return rows_on % 8 ? shared_place<ROWS>(row + rows_on, k)
                           : shared_place<ROWS>(row, k) + rows_on * (TENSOR_CORES ? TILE_K : 1);
    }

    __device__ void write_unit(Word* shared, int rows_on, int k, const T (&unit)[UNIT_ROWS][UNIT_K * PACK]) const {
        constexpr bool ROW_BY_ROW = TENSOR_CORES;
        constexpr int LINES = ROW_BY_ROW ? UNIT_ROWS : UNIT_K, LENGTH = ROW_BY_ROW ? UNIT_K : UNIT_ROWS;
#pragma unroll
        for (int line = 0; line < LINES; line++) {
            Word words[LENGTH];
#pragma unroll
            for (int w = 0; w < LENGTH; w++)
                words[w] = ROW_BY_ROW ? to_word(unit[line] + w * PACK) : to_word(unit[w] + line);
            store_words<LENGTH>(shared + place(rows_on + (ROW_BY_ROW ? line : 0), k + (ROW_BY_ROW ? 0 : line)), words);
        }
    }
};
