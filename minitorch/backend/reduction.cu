/* Sums over dimensions that do not lie together in memory, such as (0, 2, 3) of (N, C, H, W).

   The input is a view (O, N, C, S) (see channels.cuh), and the sum is over n and s:

       output[o, c] = factor · Σ_{n, s} x[o, n, c, s]      or of the squares of x (SQUARES)

   With several shares, `reduce` leaves the sum of each in a row of its own, output[share][o][c], and is launched again
   on these: then the shares are the samples. Each of these sums has one order of additions, whatever runs first.

   Settings: those of channels.cuh, SQUARES, and OUTPUT, the type of the result.

   Compiled with: ELEMENT=float INDEX=int OUTPUT=float SQUARES=0 ACROSS=0 BLOCK=256
   Compiled with: ELEMENT=half INDEX="long long" OUTPUT=float SQUARES=1 ACROSS=1 BLOCK=256 */

#include "channels.cuh"

typedef OUTPUT Output;

extern "C" __global__ void reduce(const T* input, Output* output, double factor, long long N, long long C,
                                  long long S) {
    Walk walk(N, C, S);
    Sums<1> mine = {0};
    while (walk.goes_on()) {
        const Batch batch(walk);
        Wide x[BATCH];
        read(x, input, batch);
#pragma unroll
        for (int k = 0; k < BATCH; ++k)
            if (k < batch.count) mine.value[0] += SQUARES ? x[k] * x[k] : x[k];
    }
    mine = merged_in_channel(mine);
    if (!walk.writes()) return;
    const long long row = (long long)blockIdx.y * gridDim.z + blockIdx.z;
    output[row * C + walk.c] = (Output)(mine.value[0] * (Wide)factor);
}
