/* Batch, layer and group normalisation and their gradients, over a view (N, C, S) of the input (see channels.cuh).

       y = (x − mean[r]) · scale[r] · weight[p] + bias[p]      with scale = 1 / √(variance + ε)

   r says whose mean it is, and p which parameter an element has. Both depend on the kind of view (VIEW):

     CHANNELS   r = c                              p = c                                     batch normalisation
     SAMPLES    r = n · groups + c / per_group     p = c                                     a sample, or a group of its
                                                                                             channels, by itself
     ROWS       r = c                              p = c % groups · per_group + s / places   the same, as rows that lie
                                                                                             in one piece

   Layer normalisation of (rows, size) is SAMPLES (rows, size, 1) and ROWS (1, rows, size) with one group. Group
   normalisation of (N, C, places) is SAMPLES (N, C, places) and ROWS (1, N · groups, per_group · places).

   Rows and channels that fit into the registers of a block are for layer_norm.cu and batch_norm.cu, which read memory
   once; these kernels are for any size.

   Forward: `moments` reads x, `normalize` reads x and writes y: 3 elements moved for each. Backward: `gradient_sums`
   reads g and x, `gradient` reads both and writes grad_input: 5 elements.

       grad_input = scale[r] · (h − Σ h / M − x̂ · Σ h·x̂ / M)   with h = g · weight[p], sums over the M elements of r
       grad_weight[p] = Σ g·x̂,   grad_bias[p] = Σ g

   In CHANNELS the weight stands before the sums, so that the same two sums are both: one pass for three gradients.

   Settings: those of channels.cuh, VIEW, and PARAMETER, the type of weight, bias and running averages.

   Compiled with: ELEMENT=float INDEX=int PARAMETER=float VIEW=CHANNELS ACROSS=0 BLOCK=256
   Compiled with: ELEMENT=half INDEX="long long" PARAMETER=float VIEW=SAMPLES ACROSS=1 BLOCK=256
   Compiled with: ELEMENT=double INDEX=int PARAMETER=double VIEW=ROWS ACROSS=0 BLOCK=256 */

#define CHANNELS 0
#define SAMPLES 1
#define ROWS 2

#include "batch_statistics.cuh"
#include "channels.cuh"

// ── statistics ───────────────────────────────────────────────────────────────────────────────────────────────────────

/* Of `count` numbers, their mean and the sum of the squares of their distances from it (Welford, 1962; the formula that
   merges two of them: Chan, Golub and LeVeque, 1979). Unlike Σ x² − (Σ x)² / M, it does not cancel where the mean is
   large. */
struct Moments {
    Wide count, mean, squares;

    __device__ void merge(const Moments& other) {
        const Wide total = count + other.count;
        if (total == 0) return;
        const Wide distance = other.mean - mean;
        const Wide share = count / total, other_share = other.count / total;
        mean = share * mean + other_share * other.mean;
        squares += other.squares + distance * distance * count * other_share;
        count = total;
    }
};

__device__ Moments from_lane(Moments moments, int distance) {
    return {from_lane(moments.count, distance), from_lane(moments.mean, distance), from_lane(moments.squares, distance)};
}

__device__ Moments moments_of(const Wide* values, int count) {
    Wide sum = 0, squares = 0;
#pragma unroll
    for (int k = 0; k < BATCH; ++k) sum += k < count ? values[k] : 0;
    const Wide mean = sum / count;
#pragma unroll
    for (int k = 0; k < BATCH; ++k) squares += k < count ? (values[k] - mean) * (values[k] - mean) : 0;
    return {(Wide)count, mean, squares};
}

/* The moments of every channel: finished at once if one block has all of a channel, else left in partial[share][c]. */
extern "C" __global__ void moments(const T* input, Moments* partial, Wide* mean, Wide* scale, Parameter* running_mean,
                                   Parameter* running_var, long long* batches, double momentum, double eps,
                                   long long N, long long C, long long S) {
    Walk walk(N, C, S);
    Moments mine = {0, 0, 0};
    while (walk.goes_on()) {
        const Batch batch(walk);
        Wide values[BATCH];
        read(values, input, batch);
        mine.merge(moments_of(values, batch.count));
    }
    mine = merged_in_channel(mine);
    if (!walk.writes()) return;
    const Statistics statistics = {mean, scale, running_mean, running_var, batches, (Wide)momentum, (Wide)eps};
    if (gridDim.y > 1)
        partial[blockIdx.y * C + walk.c] = mine;
    else
        statistics.write(walk.c, mine.count, mine.mean, mine.squares);
}

/* The second stage, if there are several shares: one thread merges those of one channel. */
extern "C" __global__ void merge_moments(const Moments* partial, long long shares, Wide* mean, Wide* scale,
                                         Parameter* running_mean, Parameter* running_var, long long* batches,
                                         double momentum, double eps, long long C) {
    const Index c = thread_number();
    if (c >= C) return;
    Moments all = partial[c];
    for (int share = 1; share < shares; ++share) all.merge(partial[share * C + c]);
    const Statistics statistics = {mean, scale, running_mean, running_var, batches, (Wide)momentum, (Wide)eps};
    statistics.write(c, all.count, all.mean, all.squares);
}

