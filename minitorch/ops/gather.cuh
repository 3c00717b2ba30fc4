/* Operands of a product that are looked up in an image: part of conv2d.cu, which tells what for.

   A number is written in three digits, like the hours, minutes and seconds of a time:

       number = (outer · middles + middle) · inners + inner

   and the digits step through an image: `outer` picks an image or a channel, `middle` steps along the rows, `inner` along
   the columns. That is a *lattice*. An element of the operand is found at the sum of two positions, one on a lattice of
   its row, one on a lattice of its k; what falls outside of the image is 0. */

#pragma once

#include "tiled_product.cuh"

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

struct Position {
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
};

/* A lattice of one digit, the channels of an image: they differ in their offset alone. One too many is as good as the
   last, since the sums of rows outside of the product are not kept. */
struct Channels {
    int count, stride;

    typedef int Place;
    __device__ int at(int number, const Planes&) const { return (number < count ? number : count - 1) * stride; }
};

/* The operand whose element (row, k) is the element of `planes` at rows[row] + ks[k], or 0 if that lies outside. */
template <bool ALONG_K_, class Rows> struct Gather {
    static constexpr bool ALONG_K = ALONG_K_;
    static constexpr int WORDS = 1;
    Planes planes;
    Rows rows;
    Lattice ks;

    typedef typename Rows::Place Row;
    struct Cursor {
        Digits digits, step;
    };

    __device__ Row row(int row) const { return rows.at(row, planes); }
    __device__ Cursor start(int k, int step) const { return {ks.digits(k), ks.digits(step)}; }
    __device__ void advance(Cursor& cursor) const { ks.add(cursor.digits, cursor.step); }

    __device__ void read(const Row& row, const Cursor& cursor, T (&values)[PACK]) const {
        Digits digits = cursor.digits;
        for (int p = 0; p < PACK; p++) {
            const Position at = ks.at(digits, planes) + row;
            values[p] = is_inside(at.row, at.column, planes) ? planes.data[at.offset] : T(0);
            ks.add(digits, {0, 0, 1});
        }
    }
};

/* Takes the sums (channel m, place n) to an image, with the bias added. */
struct ToImage {
    Planes planes;
    Lattice places;
    int channel_stride;
    const T* bias;  // or null

    __device__ int column(int n) const {
        return places.at(n, planes).offset;
    }
    __device__ void store(int m, int place, Accumulator sum) const {
        if (bias) sum += static_cast<Accumulator>(bias[m]);
        planes.data[place + m * channel_stride] = static_cast<T>(sum);
    }
};
