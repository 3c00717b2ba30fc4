/* Softmax, its logarithm, and their gradients: a line is read, and read again (then from the cache) to be written.

       forward     s = e^(x − largest) / Σ e^(x − largest)       l = x − largest − log Σ e^(x − largest)
       backward    grad_x = s · (g − Σ g·s)                      grad_x = g − eˡ · Σ g

   The largest score and the sum are found in one pass (`LogSum`). Elements moved from and to memory: 2 forward,
   3 backward, as long as the lines that are being worked on stay in the cache.

   Settings: those of lines.cuh, and LOGARITHM (0 or 1).

   Compiled with: ELEMENT=float INDEX=int TEAM=256 BLOCK=256 LOGARITHM=0
   Compiled with: ELEMENT=half INDEX="long long" TEAM=8 BLOCK=256 LOGARITHM=1 */

#include "lines.cuh"

extern "C" __global__ void forward(const T* scores, T* output, long long lines, long long length, long long inner) {
    const Line line(lines, length, inner);
    LogSum total;
    total.clear();
    for (Index k = line.first(); k < line.length; k += TEAM) total.add(scores[line.offset(k)]);
    total = merged_in_team<TEAM>(total);
    if (!line.exists) return;
    const Wide logarithm = log(total.sum), inverse = 1 / total.sum;
    for (Index k = line.first(); k < line.length; k += TEAM) {
        const Wide shifted = (Wide)scores[line.offset(k)] - total.largest;
        output[line.offset(k)] = (T)(LOGARITHM ? shifted - logarithm : exp(shifted) * inverse);
    }
}

extern "C" __global__ void backward(const T* grad_output, const T* output, T* grad_input, long long lines,
                                    long long length, long long inner) {
    const Line line(lines, length, inner);
    Sums<1> total = {0};
    for (Index k = line.first(); k < line.length; k += TEAM) {
        const Wide g = grad_output[line.offset(k)];
        total.value[0] += LOGARITHM ? g : g * (Wide)output[line.offset(k)];
    }
    total = merged_in_team<TEAM>(total);
    if (!line.exists) return;
    for (Index k = line.first(); k < line.length; k += TEAM) {
        const Wide g = grad_output[line.offset(k)], y = output[line.offset(k)];
        grad_input[line.offset(k)] = (T)(LOGARITHM ? g - exp(y) * total.value[0] : y * (g - total.value[0]));
    }
}
