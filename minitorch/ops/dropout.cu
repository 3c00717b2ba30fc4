/* Dropout: output = x / keep where a random number is below `keep`, else x · 0.

   The mask is nowhere: the gradient is the same function of grad_output, with the same seed and offset, and draws the same
   numbers again. 2 elements are moved forward and 2 backward, where a stored mask of floats makes it 3 and 3, and takes
   its memory from one to the other.

   One counter makes four random words, so a thread does four neighbouring elements. For `state` see philox.cuh.

   Settings: those of numbers.cuh.

   Compiled with: ELEMENT=float INDEX=int
   Compiled with: ELEMENT=half INDEX="long long" */

#include "numbers.cuh"
#include "philox.cuh"

extern "C" __global__ void dropout(const T* input, T* output, const Word64* state, Word64 seed, Word64 offset,
                                   double keep, long long count) {
    const Index number = thread_number();
    const Index start = 4 * number;
    if (start >= count) return;
    const RandomWords random(state, seed, offset, number);
    const Wide scale = (Wide)(1 / keep);
#pragma unroll
    for (int lane = 0; lane < 4; ++lane)
        if (start + lane < count)
            output[start + lane] = (T)((Wide)input[start + lane] * (random.unit(lane) < (float)keep ? scale : 0));
}
