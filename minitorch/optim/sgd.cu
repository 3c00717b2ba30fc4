/* A step of stochastic gradient descent on many parameters at once: the formula of sgd.py in one pass.

   Where a GradScaler says so, the gradient is divided by its scale on the way (and stays so), or, if one of all gradients
   was infinite, nothing is done at all: the answer lies on the device, and the host need not know it.

   With momentum, 5 elements are moved for each parameter: it is read and written, its gradient is read, its buffer is
   read and written. Operation by operation it would be about 13.

   Settings: those of tensor_table.cuh (the lists are parameters, gradients and buffers), and ELEMENT.

   Compiled with: ELEMENT=float TENSORS=48 LISTS=3 CHUNK=2048 BLOCK=256
   Compiled with: ELEMENT=half TENSORS=48 LISTS=3 CHUNK=2048 BLOCK=256 */

#include "chunks.cuh"

extern "C" __global__ void sgd_step(const TensorTable table, const float* rate_on_device, double rate_on_host,
                                double momentum_, double dampening, double weight_decay_, long long is_nesterov,
                                long long is_maximized, long long is_first, const float* grad_scale,
                                const float* found_inf) {
    if (found_inf && *found_inf != 0) return;
    const Chunk chunk(table);
    const bool has_buffer = table.array[2][chunk.tensor] != nullptr;
    const Wide rate = rate_on_device ? (Wide)*rate_on_device : (Wide)rate_on_host;
    const Wide momentum = (Wide)momentum_, weight_decay = (Wide)weight_decay_, added = (Wide)(1 - dampening);

    const unsigned written = 1 << 0 | (grad_scale ? 1 << 1 : 0) | 1 << 2;
    for_chunk<3>(table, chunk, written, [=](Wide* element) {
        Wide &parameter = element[0], &buffer = element[2];
        Wide g = element[1];
        if (grad_scale) element[1] = g /= (Wide)*grad_scale;
        if (is_maximized) g = -g;
        if (weight_decay != 0) g += weight_decay * parameter;
        if (has_buffer) {
            buffer = is_first ? g : momentum * buffer + added * g;
            g = is_nesterov ? g + momentum * buffer : buffer;
        }
        parameter -= rate * g;
    });
}
