/* Small jobs on many tensors in one launch each (see tensor_table.cuh).

   Settings: those of tensor_table.cuh, BLOCK (the threads of a block), and ELEMENT, the type of the elements (for `zero` and `copy` any one of
   their size: bits are bits).

   Compiled with: ELEMENT=float TENSORS=48 LISTS=1 CHUNK=2048 BLOCK=256
   Compiled with: ELEMENT=half TENSORS=48 LISTS=2 CHUNK=2048 BLOCK=256 */

#include "chunks.cuh"

/* array ← 0 */
extern "C" __global__ void zero(const TensorTable table) {
    const Chunk chunk(table);
    T* const array = ChunkArrays<1>(table, chunk).of[0];
    for (long long i = chunk.start + threadIdx.x; i < chunk.end; i += blockDim.x) array[i] = (T)0;
}

/* array ← array + amount, unless there is a number at `unless` and it is not 0 */
extern "C" __global__ void add(const TensorTable table, double amount, const float* unless) {
    if (unless && *unless != 0) return;
    for_chunk<1>(table, Chunk(table), 1, [amount](Wide* x) { x[0] += (Wide)amount; });
}

#if LISTS > 1
/* target ← source, bit for bit: as numbers, some that are no numbers would change. */
extern "C" __global__ void copy(const TensorTable table) {
    const Chunk chunk(table);
    const ChunkArrays<2> arrays(table, chunk);
    T *const target = arrays.of[0], *const source = arrays.of[1];
    long long whole = chunk.start;
    if (arrays.are_aligned) whole = chunk.end - (chunk.end - chunk.start) % WIDTH;
    typedef Vector<WIDTH> Words;
    for (long long i = chunk.start + threadIdx.x * WIDTH; i < whole; i += blockDim.x * WIDTH)
        *reinterpret_cast<Words*>(target + i) = *reinterpret_cast<const Words*>(source + i);
    for (long long i = whole + threadIdx.x; i < chunk.end; i += blockDim.x) target[i] = source[i];
}
#endif

/* array ← array · factor[0] */
extern "C" __global__ void scale(const TensorTable table, const Wide* factor) {
    const Wide by = *factor;
    for_chunk<1>(table, Chunk(table), 1, [by](Wide* x) { x[0] *= by; });
}

/* partial[block] = the sum of the squares of the block's elements: the first stage of a norm over all arrays. */
extern "C" __global__ void sum_squares(const TensorTable table, Wide* partial) {
    Wide sum = 0;
    for_chunk<1>(table, Chunk(table), 0, [&sum](Wide* x) { sum += x[0] * x[0]; });
    sum = merged_in_team<BLOCK>(Sums<1>{sum}).value[0];
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

/* array ← array · factor[0], and found_inf[0] ← 1 if an element was infinite or nan. Every thread that finds one writes
   the same 1, so that it does not matter who does. */
extern "C" __global__ void unscale(const TensorTable table, const float* factor, float* found_inf) {
    const Wide by = *factor;
    bool is_finite = true;
    for_chunk<1>(table, Chunk(table), 1, [by, &is_finite](Wide* x) {
        is_finite = is_finite && x[0] - x[0] == 0;  // ∞ − ∞ and nan − nan are nan
        x[0] *= by;
    });
    if (!is_finite) *found_inf = 1;
}
