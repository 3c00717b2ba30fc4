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

struct alignas(16) Position {  // which one instruction reads
    int offset, row, column;
};

/* A position that a thread keeps, with its place in memory instead of an offset. */
struct Anchor {
    const T* start;
    int row, column;
};

__device__ inline Anchor anchor(const Position& position, const Planes& planes) {
    return {kept(planes.data + position.offset), position.row, position.column};
}

/* The element at the sum of two positions, the second of which may be a mere offset. */
__device__ inline T element(const Anchor& at, const Position& further, const Planes& planes) {
    return is_inside(at.row + further.row, at.column + further.column, planes) ? at.start[further.offset] : T(0);
}
__device__ inline T element(const Anchor& at, int offset, const Planes& planes) {
    offset = kept(offset);  // looked up in any case, without asking first whether it will be needed
    return is_inside(at.row, at.column, planes) ? at.start[offset] : T(0);
}

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
};

/* A lattice of one digit, the channels of an image: they differ in their offset alone. One too many is as good as the
   last, since the sums of rows outside of the product are not kept. */
struct Channels {
    int count, stride;

    typedef int Place;
    __device__ int at(int number, const Planes&) const { return (number < count ? number : count - 1) * stride; }
};

/* The operand whose element (row, k) is the element of `planes` at rows[row] + ks[k], or 0 if that lies outside.

   Either a thread always has the same k of a tile, or it always has the same rows (see TileShare). What is to be known of
   those it keeps in registers; what of the other side, it looks up in a table in shared memory, where all threads do. */
template <bool ALONG_K, class Rows> struct Gather {
    Planes planes;
    Rows rows;
    Lattice ks;

    typedef typename Rows::Place Place;
    static constexpr int UNIT_K = TENSOR_CORES && !ALONG_K ? 4 : 1;

    template <int ROWS, bool = ALONG_K> struct Reader;
};

/* A thread with a k of its own: the digits of that count up, and what belongs to a row is looked up. */
template <bool ALONG_K, class Rows>
template <int ROWS>
struct Gather<ALONG_K, Rows>::Reader<ROWS, true> : TileShare<ROWS, true, 1, 1> {
    typedef TileShare<ROWS, true, 1, 1> Share;
    struct Table {
        Place rows[ROWS];
    };

    const Gather& operand;
    const Table& table;
    Digits next, step;

    __device__ Reader(const Gather& operand, int first_row, int first_step, Table& table)
        : operand(operand),
          table(table),
          next(operand.ks.digits((first_step * TILE_K + Share::k) * PACK)),
          step(operand.ks.digits(TILE_K * PACK)) {
        for (int r = threadIdx.x; r < ROWS; r += THREADS) table.rows[r] = operand.rows.at(first_row + r, operand.planes);
    }

    __device__ void read() {
        static_assert(Share::K_TURNS == 1, "there are more threads than words along K");
        if (!Share::is_busy()) return;
        Digits digits = next;
#pragma unroll
        for (int p = 0; p < PACK; p++) {
            const Anchor k = anchor(operand.ks.at(digits, operand.planes), operand.planes);
#pragma unroll
            for (int r = 0; r < Share::ROW_TURNS; r++)
                Share::values[0][r][p] = element(k, table.rows[Share::row + r * Share::ROW_STEP], operand.planes);
            operand.ks.add(digits, {0, 0, 1});
        }
        operand.ks.add(next, step);
    }
};

/* How a thread finds out whether the sum of two positions lies inside, for many taps (ks) and one window (row).

   In general it adds the positions and looks. But if there are few taps, a bit for each row and each column of the kernel
   says once and for all which of them lie outside of the image for this window; then one instruction tells. */
#if MASKS  // at most 16 rows and 15 columns
struct Window {
    const T* start;
    unsigned outside;  // bits 0 … 15: rows of the kernel; 16 … 30: columns; 31: what follows the last tap
};

struct alignas(8) Tap {
    int offset;
    unsigned bits;  // of its row and its column
};

