/* A step of stochastic gradient descent on many parameters at once: the formula of sgd.py in one pass.

   With momentum, 5 elements are moved for each parameter: it is read and written, its gradient is read, its buffer is
   read and written. Operation by operation it would be about 13.

   Settings: those of tensor_table.cuh (the lists are parameters, gradients and buffers), and ELEMENT.

   Compiled with: ELEMENT=float TENSORS=48 LISTS=3 CHUNK=2048 BLOCK=256
   Compiled with: ELEMENT=half TENSORS=48 LISTS=3 CHUNK=2048 BLOCK=256 */

#include "chunks.cuh"

extern "C" __global__ void sgd_step(const TensorTable table, const float* rate_on_device, double rate_on_host,
                                double momentum_, double dampening, double weight_decay_, long long is_nesterov,
                                long long is_maximized, long long is_first) {
    const Chunk chunk(table);
    const bool has_buffer = table.array[2][chunk.tensor] != nullptr;
    const Wide rate = rate_on_device ? (Wide)*rate_on_device : (Wide)rate_on_host;
    const Wide momentum = (Wide)momentum_, weight_decay = (Wide)weight_decay_, added = (Wide)(1 - dampening);

    for_chunk<3>(table, chunk, 1 << 0 | 1 << 2, [=](Wide* element) {
        Wide &parameter = element[0], g = element[1], &buffer = element[2];
        if (is_maximized) g = -g;
        if (weight_decay != 0) g += weight_decay * parameter;
        if (has_buffer) {
            buffer = is_first ? g : momentum * buffer + added * g;
            g = is_nesterov ? g + momentum * buffer : buffer;
        }
        parameter -= rate * g;
    });
}
