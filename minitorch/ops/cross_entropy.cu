/* Cross-entropy of scores against class numbers, and its gradient: log-softmax and the choice of the true class in one
   pass over the scores. The lines of lines.cuh are the scores of one place each; class t is the place's target.

       loss = −(1 − ε) · weight[t] · l_t − ε / C · Σ_c weight[c] · l_c              with l = log softmax(x)
       grad_x = scale · (eˡ · ((1 − ε) · weight[t] + ε / C · Σ_c weight[c]) − q)
                with q_c = ε / C · weight[c], and (1 − ε) · weight[t] more at the true class

   and 0 where t is to be ignored. `scale` is the loss's gradient, over Σ weight[t] for "mean". A class that does not
   exist makes nan: nobody waits for a GPU to report an error.

   l is never written. `forward` keeps two numbers a place, the largest score and log Σ e^(x − largest), from which
   `backward` makes l anew. (Their sum alone would do, but where scores are in the thousands, it has no digits left for
   the logarithm.) Elements moved are 1 forward (2 with smoothing, if the line is too long for registers) and 2 backward,
   where log-softmax and NLL one after the other move 3 and 5.

   Settings: those of lines.cuh, and TARGET, the type of class numbers.

   Compiled with: ELEMENT=float INDEX=int TEAM=32 BLOCK=128 HELD=32 TARGET="long long"
   Compiled with: ELEMENT=float INDEX=int TEAM=1024 BLOCK=1024 HELD=0 TARGET="long long"
   Compiled with: ELEMENT=half INDEX="long long" TEAM=1 BLOCK=128 HELD=0 TARGET="unsigned char" */

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

    __device__ Wide of(Wide score) const { return score - largest - logarithm; }
};

__device__ inline Wide weight_of(const T* weights, Index c) { return weights ? (Wide)weights[c] : 1; }

/* What `forward` finds out about a line: its logarithms, and Σ weight · l if the labels are smoothed. */
struct Found {
    Logarithms l;
    Wide smooth;
};

#if HELD

template <int COUNT>
__device__ Found found_in(const T* scores, const T* weights, const Line& line, bool is_smooth) {
    Wide x[HELD], sum = 0;
    read_held<COUNT>(x, scores, line, -infinity());
    Wide largest = x[0];
#pragma unroll
    for (int j = 1; j < HELD; ++j) largest = larger(largest, x[j]);
    largest = largest_in_team(largest);
#pragma unroll
    for (int j = 0; j < HELD; ++j) sum += exp(x[j] - largest);
    Found found = {{largest, log(sum_in_team(sum))}, 0};
    if (!is_smooth) return found;  // all threads alike, as a team must come together
#pragma unroll
    for (int j = 0; j < HELD; ++j) {
        const Index c = held_place<COUNT>(line, j);
        if (c < line.length) found.smooth += weight_of(weights, c) * found.l.of(x[j]);
    }
    found.smooth = sum_in_team(found.smooth);
    return found;
}

#else

template <int COUNT>
__device__ Found found_in(const T* scores, const T* weights, const Line& line, bool is_smooth) {
    const LogSum total = log_sum_of<COUNT>(scores, line);
    Found found = {{total.largest, log(total.sum)}, 0};
    if (!is_smooth) return found;
    for (auto steps = Steps<COUNT>::last(line); steps.k >= 0; steps.k -= Steps<COUNT>::STRIDE) {
        Wide x[AT_A_TIME];
        steps.read(x, scores, line, 0);
#pragma unroll
        for (int j = 0; j < AT_A_TIME; ++j) {
            const Index c = steps.place(line, j);
            if (c < line.length) found.smooth += weight_of(weights, c) * found.l.of(x[j]);
        }
    }
    found.smooth = sum_in_team(found.smooth);
    return found;
}

#endif

extern "C" __global__ void __launch_bounds__(BLOCK, resident(1))
    forward(const T* scores, const Target* targets, const T* weights, Logarithms* kept, Wide* losses,
            long long weights_at, double smoothing, long long ignore_index, long long places, long long classes,
            long long inner) {
    const Line line(places, classes, inner);
    const bool is_smooth = smoothing > 0;
    const Found found = line.has_vectors(scores, scores) ? found_in<LINE_WIDTH>(scores, weights, line, is_smooth)
                                                         : found_in<1>(scores, weights, line, is_smooth);
    if (!line.writes()) return;
    const Truth truth(targets, weights, line.number, line.length, ignore_index);
    const Wide epsilon = (Wide)smoothing;
    Wide loss = -truth.weight * found.l.of(scores[line.offset(truth.target)]);
    if (is_smooth) loss = (1 - epsilon) * loss - epsilon / classes * found.smooth;
    kept[line.number] = found.l;
    losses[line.number] = truth.is_counted ? loss : 0;
    if (weights_at) losses[weights_at + line.number] = truth.weight;
}

