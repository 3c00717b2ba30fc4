/* Average pooling and its gradient: what avg_pool2d.py says, in one pass over memory each.

   `forward`: one thread makes one output, the sum of its window over the divisor.
   `backward` gathers, as in max_pool2d.cu: one thread makes one element of grad_input, the sum over the windows (i, j)
   that have it in them of grad_output[i, j] / divisor(i, j).

   Settings: those of windows.cuh (the dilation is 1), and which divisor it is: COUNT_PADDING is 1 to count a window's
   elements inside the padded input, 0 to count those inside the input. A divisor other than 0 overrides both.

   Compiled with: ELEMENT=float INDEX=int COUNT_PADDING=1 CHANNELS_LAST=0 K_H=3 K_W=3 S_H=2 S_W=2 P_H=1 P_W=1 D_H=1 D_W=1
   Compiled with: ELEMENT=half INDEX="long long" COUNT_PADDING=0 CHANNELS_LAST=1 K_H=3 K_W=2 S_H=2 S_W=1 P_H=1 P_W=1 D_H=1 D_W=1 */

#include "windows.cuh"

/* How many elements of window number i count, along an axis of `length` elements. */
__device__ inline int counted(Index i, Index length, int size, int stride, int padding) {
    const int beyond = COUNT_PADDING ? padding : 0;
    Index start = i * stride - padding, end = start + size;
    if (start < -beyond) start = -beyond;
    if (end > length + beyond) end = length + beyond;
    return end - start;
}

__device__ inline Wide divisor_of(Index i, Index j, Index H, Index W, double override_) {
    if (override_ != 0) return (Wide)override_;
    return (Wide)(counted(i, H, K_H, S_H, P_H) * counted(j, W, K_W, S_W, P_W));
}

extern "C" __global__ void forward(const T* input, T* output, double divisor, long long count, long long channels,
                                   long long H, long long W, long long H_out, long long W_out) {
    const Index number = thread_number();
    if (number >= count) return;
    const Planes inputs(H, W, channels);
    const Place at(number, Planes(H_out, W_out, channels));

    Wide sum = 0;
    for (int u = 0; u < K_H; ++u) {
        const Index row = at.row * S_H - P_H + u;
        if (row < 0 || row >= inputs.rows) continue;
        for (int v = 0; v < K_W; ++v) {
            const Index column = at.column * S_W - P_W + v;
            if (column < 0 || column >= inputs.columns) continue;
            sum += (Wide)input[inputs.offset(at.outer, row, column, at.inner)];
        }
    }
    output[number] = (T)(sum / divisor_of(at.row, at.column, H, W, divisor));
}

extern "C" __global__ void backward(const T* grad_output, T* grad_input, double divisor, long long count,
                                    long long channels, long long H, long long W, long long H_out, long long W_out) {
    const Index number = thread_number();
    if (number >= count) return;
    const Planes outputs(H_out, W_out, channels);
    const Place at(number, Planes(H, W, channels));
    const Covering rows = covering_rows(at.row, H_out), columns = covering_columns(at.column, W_out);

    Wide sum = 0;
    for (Index i = rows.first; i <= rows.last; ++i)
        for (Index j = columns.first; j <= columns.last; ++j)
            sum += (Wide)grad_output[outputs.offset(at.outer, i, j, at.inner)] / divisor_of(i, j, H, W, divisor);
    grad_input[number] = (T)sum;
}
