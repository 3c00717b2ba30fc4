/* Operands of a product that are looked up in an image: part of conv2d.cu, which tells what for.

   A number is written in three digits, like the hours, minutes and seconds of a time:

       number = (outer · middles + middle) · inners + inner

   and the digits step through an image: `outer` picks an image or a channel, `middle` steps along the rows, `inner` along
   the columns. That is a *lattice*. An element of the operand is found at the sum of two positions, one on a lattice of
   its row, one on a lattice of its k; what falls outside of the image is 0. */

#pragma once

#include "matrix_operand.cuh"

/* A plane of `rows` × `columns` elements; the first element of image 0, channel 0 is at `data`. */
struct Planes {
    T* data;
    int rows, columns, row_stride, column_stride;
};

// One comparison sees both ends of a range, since a negative number is a large one without its sign.
__device__ inline bool is_inside(int row, int column, const Planes& planes) {
    return (static_cast<unsigned>(row) < static_cast<unsigned>(planes.rows)) &
           (static_cast<unsigned>(column) < static_cast<unsigned>(planes.columns));
}

/* `data` is added to the offset last: left to itself, the compiler takes `data` apart and adds its parts each time. */
__device__ inline T read_at(const Planes& planes, int offset) {
    const T* data = planes.data;
#ifndef CUDA_EMULATOR
    asm("" : "+l"(data));
#endif
    return __ldg(data + offset);
}

struct alignas(16) Position {  // 16 bytes, which are read at once
    int offset, row, column;
};

__device__ inline Position operator+(const Position& a, const Position& b) {
    return {a.offset + b.offset, a.row + b.row, a.column + b.column};
}
__device__ inline Position operator+(const Position& a, int offset) { return {a.offset + offset, a.row, a.column}; }

constexpr int FAR = -(1 << 30);  // the row of what lies outside of everything: no other row brings it back inside

struct Digits {
    int outer, middle, inner;
};

struct Lattice {
    int outers, middles, inners;  // how many values each digit has
    int outer_stride;             // in memory
    int first_row, row_step, first_column, column_step;

    __device__ Digits digits(int number) const {
        return {number / inners / middles, number / inners % middles, number % inners};
    }

    __device__ void add(Digits& digits, const Digits& step) const {
        digits.inner += step.inner;
        int carry = digits.inner >= inners;
        digits.inner -= carry ? inners : 0;
        digits.middle += step.middle + carry;
        carry = digits.middle >= middles;
        digits.middle -= carry ? middles : 0;
        digits.outer += step.outer + carry;
    }

    __device__ Position at(const Digits& digits, const Planes& planes) const {
        const int row = first_row + digits.middle * row_step, column = first_column + digits.inner * column_step;
        const int offset = digits.outer * outer_stride + row * planes.row_stride + column * planes.column_stride;
        return {offset, digits.outer < outers ? row : FAR, column};
    }

    typedef Position Place;
    __device__ Position at(int number, const Planes& planes) const { return at(digits(number), planes); }

    template <int COUNT> struct Table {
        Position positions[COUNT];
    };
    template <int COUNT> __device__ void fill(Table<COUNT>& table, int first, const Planes& planes) const {
        for (int i = threadIdx.x; i < COUNT; i += THREADS) table.positions[i] = at(first + i, planes);
    }
    template <int COUNT> __device__ Position look_up(const Table<COUNT>& table, int place, int) const {
        return table.positions[place];
    }
};

/* A lattice of one digit, the channels of an image: they differ in their offset alone. One too many is as good as the
   last, since the sums of rows outside of the product are not kept. */
struct Channels {
    int count, stride;

    typedef int Place;
    __device__ int at(int number, const Planes&) const { return (number < count ? number : count - 1) * stride; }

    template <int> struct Table {};
    template <int COUNT> __device__ void fill(Table<COUNT>&, int, const Planes&) const {}
    template <int COUNT> __device__ int look_up(const Table<COUNT>&, int, int number) const { return at(number, {}); }
};

/* The operand whose element (row, k) is the element of `planes` at rows[row] + ks[k], or 0 if that lies outside.

   Not ALONG_K: the lanes of a warp are neighbouring rows (places of an image), and all at the same k. A thread keeps the
   positions of its rows. Those of the step's k are the same for all threads: TILE_K · PACK of them find one each, a step
   ahead, and leave it in a table in shared memory. */