__device__ inline Window window(const Position& position, const Lattice& taps, const Planes& planes) {
    const Planes columns = {nullptr, 1, planes.columns}, rows = {nullptr, planes.rows, 1};
    unsigned outside = 1u << 31;
    for (int u = 0; u < taps.middles; u++)
        if (!is_inside(position.row + taps.first_row + u * taps.row_step, 0, rows)) outside |= 1u << u;
    for (int v = 0; v < taps.inners; v++)
        if (!is_inside(0, position.column + taps.first_column + v * taps.column_step, columns)) outside |= 1u << (16 + v);
    return {kept(planes.data + position.offset), outside};
}

__device__ inline Tap tap(const Digits& digits, const Lattice& taps, const Planes& planes) {
    const unsigned bits = digits.outer < taps.outers ? 1u << digits.middle | 1u << (16 + digits.inner) : 1u << 31;
    return {taps.at(digits, planes).offset, bits};
}

__device__ inline T element(const Window& window, const Tap& tap, const Planes&) {
    return window.outside & tap.bits ? T(0) : window.start[tap.offset];
}
#else
typedef Anchor Window;
typedef Position Tap;

__device__ inline Window window(const Position& position, const Lattice&, const Planes& planes) {
    return anchor(position, planes);
}
__device__ inline Tap tap(const Digits& digits, const Lattice& taps, const Planes& planes) {
    return taps.at(digits, planes);
}
#endif

/* A thread with rows of its own, which looks up the ks of the next step. Some threads, one for each k, count their digits
   up in the meantime, and write what the step after that will look up. */
template <bool ALONG_K, class Rows>
template <int ROWS>
struct Gather<ALONG_K, Rows>::Reader<ROWS, false> : TileShare<ROWS, false, 1, Gather<ALONG_K, Rows>::UNIT_K> {
    typedef TileShare<ROWS, false, 1, Gather<ALONG_K, Rows>::UNIT_K> Share;
    struct Table {
        Tap ks[2][TILE_K * PACK];
    };

    const Gather& operand;
    Table& table;
    Window rows[Share::ROW_TURNS];
    Digits next, step;
    int now;

    __device__ Reader(const Gather& operand, int first_row, int first_step, Table& table)
        : operand(operand),
          table(table),
          next(operand.ks.digits(first_step * TILE_K * PACK + threadIdx.x)),
          step(operand.ks.digits(TILE_K * PACK)),
          now(0) {
        for (int r = 0; r < Share::ROW_TURNS; r++) {
            const Position position = operand.rows.at(first_row + Share::row + r * Share::ROW_STEP, operand.planes);
            rows[r] = window(position, operand.ks, operand.planes);
        }
        fill(0);
    }

    __device__ void fill(int half) {
        if (threadIdx.x >= TILE_K * PACK) return;
        table.ks[half][threadIdx.x] = tap(next, operand.ks, operand.planes);
        operand.ks.add(next, step);
    }

    __device__ void read() {
        if (Share::is_busy()) read_units();
        now ^= 1;
        fill(now);
    }

    __device__ void read_units() {
#pragma unroll
        for (int i = 0; i < Share::K_TURNS; i++)
#pragma unroll
            for (int w = 0; w < UNIT_K * PACK; w++) {
                const Tap k = table.ks[now][(Share::k + i * Share::K_STEP) * PACK + w];
#pragma unroll
                for (int r = 0; r < Share::ROW_TURNS; r++) Share::values[i][r][w] = element(rows[r], k, operand.planes);
            }
    }
};

/* Takes the sums (channel m, place n) to an image, with the bias added. */
struct ToImage {
    Planes planes;
    Lattice places;
    int channel_stride;
    const T* bias;  // or null

    struct Row {
        T* start;
        Accumulator bias;
    };

    __device__ Row row(int m) const {
        return {planes.data + m * channel_stride, bias ? static_cast<Accumulator>(bias[m]) : 0};
    }
    __device__ int column(int n) const { return places.at(n, planes).offset; }
    __device__ void store(const Row& row, int place, Accumulator sum) const {
        row.start[place] = static_cast<T>(sum + row.bias);
    }
};
