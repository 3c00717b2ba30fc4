/* Softmax, its logarithm, and their gradients.

       forward     s = e^(x − largest) / Σ e^(x − largest)       l = x − largest − log Σ e^(x − largest)
       backward    grad_x = s · (g − Σ g·s)                      grad_x = g − eˡ · Σ g

   A line that fits into the registers of its team (see lines.cuh) is read once: elements moved from and to memory are
   2 forward and 3 backward. A longer one is read twice; the largest score and the sum are then found in one pass
   (`LogSum`).

   Settings: those of lines.cuh, and LOGARITHM (0 or 1).

   Compiled with: ELEMENT=float INDEX=int TEAM=32 BLOCK=128 HELD=32 LOGARITHM=0
   Compiled with: ELEMENT=half INDEX="long long" TEAM=8 BLOCK=128 HELD=4 LOGARITHM=1
   Compiled with: ELEMENT=float INDEX=int TEAM=1024 BLOCK=1024 HELD=16 LOGARITHM=1
   Compiled with: ELEMENT=double INDEX=int TEAM=1024 BLOCK=1024 HELD=0 LOGARITHM=1 */

#include "lines.cuh"

#if HELD

template <int COUNT> __device__ void forward_line(const T* scores, T* output, const Line& line) {
    Wide x[HELD];
    read_held<COUNT>(x, scores, line, -infinity());
    Wide largest = x[0];
#pragma unroll
    for (int j = 1; j < HELD; ++j) largest = larger(largest, x[j]);
    largest = largest_in_team(largest);
    Wide sum = 0;
#pragma unroll
    for (int j = 0; j < HELD; ++j) {
        const Wide shifted = x[j] - largest, power = exp(shifted);
        sum += power;
        x[j] = LOGARITHM ? shifted : power;
    }
    sum = sum_in_team(sum);
    const Wide logarithm = log(sum), inverse = 1 / sum;
#pragma unroll
    for (int j = 0; j < HELD; ++j) x[j] = LOGARITHM ? x[j] - logarithm : x[j] * inverse;
    write_held<COUNT>(output, x, line);
}

template <int COUNT>
__device__ void backward_line(const T* grad_output, const T* output, T* grad_input, const Line& line) {
    Wide g[HELD], y[HELD], sum = 0;
    read_held<COUNT>(g, grad_output, line, 0);
    read_held<COUNT>(y, output, line, 0);
#pragma unroll
    for (int j = 0; j < HELD; ++j) sum += LOGARITHM ? g[j] : g[j] * y[j];
    sum = sum_in_team(sum);
#pragma unroll
    for (int j = 0; j < HELD; ++j) g[j] = LOGARITHM ? g[j] - exp(y[j]) * sum : y[j] * (g[j] - sum);
    write_held<COUNT>(grad_input, g, line);
}

#else

template <int COUNT> __device__ void forward_line(const T* scores, T* output, const Line& line) {
    const LogSum total = log_sum_of<COUNT>(scores, line);
    if (!line.exists) return;
    const Wide logarithm = log(total.sum), inverse = 1 / total.sum;
    for (auto steps = Steps<COUNT>::last(line); steps.k >= 0; steps.k -= Steps<COUNT>::STRIDE) {
        Wide x[AT_A_TIME];
        steps.read(x, scores, line, 0);
#pragma unroll
        for (int j = 0; j < AT_A_TIME; ++j) {
            x[j] -= total.largest;
            x[j] = LOGARITHM ? x[j] - logarithm : exp(x[j]) * inverse;
        }
        steps.write(output, x, line);
    }
}

template <int COUNT>
__device__ void backward_line(const T* grad_output, const T* output, T* grad_input, const Line& line) {
    Wide g[AT_A_TIME], y[AT_A_TIME], sum = 0;
    for (Steps<COUNT> steps{0}; steps.k < line.length; steps.k += Steps<COUNT>::STRIDE) {
        steps.read(g, grad_output, line, 0);
        if (!LOGARITHM) steps.read(y, output, line, 0);
#pragma unroll
        for (int j = 0; j < AT_A_TIME; ++j) sum += LOGARITHM ? g[j] : g[j] * y[j];
    }
    sum = sum_in_team(sum);
    if (!line.exists) return;
    for (auto steps = Steps<COUNT>::last(line); steps.k >= 0; steps.k -= Steps<COUNT>::STRIDE) {
        steps.read(g, grad_output, line, 0);
        steps.read(y, output, line, 0);
#pragma unroll
        for (int j = 0; j < AT_A_TIME; ++j) g[j] = LOGARITHM ? g[j] - exp(y[j]) * sum : y[j] * (g[j] - sum);
        steps.write(grad_input, g, line);
    }
}

#endif

extern "C" __global__ void __launch_bounds__(BLOCK, resident(1))
    forward(const T* scores, T* output, long long lines, long long length, long long inner) {
    const Line line(lines, length, inner);
    if (line.has_vectors(scores, output))
        forward_line<LINE_WIDTH>(scores, output, line);
    else
        forward_line<1>(scores, output, line);
}

extern "C" __global__ void __launch_bounds__(BLOCK, resident(2))
    backward(const T* grad_output, const T* output, T* grad_input, long long lines, long long length, long long inner) {
    const Line line(lines, length, inner);
    if (line.has_vectors(grad_output, output) && is_aligned(grad_input))
        backward_line<LINE_WIDTH>(grad_output, output, grad_input, line);
    else
        backward_line<1>(grad_output, output, grad_input, line);
}
