/* A step of Adam on many parameters at once: the formula of adam.py in one pass.

   7 elements are moved for each parameter: it and the running mean and square are read and written, its gradient is
   read (2 more with AMSGrad). Operation by operation it would be more than 30.

   Where a GradScaler says so, the gradient is divided by its scale on the way (and stays so), or, if one of all gradients
   was infinite, nothing is done at all: the answer lies on the device, and the host need not know it.

   Which step it is comes from the host, or, where the step is to be captured in a graph and replayed, or may be left
   out without the host's knowing, from the device: each parameter has its count there, which a launch before this one has raised.

   Settings: those of tensor_table.cuh (the lists are parameters, gradients, means, squares, largest squares and step
   counts), ELEMENT, and COUNT_ON_DEVICE, which is 1 for counts on the device.

   Compiled with: ELEMENT=float TENSORS=48 LISTS=6 CHUNK=2048 BLOCK=256 COUNT_ON_DEVICE=1
   Compiled with: ELEMENT=half TENSORS=48 LISTS=6 CHUNK=2048 BLOCK=256 COUNT_ON_DEVICE=0 */

#include "chunks.cuh"

/* What makes up for running estimates that started from 0. In double: 1 − β₂ᵗ is small at first. */
struct Corrections {
    Wide step_size, square_root;

    __device__ void compute(double step, double rate, double beta1, double beta2) {
        step_size = (Wide)(rate / (1 - pow(beta1, step)));
        square_root = (Wide)sqrt(1 - pow(beta2, step));
    }
};

extern "C" __global__ void adam_step(const TensorTable table, const float* rate_on_device, double rate_on_host,
                                double step_on_host, double beta1, double beta2, double eps, double weight_decay_,
                                long long is_decoupled, long long is_maximized, const float* grad_scale,
                                const float* found_inf) {
    if (found_inf && *found_inf != 0) return;
    const Chunk chunk(table);
    const double rate = rate_on_device ? (double)*rate_on_device : rate_on_host;

    __shared__ Corrections corrections;
    if (threadIdx.x == 0) {
        const double count = COUNT_ON_DEVICE ? (double)*(const float*)table.array[5][chunk.tensor] : step_on_host;
        corrections.compute(count, rate, beta1, beta2);
    }
    __syncthreads();

    const Wide new_mean = (Wide)(1 - beta1), old_square = (Wide)beta2, new_square = (Wide)(1 - beta2);
    const Wide weight_decay = (Wide)weight_decay_, kept = (Wide)(1 - rate * weight_decay_);
    const bool has_largest = table.array[4][chunk.tensor] != nullptr;
    const unsigned written = 1 << 0 | (grad_scale ? 1 << 1 : 0) | 1 << 2 | 1 << 3 | 1 << 4;
    for_chunk<5>(table, chunk, written, [&](Wide* element) {
        Wide &parameter = element[0], &mean = element[2], &square = element[3], &largest = element[4];
        Wide g = element[1];
        if (grad_scale) element[1] = g /= (Wide)*grad_scale;
        if (is_maximized) g = -g;
        if (is_decoupled)
            parameter *= kept;
        else if (weight_decay != 0)
            g += weight_decay * parameter;
        mean += new_mean * (g - mean);
        square = old_square * square + new_square * (g * g);
        if (has_largest) largest = larger(square, largest);
        const Wide root = sqrt(has_largest ? largest : square) / corrections.square_root;
        parameter -= corrections.step_size * (mean / (root + (Wide)eps));
    });
}
