/* What batch normalisation remembers of each channel of a batch, whichever kernel found its moments.

   Settings: those of numbers.cuh, and PARAMETER, the type of weight, bias and running averages. */

#pragma once

#include "numbers.cuh"

typedef PARAMETER Parameter;

/* Where the statistics of a channel go: its mean and scale, and a step of its running averages if there are any.
   The first channel counts the batch. */
struct Statistics {
    Wide *mean, *scale;
    Parameter *running_mean, *running_var;
    long long* batches;
    Wide momentum, eps;

    /* 1 / √(variance + ε), given the sum of the squares of M elements' distances from their mean. */
    __device__ Wide scale_of(Wide M, Wide squares) const { return 1 / sqrt(squares / M + eps); }

    __device__ void write(Index c, Wide M, Wide centre, Wide squares) const {
        mean[c] = centre;
        scale[c] = scale_of(M, squares);
        if (batches && c == 0) ++*batches;
        if (!running_mean || M == 0) return;
        const Wide unbiased = squares / (M > 1 ? M - 1 : 1);
        running_mean[c] = (Parameter)((1 - momentum) * (Wide)running_mean[c] + momentum * centre);
        running_var[c] = (Parameter)((1 - momentum) * (Wide)running_var[c] + momentum * unbiased);
    }
};
