/* Layer and group normalisation of rows that fit into the registers of the threads that share one (see lines.cuh).

       y = (x − mean) · scale · weight[p] + bias[p]                        with scale = 1 / √(variance + ε)
       grad_input = scale · (h − Σ h / M − x̂ · Σ h·x̂ / M)                  with h = g · weight[p]

   M is the length of a row. A parameter belongs to element k of row r:

     PER_ELEMENT = 1   p = k                                               layer normalisation
     PER_ELEMENT = 0   p = r % groups · per_group + k / places             group normalisation: a row is a group of
                                                                           channels, each of which has some places

   Elements moved are 2 forward and 3 backward, where normalization.cu, for rows of any length, moves 3 and 7.

   With SUMS, `backward` finds grad_weight = Σ g·x̂ and grad_bias = Σ g on the way: a team works on rows one after the
   other, and each thread adds up its own columns in registers. Every team leaves its sums in a row of `partial`.

   Settings: those of lines.cuh, PARAMETER, the type of weight and bias, PER_ELEMENT and SUMS.

   Compiled with: ELEMENT=float INDEX=int TEAM=32 BLOCK=128 HELD=32 PARAMETER=float PER_ELEMENT=1 SUMS=0
   Compiled with: ELEMENT=half INDEX="long long" TEAM=128 BLOCK=128 HELD=8 PARAMETER=float PER_ELEMENT=1 SUMS=1
   Compiled with: ELEMENT=double INDEX=int TEAM=1024 BLOCK=1024 HELD=8 PARAMETER=double PER_ELEMENT=0 SUMS=0 */

#include "lines.cuh"

typedef PARAMETER Parameter;

struct Grouping {
    Index groups, per_group, places;

    __device__ Index parameter(Index row, Index k) const {
        return PER_ELEMENT ? k : row % groups * per_group + k / places;
    }
};

template <int COUNT> struct alignas(COUNT * sizeof(Parameter) < 16 ? COUNT * sizeof(Parameter) : 16) ParameterVector {
    Parameter value[COUNT];
};

/* The parameters of COUNT neighbouring elements from k on; `otherwise` if there are none. */
template <int COUNT>
__device__ inline void read_parameters(Wide* values, const Parameter* from, const Grouping& of, Index row, Index k,
                                       Wide otherwise) {
    if (PER_ELEMENT && COUNT > 1 && from) {
        const auto vector = *reinterpret_cast<const ParameterVector<COUNT>*>(from + k);
#pragma unroll
        for (int e = 0; e < COUNT; ++e) values[e] = vector.value[e];
        return;
    }
#pragma unroll
    for (int e = 0; e < COUNT; ++e) values[e] = from ? (Wide)from[of.parameter(row, k + e)] : otherwise;
}

template <int COUNT>
__device__ void forward_row(const T* input, T* output, const Parameter* weight, const Parameter* bias, Wide* mean,
                            Wide* scale, Wide eps, const Line& line, const Grouping& of) {
    Wide x[HELD], centre, squares;
    read_held<COUNT>(x, input, line, 0);
    centre_held<COUNT>(x, line, centre, squares);
    const Wide factor = 1 / sqrt(squares / line.length + eps);
#pragma unroll
    for (int j = 0; j < HELD; j += COUNT) {
        const Index k = held_place<COUNT>(line, j);
        if (k >= line.length) continue;
        Wide w[COUNT], b[COUNT];
        read_parameters<COUNT>(w, weight, of, line.number, k, 1);
        read_parameters<COUNT>(b, bias, of, line.number, k, 0);
#pragma unroll
        for (int e = 0; e < COUNT; ++e) x[j + e] = x[j + e] * factor * w[e] + b[e];
    }
    write_held<COUNT>(output, x, line);
    if (!line.writes()) return;
    mean[line.number] = centre;
    scale[line.number] = factor;
}

extern "C" __global__ void __launch_bounds__(BLOCK, resident(PER_ELEMENT ? 1 : 2))
    forward(const T* input, T* output, const Parameter* weight, const Parameter* bias, Wide* mean, Wide* scale,
            double eps, long long groups, long long per_group, long long places, long long rows, long long length,
            long long inner) {
    const Line line(rows, length, inner);
    const Grouping of = {(Index)groups, (Index)per_group, (Index)places};
    if (line.has_vectors(input, output) && is_aligned(weight) && is_aligned(bias))
        forward_row<LINE_WIDTH>(input, output, weight, bias, mean, scale, (Wide)eps, line, of);
    else
        forward_row<1>(input, output, weight, bias, mean, scale, (Wide)eps, line, of);
}

