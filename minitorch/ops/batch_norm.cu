/* Batch normalisation in training of channels that fit into the registers of the threads that share one (see lines.cuh,
   whose lines are the channels).

       y = (x − mean[c]) · scale[c] · weight[c] + bias[c]              with scale = 1 / √(variance + ε)
       grad_input = weight[c] · scale[c] · (g − Σ g / M − x̂ · Σ g·x̂ / M)
       grad_weight = Σ g·x̂,   grad_bias = Σ g

   M is how many elements a channel has. Elements moved are 2 forward and 3 backward, in one launch each, where
   normalization.cu, for channels of any size, moves 3 and 5 in two or three launches. Backward there is more to hold:
   channels that are too long for that (HELD = 0) are read twice, the second time from the cache.

   Settings: those of lines.cuh, with RUNS=1, and PARAMETER, the type of weight, bias and running averages.

   Compiled with: ELEMENT=float INDEX=int TEAM=1024 BLOCK=1024 HELD=16 RUNS=1 PARAMETER=float
   Compiled with: ELEMENT=half INDEX="long long" TEAM=32 BLOCK=128 HELD=8 RUNS=1 PARAMETER=float
   Compiled with: ELEMENT=float INDEX=int TEAM=1024 BLOCK=1024 HELD=0 RUNS=1 PARAMETER=float */

#include "batch_statistics.cuh"
#include "lines.cuh"

__device__ inline Wide value_or(const Parameter* parameters, Index c, Wide otherwise) {
    return parameters ? (Wide)parameters[c] : otherwise;
}

#if HELD

template <int COUNT>
__device__ void forward_channel(const T* input, T* output, const Parameter* weight, const Parameter* bias,
                                const Statistics& statistics, const Line& line) {
    Wide x[HELD], centre, squares;
    read_held<COUNT>(x, input, line, 0);
    centre_held<COUNT>(x, line, centre, squares);
    const Wide scale = statistics.scale_of(line.length, squares);
    const Wide factor = scale * value_or(weight, line.number, 1), shift = value_or(bias, line.number, 0);
#pragma unroll
    for (int j = 0; j < HELD; ++j) x[j] = x[j] * factor + shift;
    write_held<COUNT>(output, x, line);
    if (line.writes()) statistics.write(line.number, line.length, centre, squares);
}

extern "C" __global__ void __launch_bounds__(BLOCK, resident(1))
    forward(const T* input, T* output, const Parameter* weight, const Parameter* bias, Wide* mean, Wide* scale,
            Parameter* running_mean, Parameter* running_var, long long* batches, double momentum, double eps,
            long long channels, long long elements, long long run) {
    const Line line(channels, elements, run);
    const Statistics statistics = {mean, scale, running_mean, running_var, batches, (Wide)momentum, (Wide)eps};
    if (line.has_vectors(input, output))
        forward_channel<LINE_WIDTH>(input, output, weight, bias, statistics, line);
    else
        forward_channel<1>(input, output, weight, bias, statistics, line);
}

#endif

/* Σ g and Σ g·x̂ of a channel, from which each element's gradient follows. */
struct ChannelGradient {
    Wide centre, factor, share, outer;
    Sums<2> sums;

    __device__ ChannelGradient(const Line& line, const Parameter* weight, const Wide* mean, const Wide* scale)
        : centre(mean[line.number]), factor(scale[line.number]), share((Wide)1 / line.length), sums{0, 0} {
        outer = factor * value_or(weight, line.number, 1);
    }
    template <int NUMBERS> __device__ void add(const Wide (&g)[NUMBERS], Wide (&x)[NUMBERS]) {
#pragma unroll
        for (int j = 0; j < NUMBERS; ++j) {  // behind the end, g is 0
            x[j] = (x[j] - centre) * factor;
            sums.value[0] += g[j];
            sums.value[1] += g[j] * x[j];
        }
    }
    __device__ Wide of(Wide g, Wide unit) const { return outer * (g - share * (sums.value[0] + unit * sums.value[1])); }
};

template <int COUNT>
__device__ void backward_channel(const T* grad_output, const T* input, T* grad_input, const Parameter* weight,
                                 const Wide* mean, const Wide* scale, Wide* grad_weight, Wide* grad_bias,
                                 const Line& line) {
    ChannelGradient gradient(line, weight, mean, scale);
#if HELD
    Wide g[HELD], x[HELD];
    read_held<COUNT>(g, grad_output, line, 0);
    read_held<COUNT>(x, input, line, 0);
    gradient.add(g, x);
    gradient.sums = merged_in_team<TEAM>(gradient.sums);
#pragma unroll
    for (int j = 0; j < HELD; ++j) g[j] = gradient.of(g[j], x[j]);
    write_held<COUNT>(grad_input, g, line);
#else
    Wide g[AT_A_TIME], x[AT_A_TIME];
    for (Steps<COUNT> steps{0}; steps.k < line.length; steps.k += Steps<COUNT>::STRIDE) {
        steps.read(g, grad_output, line, 0);
        steps.read(x, input, line, 0);
        gradient.add(g, x);
    }
    gradient.sums = merged_in_team<TEAM>(gradient.sums);
    for (auto steps = Steps<COUNT>::last(line); steps.k >= 0; steps.k -= Steps<COUNT>::STRIDE) {
        steps.read(g, grad_output, line, 0);
        steps.read(x, input, line, 0);
#pragma unroll
        for (int j = 0; j < AT_A_TIME; ++j) g[j] = gradient.of(g[j], (x[j] - gradient.centre) * gradient.factor);
        steps.write(grad_input, g, line);
    }
#endif
    const Sums<2>& sums = gradient.sums;
    if (!line.writes()) return;
    grad_bias[line.number] = sums.value[0];
    grad_weight[line.number] = sums.value[1];
}

extern "C" __global__ void __launch_bounds__(BLOCK, resident(2))
    backward(const T* grad_output, const T* input, T* grad_input, const Parameter* weight, const Wide* mean,
             const Wide* scale, Wide* grad_weight, Wide* grad_bias, long long channels, long long elements,
             long long run) {
    const Line line(channels, elements, run);
    if (line.has_vectors(grad_output, input) && is_aligned(grad_input))
        backward_channel<LINE_WIDTH>(grad_output, input, grad_input, weight, mean, scale, grad_weight, grad_bias, line);
    else
        backward_channel<1>(grad_output, input, grad_input, weight, mean, scale, grad_weight, grad_bias, line);
}
