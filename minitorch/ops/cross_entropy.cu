/* Cross-entropy of scores against class numbers, and its gradient: log-softmax and the choice of the true class in one
   pass over the scores. The lines of lines.cuh are the scores of one place each; class t is the place's target.

       loss = −(1 − ε) · weight[t] · l_t − ε / C · Σ_c weight[c] · l_c              with l = log softmax(x)
       grad_x = scale · (eˡ · ((1 − ε) · weight[t] + ε / C · Σ_c weight[c]) − q)
                with q_c = ε / C · weight[c], and (1 − ε) · weight[t] more at the true class

   and 0 where t is to be ignored. `scale` is the loss's gradient, over Σ weight[t] for "mean". A class that does not
   exist makes nan: nobody waits for a GPU to report an error.

   l is never written. `forward` keeps two numbers a place, the largest score and log Σ e^(x − largest), from which
   `backward` makes l anew. (Their sum alone would do, but where scores are in the thousands, it has no digits left for
   the logarithm.) Elements moved are 1 forward (read again from the cache with smoothing) and 2 backward, where
   log-softmax and NLL one after the other move 3 and 5.

   Settings: those of lines.cuh, and TARGET, the type of class numbers.

   Compiled with: ELEMENT=float INDEX=int TEAM=32 BLOCK=256 TARGET="long long"
   Compiled with: ELEMENT=half INDEX="long long" TEAM=1 BLOCK=256 TARGET="unsigned char" */

#include "lines.cuh"

typedef TARGET Target;

struct Truth {
    bool is_counted;
    Index target;
    Wide weight;  // of the true class: 0 if it is ignored, nan if there is no such class

    __device__ Truth(const Target* targets, const T* weights, Index place, Index classes, long long ignore_index) {
        const long long found = targets[place];
        is_counted = found != ignore_index;
        const bool is_outside = found < 0 || found >= classes;
        target = is_outside ? 0 : (Index)found;
        weight = !is_counted ? 0 : is_outside ? infinity() - infinity() : weights ? (Wide)weights[target] : 1;
    }
};

/* l of a line's scores, from what is kept of the line. */
struct Logarithms {
    Wide largest, logarithm;

    __device__ Wide of(T score) const { return (Wide)score - largest - logarithm; }
};

__device__ inline Wide weight_of(const T* weights, Index c) { return weights ? (Wide)weights[c] : 1; }

extern "C" __global__ void forward(const T* scores, const Target* targets, const T* weights, Logarithms* kept,
                                   Wide* losses, Wide* true_weights, double smoothing, long long ignore_index,
                                   long long places, long long classes, long long inner) {
    const Line line(places, classes, inner);
    LogSum total;
    total.clear();
    for (Index c = line.first(); c < line.length; c += TEAM) total.add(scores[line.offset(c)]);
    total = merged_in_team<TEAM>(total);
    const Logarithms l = {total.largest, log(total.sum)};

    Sums<1> smooth = {0};
    if (smoothing > 0) {  // for all threads alike, as a team must come together
        for (Index c = line.first(); c < line.length; c += TEAM)
            smooth.value[0] += weight_of(weights, c) * l.of(scores[line.offset(c)]);
        smooth = merged_in_team<TEAM>(smooth);
    }
    if (!line.writes()) return;
    const Truth truth(targets, weights, line.number, line.length, ignore_index);
    const Wide epsilon = (Wide)smoothing;
    Wide loss = -truth.weight * l.of(scores[line.offset(truth.target)]);
    if (smoothing > 0) loss = (1 - epsilon) * loss - epsilon / classes * smooth.value[0];
    kept[line.number] = l;
    losses[line.number] = truth.is_counted ? loss : 0;
    true_weights[line.number] = truth.weight;
}

/* result = Σ losses, or over Σ weights if IS_MEAN; total_weight = Σ weights. One block adds up all of both, each thread
   every BLOCK-th and then all threads theirs, always in the same order. */
extern "C" __global__ void sum_losses(const Wide* losses, const Wide* true_weights, T* result, Wide* total_weight,
                                      long long places, long long is_mean) {
    Sums<2> sums = {0, 0};
    for (long long place = threadIdx.x; place < places; place += BLOCK) {
        sums.value[0] += losses[place];
        sums.value[1] += true_weights[place];
    }
    sums = merged_in_team<BLOCK>(sums);
    if (threadIdx.x > 0) return;
    *result = (T)(is_mean ? sums.value[0] / sums.value[1] : sums.value[0]);
    *total_weight = sums.value[1];
}

extern "C" __global__ void backward(const T* scores, const Target* targets, const T* weights, const Logarithms* kept,
                                    const T* grad_output, long long has_each, const Wide* total_weight, T* grad_input,
                                    double smoothing, long long ignore_index, long long places, long long classes,
                                    long long inner) {
    const Line line(places, classes, inner);
    const Truth truth(targets, weights, line.number, line.length, ignore_index);
    const Wide epsilon = (Wide)smoothing, share = epsilon / classes;
    Sums<1> all = {0};
    if (smoothing > 0) {
        for (Index c = line.first(); c < line.length; c += TEAM) all.value[0] += weight_of(weights, c);
        all = merged_in_team<TEAM>(all);
    }
    if (!line.exists) return;
    Wide scale = grad_output[has_each ? line.number : 0];  // a gradient for each place's loss, or one
    if (total_weight) scale /= *total_weight;  // "mean"
    const Wide at_truth = (1 - epsilon) * truth.weight, factor = at_truth + share * all.value[0];
    const Logarithms l = kept[line.number];
    for (Index c = line.first(); c < line.length; c += TEAM) {
        Wide gradient = exp(l.of(scores[line.offset(c)])) * factor;
        if (smoothing > 0) gradient -= share * weight_of(weights, c);
        if (c == truth.target) gradient -= at_truth;
        grad_input[line.offset(c)] = (T)(truth.is_counted ? scale * gradient : 0);
    }
}