/* Σ g·x̂ and Σ g of a thread's columns. */
struct Columns {
    Wide weight[HELD], bias[HELD];

    template <int COUNT> __device__ void write(Wide* partial, const Line& line, Index team) const {
        Wide* const row = partial + (long long)team * 2 * line.length;
#pragma unroll
        for (int j = 0; j < HELD; ++j) {
            const Index k = held_place<COUNT>(line, j);
            if (k >= line.length) continue;
            row[k] = weight[j];
            row[line.length + k] = bias[j];
        }
    }
};

template <int COUNT>
__device__ void backward_row(const T* grad_output, const T* input, T* grad_input, const Parameter* weight,
                             const Wide* mean, const Wide* scale, const Line& line, const Grouping& of,
                             Columns& columns) {
    Wide g[HELD], unit[HELD];
    read_held<COUNT>(g, grad_output, line, 0);
    read_held<COUNT>(unit, input, line, 0);
    const Wide centre = mean[line.number], factor = scale[line.number];
    Sums<2> sums = {0, 0};
#pragma unroll
    for (int j = 0; j < HELD; j += COUNT) {
        const Index k = held_place<COUNT>(line, j);
        if (k >= line.length) continue;
        Wide w[COUNT];
        read_parameters<COUNT>(w, weight, of, line.number, k, 1);
#pragma unroll
        for (int e = 0; e < COUNT; ++e) {
            unit[j + e] = (unit[j + e] - centre) * factor;
            if (SUMS && line.exists) {
                columns.weight[j + e] += g[j + e] * unit[j + e];
                columns.bias[j + e] += g[j + e];
            }
            g[j + e] *= w[e];
            sums.value[0] += g[j + e];
            sums.value[1] += g[j + e] * unit[j + e];
        }
    }
    sums = merged_in_team<TEAM>(sums);
    const Wide share = (Wide)1 / line.length;
#pragma unroll
    for (int j = 0; j < HELD; ++j) g[j] = factor * (g[j] - share * (sums.value[0] + unit[j] * sums.value[1]));
    write_held<COUNT>(grad_input, g, line);
}

/* A team's rows are those whose number is its own, and so many teams further each time. */
template <int COUNT>
__device__ void backward_rows(const T* grad_output, const T* input, T* grad_input, const Parameter* weight,
                              const Wide* mean, const Wide* scale, Wide* partial, Line line, long long rows,
                              const Grouping& of) {
    const Index own = (Index)blockIdx.x * (BLOCK / TEAM) + threadIdx.x / TEAM, teams = gridDim.x * (BLOCK / TEAM);
    Columns columns;
#pragma unroll
    for (int j = 0; j < HELD; ++j) columns.weight[j] = columns.bias[j] = 0;
    // as often for all threads of a block, which come together in each row
    for (Index first = (Index)blockIdx.x * (BLOCK / TEAM); first < rows; first += teams) {
        line.exists = first + (Index)threadIdx.x / TEAM < rows;
        line.number = line.exists ? first + threadIdx.x / TEAM : rows - 1;
        line.start = line.number * line.length;
        backward_row<COUNT>(grad_output, input, grad_input, weight, mean, scale, line, of, columns);
    }
    if (SUMS) columns.write<COUNT>(partial, line, own);
}

extern "C" __global__ void __launch_bounds__(BLOCK, resident(SUMS ? 4 : 2))
    backward(const T* grad_output, const T* input, T* grad_input, const Parameter* weight, const Wide* mean,
             const Wide* scale, Wide* partial, long long groups, long long per_group, long long places, long long rows,
             long long length, long long inner) {
    const Line line(rows, length, inner);
    const Grouping of = {(Index)groups, (Index)per_group, (Index)places};
    if (line.has_vectors(grad_output, input) && is_aligned(grad_input) && is_aligned(weight))
        backward_rows<LINE_WIDTH>(grad_output, input, grad_input, weight, mean, scale, partial, line, rows, of);
    else
        backward_rows<1>(grad_output, input, grad_input, weight, mean, scale, partial, line, rows, of);
}
