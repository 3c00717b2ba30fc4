/* A step of stochastic gradient descent on many parameters at once: the formula of sgd.py in one pass.

   Where a GradScaler says so, the gradient is divided by its scale on the way (and stays so), or, if one of all gradients
   was infinite, nothing is done at all: the answer lies on the device, and the host need not know it.

   With momentum, 5 elements are moved for each parameter: it is read and written, its gradient is read, its buffer is
   read and written. Operation by operation it would be about 13.

   Settings: those of tensor_table.cuh (the lists are parameters, gradients and buffers), and ELEMENT.

   Compiled with: ELEMENT=float TENSORS=48 LISTS=3 CHUNK=2048 BLOCK=256
   Compiled with: ELEMENT=half TENSORS=48 LISTS=3 CHUNK=2048 BLOCK=256 */

#include "numbers.cuh"
#include "tensor_table.cuh"

extern "C" __global__ void sgd_step(const TensorTable table, const float* rate_on_device, double rate_on_host,
                                double momentum_, double dampening, double weight_decay_, long long is_nesterov,
                                long long is_maximized, long long is_first, const float* grad_scale,
                                const float* found_inf) {
    if (found_inf && *found_inf != 0) return;
    const Chunk chunk(table);
    T* parameter = (T*)table.array[0][chunk.tensor];
    T* grad = (T*)table.array[1][chunk.tensor];
    T* buffer = (T*)table.array[2][chunk.tensor];
    const Wide rate = rate_on_device ? (Wide)*rate_on_device : (Wide)rate_on_host;
    const Wide momentum = (Wide)momentum_, weight_decay = (Wide)weight_decay_, added = (Wide)(1 - dampening);

    for (long long i = chunk.start + threadIdx.x; i < chunk.end; i += blockDim.x) {
        const Wide old = parameter[i];
        Wide g = grad[i];
        if (grad_scale) {
            g /= (Wide)*grad_scale;
            grad[i] = (T)g;
        }
        if (is_maximized) g = -g;
        if (weight_decay != 0) g += weight_decay * old;
        if (buffer) {
            const Wide b = is_first ? g : momentum * (Wide)buffer[i] + added * g;
            buffer[i] = (T)b;
            g = is_nesterov ? g + momentum * b : b;
        }
        parameter[i] = (T)(old - rate * g);
    }
}