template <bool ALONG_K_, class Rows> struct Gather {
    static constexpr bool ALONG_K = false;
    static constexpr int UNIT_ROWS = 1, UNIT_K = TENSOR_CORES ? 4 : 1, NUMBERS = TILE_K * PACK;  // of a step
    Planes planes;
    Rows rows;
    Lattice ks;

    typedef typename Rows::Place Row;
    struct Cursor {
        Digits digits, step;  // of the k whose position this thread finds
        int turn;             // the half of the table
    };
    template <int> struct Table {
        Position ks[2][NUMBERS];
    };

    __device__ Row row(int row) const { return rows.at(row, planes); }
    __device__ Cursor start(int first, int) const {
        return {ks.digits(first + static_cast<int>(threadIdx.x)), ks.digits(NUMBERS), 0};
    }
    __device__ void advance(Cursor& cursor) const { cursor.turn ^= 1; }
    template <class Table> __device__ void fill(Table&, int) const {}
    template <class Table> __device__ void prepare(Table& table, Cursor& cursor) const {
        static_assert(NUMBERS <= THREADS, "a thread for each k of a step");
        if (threadIdx.x >= NUMBERS) return;
        table.ks[cursor.turn][threadIdx.x] = ks.at(cursor.digits, planes);
        ks.add(cursor.digits, cursor.step);
    }

    template <class Table, int COUNT>
    __device__ void read(const Table& table, const Row (&all_rows)[COUNT], const Cursor& cursor, const Unit& unit,
                         T (&values)[1][UNIT_K * PACK]) const {
#pragma unroll
        for (int i = 0; i < UNIT_K * PACK; i++) {
            const Position at = table.ks[cursor.turn][unit.first_k + unit.ks_on + i] + all_rows[unit.turn];
            values[0][i] = is_inside(at.row, at.column, planes) ? read_at(planes, at.offset) : T(0);
        }
    }
};

/* ALONG_K: the lanes are neighbouring k (places again), and each thread keeps the position of its own. It meets many
   rows: their positions are in the table, found once. (Channels are found as quickly as looked up.) */
template <class Rows> struct Gather<true, Rows> {
    static constexpr bool ALONG_K = true;
    static constexpr int UNIT_ROWS = 1, UNIT_K = 1;
    Planes planes;
    Rows rows;
    Lattice ks;

    typedef int Row;
    struct Cursor {
        Digits digits, step;
        Position at[PACK];
    };
    template <int ROWS> using Table = typename Rows::template Table<ROWS>;

    __device__ Row row(int row) const { return row; }
    __device__ Cursor start(int first, int k) const {
        Cursor cursor = {ks.digits(first + k), ks.digits(TILE_K * PACK), {}};
        find(cursor);
        return cursor;
    }
    __device__ void advance(Cursor& cursor) const {
        ks.add(cursor.digits, cursor.step);
        find(cursor);
    }
    __device__ void find(Cursor& cursor) const {
        Digits digits = cursor.digits;
#pragma unroll
        for (int p = 0; p < PACK; p++) {
            cursor.at[p] = ks.at(digits, planes);
            ks.add(digits, {0, 0, 1});
        }
    }
    template <class Table> __device__ void fill(Table& table, int first_row) const {
        rows.fill(table, first_row, planes);
    }
    template <class Table> __device__ void prepare(Table&, Cursor&) const {}

    template <class Table, int COUNT>
    __device__ void read(const Table& table, const Row (&all_rows)[COUNT], const Cursor& cursor, const Unit& unit,
                         T (&values)[1][PACK]) const {
        const auto place = rows.look_up(table, unit.first_row + unit.rows_on, all_rows[unit.turn]);
#pragma unroll
        for (int p = 0; p < PACK; p++) {
            const Position at = cursor.at[p] + place;
            values[0][p] = is_inside(at.row, at.column, planes) ? read_at(planes, at.offset) : T(0);
        }
    }
};

/* Takes the sums (channel m, place n) to an image, with the bias added. */
struct ToImage {
    Planes planes;
    Lattice places;
    int channel_stride;
    const T* bias;  // or null

    __device__ int column(int n) const { return places.at(n, planes).offset; }

    /* Where places 2i and 2i + 1 are neighbours in memory. */
    __device__ bool takes_pairs() const {
        const int strides = planes.row_stride | places.outer_stride | channel_stride;
        return planes.column_stride == 1 && places.column_step == 1 && places.first_column % 2 == 0 &&
               places.inners % 2 == 0 && strides % 2 == 0 && is_at_pair(planes.data);
    }

    __device__ Accumulator with_bias(int m, Accumulator sum) const {
        return bias ? sum + static_cast<Accumulator>(__ldg(bias + m)) : sum;  // a load that stores do not hold up
    }
    __device__ void store(int m, int place, Accumulator sum) const {
        planes.data[place + m * channel_stride] = static_cast<T>(with_bias(m, sum));
    }
    __device__ void store(int m, int place, Accumulator first, Accumulator second) const {
        store_pair(planes.data + place + m * channel_stride, with_bias(m, first), with_bias(m, second));
    }
};
