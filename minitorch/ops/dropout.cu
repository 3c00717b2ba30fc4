/* Dropout: output = x / keep where a random number is below `keep`, else x · 0.

   The mask is nowhere: the gradient is the same function of grad_output, with the same seed and offset, and draws the same
   numbers again. 2 elements are moved forward and 2 backward, where a stored mask of floats makes it 3 and 3, and takes
   its memory from one to the other.

   One counter makes four random words, so a thread does four neighbouring elements, in as few accesses as it can. Seed and offset are given, or lie on
   the device (`state`), where a replay of a captured graph finds others than the last one.

   Settings: those of numbers.cuh.

   Compiled with: ELEMENT=float INDEX=int
   Compiled with: ELEMENT=half INDEX="long long"
   Compiled with: ELEMENT=double INDEX=int */

#include "philox.cuh"
#include "vectors.cuh"

constexpr int LANES = 4;                               // elements of a thread
constexpr int AT_ONCE = WIDTH < LANES ? WIDTH : LANES;  // of which one access moves so many

extern "C" __global__ void dropout(const T* input, T* output, const unsigned long long* state, long long seed,
                                   long long offset, double keep, long long count) {
    const Index number = thread_number();
    const Index start = LANES * number;
    if (start >= count) return;
    const RandomWords random(state ? state[0] : seed, state ? state[1] : offset, number);
    const Wide scale = (Wide)(1 / keep);
    const bool is_whole = start + LANES <= count && is_aligned(input) && is_aligned(output);
    Wide x[LANES];
#pragma unroll
    for (int lane = 0; lane < LANES; lane += AT_ONCE) {
        if (is_whole) read_vector<AT_ONCE>(x + lane, input + start + lane);
#pragma unroll
        for (int k = lane; k < lane + AT_ONCE; ++k) {
            if (!is_whole) x[k] = start + k < count ? (Wide)input[start + k] : 0;
            x[k] *= random.unit(k) < (float)keep ? scale : 0;
            if (!is_whole && start + k < count) output[start + k] = (T)x[k];
        }
        if (is_whole) write_vector<AT_ONCE>(output + start + lane, x + lane);
    }
}
