/* Max pooling and its gradient: what max_pool2d.py says, in one pass over memory each.

   `forward`: one thread makes one output. It walks through its window and remembers the largest element and its number
   u · K_w + v in the window; the first of equal ones wins, and the last nan. Bytes moved, as elements of T:
   input + output, and a byte (CHOICE) for each output if the choice is wanted.

   `backward` gathers: one thread makes one element of grad_input. It looks at the windows that have the element in
   them, and adds up the gradients of those which chose it:

       grad_input[h, w] = Σ grad_output[i, j]   over (i, j) with choice[i, j] = u · K_w + v,
                          where h = i · s_h − p_h + u · d_h and w = j · s_w − p_w + v · d_w

   Nobody else writes there, so overlapping windows need neither zeros before nor atomic additions, whose order (and
   with it the last bits) would change from run to run.

   Settings: those of windows.cuh, and CHOICE, the type of choices.

   Compiled with: ELEMENT=float INDEX=int CHOICE="unsigned char" CHANNELS_LAST=0 K_H=3 K_W=3 S_H=2 S_W=2 P_H=1 P_W=1 D_H=1 D_W=1
   Compiled with: ELEMENT=half INDEX="long long" CHOICE=int CHANNELS_LAST=1 K_H=2 K_W=3 S_H=1 S_W=2 P_H=1 P_W=1 D_H=3 D_W=1 */

#include "windows.cuh"

typedef CHOICE Choice;

extern "C" __global__ void forward(const T* input, T* output, Choice* choice, long long count, long long channels,
                                   long long H, long long W, long long H_out, long long W_out) {
    const Index number = thread_number();
    if (number >= count) return;
    const Planes inputs(H, W, channels);
    const Place at(number, Planes(H_out, W_out, channels));

    Wide largest = -infinity();
    int winner = -1;
    for (int u = 0; u < K_H; ++u) {
        const Index row = at.row * S_H - P_H + u * D_H;
        if (row < 0 || row >= inputs.rows) continue;
        for (int v = 0; v < K_W; ++v) {
            const Index column = at.column * S_W - P_W + v * D_W;
            if (column < 0 || column >= inputs.columns) continue;
            const Wide value = input[inputs.offset(at.outer, row, column, at.inner)];
            if (winner < 0 || value > largest || value != value) {
                largest = value;
                winner = u * K_W + v;
            }
        }
    }
    output[number] = (T)largest;
    if (choice) choice[number] = winner < 0 ? 0 : winner;  // a window of padding alone: nothing has that number
}

extern "C" __global__ void backward(const T* grad_output, const Choice* choice, T* grad_input, long long count,
                                    long long channels, long long H, long long W, long long H_out, long long W_out) {
    const Index number = thread_number();
    if (number >= count) return;
    const Planes outputs(H_out, W_out, channels);
    const Place at(number, Planes(H, W, channels));
    const Covering rows = covering_rows(at.row, H_out), columns = covering_columns(at.column, W_out);

    Wide sum = 0;
    for (Index i = rows.first; i <= rows.last; ++i)
        for (Index j = columns.first; j <= columns.last; ++j) {
            const int u = rows.element(i), v = columns.element(j);
            const Index window = outputs.offset(at.outer, i, j, at.inner);
            if (u >= 0 && v >= 0 && choice[window] == u * K_W + v) sum += (Wide)grad_output[window];
        }
    grad_input[number] = (T)sum;
}
