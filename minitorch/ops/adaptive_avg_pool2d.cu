/* Adaptive average pooling and its gradient: what adaptive_avg_pool2d.py says, in one pass over memory each.

   `forward`: one thread makes one output, the mean of its window. `backward` gathers: one thread makes one element of
   grad_input, the sum over the windows that have it in them of grad_output / size of the window. Images lie row after
   row; `planes` is N · C.

   Settings: those of numbers.cuh.

   Compiled with: ELEMENT=float INDEX=int
   Compiled with: ELEMENT=half INDEX="long long" */

#include "adaptive_windows.cuh"

extern "C" __global__ void forward(const T* input, T* output, long long planes, long long H, long long W,
                                   long long H_out, long long W_out) {
    const Index number = thread_number();
    if (number >= planes * H_out * W_out) return;
    const Range rows = window(number / (Index)W_out % (Index)H_out, H, H_out);
    const Range columns = window(number % (Index)W_out, W, W_out);
    const T* plane = input + (Index)(number / (Index)(H_out * W_out)) * (Index)(H * W);

    Wide sum = 0;
    for (int y = rows.start; y < rows.end; ++y)
        for (int x = columns.start; x < columns.end; ++x) sum += (Wide)plane[y * W + x];
    output[number] = (T)(sum / ((rows.end - rows.start) * (columns.end - columns.start)));
}

extern "C" __global__ void backward(const T* grad_output, T* grad_input, long long planes, long long H, long long W,
                                    long long H_out, long long W_out) {
    const Index number = thread_number();
    if (number >= planes * H * W) return;
    const Range rows = windows_with(number / (Index)W % (Index)H, H, H_out);
    const Range columns = windows_with(number % (Index)W, W, W_out);
    const T* plane = grad_output + (Index)(number / (Index)(H * W)) * (Index)(H_out * W_out);

    Wide sum = 0;
    for (int i = rows.start; i < rows.end; ++i)
        for (int j = columns.start; j < columns.end; ++j) {
            const Range height = window(i, H, H_out), width = window(j, W, W_out);
            sum += (Wide)plane[i * W_out + j] / ((height.end - height.start) * (width.end - width.start));
        }
    grad_input[number] = (T)sum;
}