// ── elements ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/* Which statistics and which parameter belong to the elements of channel c. */
struct Grouping {
    Index groups, per_group, places, c;

    __device__ Grouping(long long groups, long long per_group, long long places, Index c)
        : groups(groups), per_group(per_group), places(places), c(c) {}

    __device__ Index statistic(Index n) const { return VIEW == SAMPLES ? n * groups + c / per_group : c; }
    __device__ Index parameter(Index s) const { return VIEW == ROWS ? c % groups * per_group + s / places : c; }
};

__device__ inline Wide value_or(const Parameter* parameters, Index p, Wide otherwise) {
    return parameters ? (Wide)parameters[p] : otherwise;
}

extern "C" __global__ void normalize(const T* input, T* output, const Wide* mean, const Wide* scale,
                                     const Parameter* weight, const Parameter* bias, long long N, long long C,
                                     long long S, long long groups, long long per_group, long long places) {
    Walk walk(N, C, S);
    if (!walk.goes_on()) return;
    const Grouping of(groups, per_group, places, walk.c);
    const Wide w = value_or(weight, walk.c, 1), b = value_or(bias, walk.c, 0);
    while (walk.goes_on()) {
        const Batch batch(walk);
        Wide x[BATCH];
        read(x, input, batch);
#pragma unroll
        for (int k = 0; k < BATCH; ++k) {
            const Index r = of.statistic(batch.n[k]);
            if (k < batch.count) output[batch.offset[k]] = (T)((x[k] - mean[r]) * scale[r] * w + b);
        }
    }
}

/* Evaluation: the running averages in the place of the statistics. */
extern "C" __global__ void normalize_by_averages(const T* input, T* output, const Parameter* mean,
                                                 const Parameter* variance, const Parameter* weight,
                                                 const Parameter* bias, double eps, long long N, long long C,
                                                 long long S) {
    Walk walk(N, C, S);
    if (!walk.goes_on()) return;
    const Wide factor = value_or(weight, walk.c, 1) / sqrt((Wide)variance[walk.c] + (Wide)eps);
    const Wide centre = mean[walk.c], b = value_or(bias, walk.c, 0);
    while (walk.goes_on()) {
        const Batch batch(walk);
        Wide x[BATCH];
        read(x, input, batch);
#pragma unroll
        for (int k = 0; k < BATCH; ++k)
            if (k < batch.count) output[batch.offset[k]] = (T)((x[k] - centre) * factor + b);
    }
}

/* sums[share][0][c] = Σ h and sums[share][1][c] = Σ h·x̂ of every channel, where h = g · weight in ROWS, else g. */
extern "C" __global__ void gradient_sums(const T* grad_output, const T* input, const Wide* mean, const Wide* scale,
                                         const Parameter* weight, Wide* sums, long long N, long long C, long long S,
                                         long long groups, long long per_group, long long places) {
    Walk walk(N, C, S);
    const Grouping of(groups, per_group, places, walk.c);
    Sums<2> mine = {0, 0};
    while (walk.goes_on()) {
        const Batch batch(walk);
        Wide g[BATCH], x[BATCH];
        read(g, grad_output, batch);
        read(x, input, batch);
#pragma unroll
        for (int k = 0; k < BATCH; ++k) {
            if (k >= batch.count) continue;
            const Index r = of.statistic(batch.n[k]);
            const Wide h = VIEW == ROWS ? g[k] * value_or(weight, of.parameter(batch.s[k]), 1) : g[k];
            mine.value[0] += h;
            mine.value[1] += h * ((x[k] - mean[r]) * scale[r]);
        }
    }
    mine = merged_in_channel(mine);
    if (!walk.writes()) return;
    sums += (long long)blockIdx.y * 2 * C + walk.c;
    sums[0] = mine.value[0];
    sums[C] = mine.value[1];
}

/* grad_input; `sums` are those of the statistics (there are `statistics` of them), each of M elements. */
extern "C" __global__ void gradient(const T* grad_output, const T* input, T* grad_input, const Wide* mean,
                                    const Wide* scale, const Parameter* weight, const Wide* sums, long long statistics,
                                    double M, long long N, long long C, long long S, long long groups,
                                    long long per_group, long long places) {
    Walk walk(N, C, S);
    if (!walk.goes_on()) return;
    const Grouping of(groups, per_group, places, walk.c);
    const Wide w = value_or(weight, walk.c, 1), share = (VIEW == CHANNELS ? w : 1) / (Wide)M;
    while (walk.goes_on()) {
        const Batch batch(walk);
        Wide g[BATCH], x[BATCH];
        read(g, grad_output, batch);
        read(x, input, batch);
#pragma unroll
        for (int k = 0; k < BATCH; ++k) {
            const Index r = of.statistic(batch.n[k]);
            const Wide unit = (x[k] - mean[r]) * scale[r], h = g[k] * w;
            const Wide result = scale[r] * (h - share * (sums[r] + unit * sums[statistics + r]));
            if (k < batch.count) grad_input[batch.offset[k]] = (T)result;
        }
    }
}
