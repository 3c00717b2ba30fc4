/* Adaptive max pooling and its gradient: what adaptive_max_pool2d.py says, in one pass over memory each.

   `forward`: one thread makes one output, the largest element of its window, and where that lies in its plane: the first
   of equal ones, the last nan. `backward` gathers: one thread makes one element of grad_input, the sum of grad_output over
   the windows that chose it. Images lie row after row; `planes` is N · C.

   Settings: those of numbers.cuh.

   Compiled with: ELEMENT=float INDEX=int
   Compiled with: ELEMENT=half INDEX="long long" */

#include "adaptive_windows.cuh"

extern "C" __global__ void forward(const T* input, T* output, long long* indices, long long planes, long long H,
                                   long long W, long long H_out, long long W_out) {
    const Index number = thread_number();
    if (number >= planes * H_out * W_out) return;
    const Range rows = window(number / (Index)W_out % (Index)H_out, H, H_out);
    const Range columns = window(number % (Index)W_out, W, W_out);
    const T* plane = input + (Index)(number / (Index)(H_out * W_out)) * (Index)(H * W);

    long long winner = rows.start * W + columns.start;
    Wide largest = plane[winner];
    for (int y = rows.start; y < rows.end; ++y)
        for (int x = columns.start; x < columns.end; ++x) {
            const Wide value = plane[y * W + x];
            if (value > largest || value != value) {
                largest = value;
                winner = y * W + x;
            }
        }
    output[number] = (T)largest;
    indices[number] = winner;
}

extern "C" __global__ void backward(const T* grad_output, const long long* indices, T* grad_input, long long planes,
                                    long long H, long long W, long long H_out, long long W_out) {
    const Index number = thread_number();
    if (number >= planes * H * W) return;
    const Index place = number % (Index)(H * W), first = number / (Index)(H * W) * (Index)(H_out * W_out);
    const Range rows = windows_with(place / (Index)W, H, H_out);
    const Range columns = windows_with(place % (Index)W, W, W_out);

    Wide sum = 0;
    for (int i = rows.start; i < rows.end; ++i)
        for (int j = columns.start; j < columns.end; ++j) {
            const Index window = first + i * (Index)W_out + j;
            if (indices[window] == place) sum += (Wide)grad_output[window];
        }
    grad_input[number] = (T)sum;
}