/* result = Σ losses, or over Σ weight[t] if these follow the losses, from number `weights_at` on, a multiple of PLACES;
   then total_weight = Σ weight[t]. One block of SUMMING threads adds up all of both, each thread some of every SUMMING
   times as many and then all threads theirs, always in the same order. */
constexpr int SUMMING = 1024, PLACES = 16 / sizeof(Wide);

struct alignas(16) SomePlaces {
    Wide value[PLACES];
};

extern "C" __global__ void __launch_bounds__(SUMMING)
    sum_losses(const Wide* losses, long long weights_at, T* result, Wide* total_weight, long long places) {
    Sums<2> sums = {0, 0};
    const long long whole = places - places % PLACES;  // memory of their own starts at multiples of 16 bytes
#pragma unroll 4
    for (long long place = threadIdx.x * PLACES; place < whole; place += SUMMING * PLACES) {
        const SomePlaces some = *reinterpret_cast<const SomePlaces*>(losses + place);
        const SomePlaces weights = *reinterpret_cast<const SomePlaces*>(losses + weights_at + place);
#pragma unroll
        for (int k = 0; k < PLACES; ++k) {
            sums.value[0] += some.value[k];
            sums.value[1] += weights.value[k];
        }
    }
    if (whole + threadIdx.x < places) {
        sums.value[0] += losses[whole + threadIdx.x];
        sums.value[1] += losses[weights_at + whole + threadIdx.x];
    }
    sums = merged_in_team<SUMMING>(sums);
    if (threadIdx.x > 0) return;
    *result = (T)(weights_at ? sums.value[0] / sums.value[1] : sums.value[0]);
    if (weights_at) *total_weight = sums.value[1];
}

/* What is known of a line makes each gradient from its own score alone: nothing need be held. */
template <int COUNT, class Gradient>
__device__ void write_gradient(const T* scores, T* grad_input, const Line& line, Gradient gradient) {
    for (Steps<COUNT> steps{0}; steps.k < line.length; steps.k += Steps<COUNT>::STRIDE) {
        Wide x[AT_A_TIME];
        steps.read(x, scores, line, 0);
#pragma unroll
        for (int j = 0; j < AT_A_TIME; ++j) x[j] = gradient(steps.place(line, j), x[j]);
        steps.write(grad_input, x, line);
    }
}

extern "C" __global__ void __launch_bounds__(BLOCK, 1024 / BLOCK)
    backward(const T* scores, const Target* targets, const T* weights, const Logarithms* kept, const T* grad_output,
             long long has_each, const Wide* total_weight, T* grad_input, double smoothing, long long ignore_index,
             long long places, long long classes, long long inner) {
    const Line line(places, classes, inner);
    const Truth truth(targets, weights, line.number, line.length, ignore_index);
    const Wide epsilon = (Wide)smoothing, share = epsilon / classes;
    Wide all = 0;
    if (smoothing > 0) {
        for (Index c = line.first(); c < line.length; c += TEAM) all += weight_of(weights, c);
        all = sum_in_team(all);
    }
    if (!line.exists) return;
    Wide scale = grad_output[has_each ? line.number : 0];  // a gradient for each place's loss, or one
    if (total_weight) scale /= *total_weight;  // "mean"
    const Wide at_truth = (1 - epsilon) * truth.weight, factor = at_truth + share * all;
    const Logarithms l = kept[line.number];
    const auto gradient = [&](Index c, Wide score) -> Wide {
        Wide result = exp(l.of(score)) * factor;
        if (share > 0 && c < line.length) result -= share * weight_of(weights, c);
        if (c == truth.target) result -= at_truth;
        return truth.is_counted ? scale * result : 0;
    };
    if (line.has_vectors(scores, grad_input))
        write_gradient<LINE_WIDTH>(scores, grad_input, line, gradient);
    else
        write_gradient<1>(scores, grad_input, line, gradient);
}
