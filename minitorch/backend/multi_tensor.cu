/* Small jobs on many tensors in one launch each (see tensor_table.cuh).

   Settings: those of tensor_table.cuh, BLOCK (the threads of a block), and ELEMENT, the type of the elements (for `zero` and `copy` any one of
   their size: bits are bits).

   Compiled with: ELEMENT=float TENSORS=48 LISTS=1 CHUNK=2048 BLOCK=256
   Compiled with: ELEMENT=half TENSORS=48 LISTS=2 CHUNK=2048 BLOCK=256 */

#include "numbers.cuh"
#include "tensor_table.cuh"

/* array ← 0 */
extern "C" __global__ void zero(const TensorTable table) {
    const Chunk chunk(table);
    T* array = (T*)table.array[0][chunk.tensor];
    for (long long i = chunk.start + threadIdx.x; i < chunk.end; i += blockDim.x) array[i] = (T)0;
}

/* array ← array + amount, unless there is a number at `unless` and it is not 0 */
extern "C" __global__ void add(const TensorTable table, double amount, const float* unless) {
    if (unless && *unless != 0) return;
    const Chunk chunk(table);
    T* array = (T*)table.array[0][chunk.tensor];
    for (long long i = chunk.start + threadIdx.x; i < chunk.end; i += blockDim.x)
        array[i] = (T)((Wide)array[i] + (Wide)amount);
}

#if LISTS > 1
/* target ← source */
extern "C" __global__ void copy(const TensorTable table) {
    const Chunk chunk(table);
    T* target = (T*)table.array[0][chunk.tensor];
    const T* source = (const T*)table.array[1][chunk.tensor];
    for (long long i = chunk.start + threadIdx.x; i < chunk.end; i += blockDim.x) target[i] = source[i];
}
#endif

/* array ← array · factor[0] */
extern "C" __global__ void scale(const TensorTable table, const Wide* factor) {
    const Chunk chunk(table);
    T* array = (T*)table.array[0][chunk.tensor];
    const Wide by = *factor;
    for (long long i = chunk.start + threadIdx.x; i < chunk.end; i += blockDim.x) array[i] = (T)((Wide)array[i] * by);
}

/* partial[block] = the sum of the squares of the block's elements: the first stage of a norm over all arrays. */
extern "C" __global__ void sum_squares(const TensorTable table, Wide* partial) {
    const Chunk chunk(table);
    const T* array = (const T*)table.array[0][chunk.tensor];
    Sums<1> sum = {0};
    for (long long i = chunk.start + threadIdx.x; i < chunk.end; i += blockDim.x)
        sum.value[0] += (Wide)array[i] * (Wide)array[i];
    sum = merged_in_team<BLOCK>(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum.value[0];
}

/* array ← array · factor[0], and found_inf[0] ← 1 if an element was infinite or nan. Every thread that finds one writes
   the same 1, so that it does not matter who does. */
extern "C" __global__ void unscale(const TensorTable table, const float* factor, float* found_inf) {
    const Chunk chunk(table);
    T* array = (T*)table.array[0][chunk.tensor];
    const Wide by = *factor;
    bool is_finite = true;
    for (long long i = chunk.start + threadIdx.x; i < chunk.end; i += blockDim.x) {
        const Wide value = array[i];
        is_finite = is_finite && value - value == 0;  // ∞ − ∞ and nan − nan are nan
        array[i] = (T)(value * by);
    }
    if (!is_finite) *found_inf = 1;
}
