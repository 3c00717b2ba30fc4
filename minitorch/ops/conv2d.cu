/* Convolution and its two gradients as *implicit* matrix products: step 4 of the story in conv2d.py.

   Step 2 there (`by_columns`) copies the window of every output element into a column and multiplies once:

       output (C_out × places) = weight (C_out × K) · columns (K × places)

   with K = C_in · K_h · K_w, and places = N · H_out · W_out if the images lie side by side. The columns are K_h · K_w
   times as large as the input, and are written only to be read once. But every element of them is an element of the
   input (or a zero of the padding), and it is known which:

       columns[(c, u, v), (n, i, j)] = input[n, c, i · s_h − p_h + u · d_h, j · s_w − p_w + v · d_w]

   So the engine of tiled_product.cuh, when it asks for a tile of `columns`, is given the elements straight from the
   image. That is all that "implicit GEMM" means.

   The sum splits into what depends on the place (n, i, j) and what depends on the tap (c, u, v):

                        memory offset                row                column
       place   n · stride_n + …               i · s_h − p_h      j · s_w − p_w
       tap     c · stride_c + …               u · d_h            v · d_w
       ─────────────────────────────────────────────────────────────────────────
       sum     where it lies in memory        inside 0 … H − 1?  inside 0 … W − 1?  else it is padding: 0

   Either side is a *lattice*: a number is written in three digits (outer, middle, inner), and the digits step through
   an image. A thread keeps one side fixed and counts the other up, digit by digit with carries, so that the inner loop
   never divides. All three functions are products of such gathers:

       function           row m            column n          k                 A                  B
       convolve           o                place (n, i, j)   tap (c, u, v)     weight             input at place + tap
       transpose          c                place (n, y, x)   tap (o, u, v)     weight, flipped    output at place + tap
       correlate_kernel   o                tap (c, u, v)     place (n, i, j)   output at place    input at place + tap

   `transpose` with a stride: the element (y, x) of the input met the output (i, j) by the tap (u, v) where
   i · s_h = y + p_h − u · d_h. For one remainder of y modulo s_h, only some taps u can make the right side divisible,
   and for those i falls by a fixed step from tap to tap. So it is s_h · s_w ordinary gathers without stride, one for
   each pair of remainders (`Phase`), which together visit every product exactly once.

   gather.cuh has the lattices and the operand, this file what they are for each function.

   Settings: those of tiled_product.cuh, and MASKS, 1 for kernels of up to 16 × 15 taps (see gather.cuh). Images may have
   any strides, the weight lies in one piece.

   Compiled with: ELEMENT=float TENSOR_CORES=0 TILE_M=128 TILE_N=128 TILE_K=8 WARP_M=64 WARP_N=32 BLOCKS=2 MASKS=0
   Compiled with: ELEMENT=float TENSOR_CORES=1 TILE_M=128 TILE_N=128 TILE_K=16 WARP_M=64 WARP_N=64 BLOCKS=2 MASKS=1
   Compiled with: ELEMENT=float TENSOR_CORES=1 TILE_M=64 TILE_N=64 TILE_K=16 WARP_M=32 WARP_N=32 BLOCKS=4 MASKS=0
   Compiled with: ELEMENT=half TENSOR_CORES=1 TILE_M=128 TILE_N=64 TILE_K=16 WARP_M=64 WARP_N=32 BLOCKS=3 MASKS=1
   Compiled with: ELEMENT=half TENSOR_CORES=0 TILE_M=16 TILE_N=256 TILE_K=8 WARP_M=16 WARP_N=32 BLOCKS=2 MASKS=1
   Compiled with: ELEMENT=double TENSOR_CORES=0 TILE_M=64 TILE_N=64 TILE_K=8 WARP_M=32 WARP_N=16 BLOCKS=2 MASKS=1 */

#include "gather.cuh"

/* Takes the sums (kernel m, tap n) to the weight. */
struct ToWeight {
    T* weight;
    int taps;
    __device__ T* row(int m) const { return weight + m * taps; }
    __device__ int column(int n) const { return n; }
    __device__ void store(T* row, int n, Accumulator sum) const { row[n] = static_cast<T>(sum); }
};

// ── the arguments of every kernel ────────────────────────────────────────────────────────────────────────────────────

struct Strides {
    int n, c, row, column;
};

/* The numbers of a call, as conv2d_cuda.py writes them: `numbers` there. Channels are those of one group. */
struct Numbers {
    int parts, room;  // see Share in tiled_product.cuh
    int N, C_in, H, W, C_out, H_out, W_out, K_h, K_w, s_h, s_w, p_h, p_w, d_h, d_w, groups;
    Strides input_strides, output_strides;
};

#define ARGUMENTS T *input, T *weight, T *output, const T *bias, Accumulator *partial, const Numbers numbers
#define CALL {numbers, input, weight, output, bias}

struct Call : Numbers {
    T *input, *weight, *output;
    const T* bias;

    __device__ int kernel_size() const { return C_in * K_h * K_w; }
    __device__ T* weight_of(int group) const { return weight + group * C_out * kernel_size(); }
    __device__ const T* bias_from(int channel) const { return bias ? bias + channel : bias; }
    __device__ Planes input_of(int group) const {
        return {input + group * C_in * input_strides.c, H, W, input_strides.row, input_strides.column};
    }
    __device__ Planes output_of(int group) const {
        return {output + group * C_out * output_strides.c, H_out, W_out, output_strides.row, output_strides.column};
    }

    /* The lattices of the table above. */
    __device__ Lattice windows() const { return {N, H_out, W_out, input_strides.n, -p_h, s_h, -p_w, s_w}; }
    __device__ Lattice taps() const { return {C_in, K_h, K_w, input_strides.c, 0, d_h, 0, d_w}; }
    __device__ Lattice output_places() const { return {N, H_out, W_out, output_strides.n, 0, 1, 0, 1}; }
};

// ── the three products ───────────────────────────────────────────────────────────────────────────────────────────────

typedef Product<Matrix<true>, Gather<false, Lattice>, ToImage> Convolution;
typedef Product<Gather<true, Channels>, Gather<false, Lattice>, ToImage> Transposition;
typedef Product<Gather<true, Channels>, Gather<true, Lattice>, ToWeight> Correlation;

__device__ inline Convolution convolution(const Call& call, int group) {
    const int K = call.kernel_size();
    const bool is_aligned = K * sizeof(T) % 16 == 0 && reinterpret_cast<unsigned long long>(call.weight) % 16 == 0;
    const Matrix<true> weight = {call.weight_of(group), K, 1, call.C_out, K, is_aligned};
    const Gather<false, Lattice> columns = {call.input_of(group), call.windows(), call.taps()};
    const ToImage output = {call.output_of(group), call.output_places(), call.output_strides.c,
                            call.bias_from(group * call.C_out)};
    return {weight, columns, output, call.C_out, call.N * call.H_out * call.W_out, K};
}

/* Along one axis: the places y = first_place + a · stride, the taps u = first_tap + r · tap_step that reach them, and
   the window that each pair belongs to, i = first_window + a − r · window_step. */
struct Phase {
    int places, first_tap, taps, tap_step, first_window, window_step;
};

__device__ inline Phase phase(int first_place, int size, int kernel_size, int stride, int padding, int dilation) {
    int first_tap = 0, tap_step = 1;
    while (first_tap < kernel_size && (first_place + padding - first_tap * dilation) % stride != 0) first_tap++;
    while (tap_step * dilation % stride != 0) tap_step++;
    const int places = first_place < size ? ceil_divide(size - first_place, stride) : 0;
    const int taps = first_tap < kernel_size ? ceil_divide(kernel_size - first_tap, tap_step) : 0;
    const int first_window = (first_place + padding - first_tap * dilation) / stride;
    return {places, first_tap, taps, tap_step, first_window, tap_step * dilation / stride};
}

__device__ inline int at_least_one(int count) { return count > 0 ? count : 1; }  // K is 0 then, and nothing is read

__device__ inline Transposition transposition(const Call& call, int number) {
    const int group = number % call.groups, remainder = number / call.groups;
    const int y = remainder / call.s_w, x = remainder % call.s_w;
    const Phase rows = phase(y, call.H, call.K_h, call.s_h, call.p_h, call.d_h);
    const Phase columns = phase(x, call.W, call.K_w, call.s_w, call.p_w, call.d_w);
    const int taps_h = at_least_one(rows.taps), taps_w = at_least_one(columns.taps);
    const int places_h = at_least_one(rows.places), places_w = at_least_one(columns.places);

    const Planes kernels = {call.weight_of(group), call.K_h, call.K_w, call.K_w, 1};
    const Lattice kernel_taps = {call.C_out,      taps_h,        taps_w,           call.kernel_size(), rows.first_tap,
                                 rows.tap_step, columns.first_tap, columns.tap_step};
    const Gather<true, Channels> weight = {kernels, {call.C_in, call.K_h * call.K_w}, kernel_taps};

    const Lattice places = {call.N, places_h, places_w, call.output_strides.n, rows.first_window, 1,
                            columns.first_window, 1};
    const Lattice taps = {call.C_out, taps_h, taps_w, call.output_strides.c, 0, -rows.window_step, 0,
                          -columns.window_step};
    const Gather<false, Lattice> windows = {call.output_of(group), places, taps};

    const Lattice input_places = {call.N, places_h, places_w, call.input_strides.n, y, call.s_h, x, call.s_w};
    const ToImage input = {call.input_of(group), input_places, call.input_strides.c,
                           call.bias_from(group * call.C_in)};
    return {weight, windows, input, call.C_in, call.N * rows.places * columns.places,
            call.C_out * rows.taps * columns.taps};
}

__device__ inline Correlation correlation(const Call& call, int group) {
    const Gather<true, Channels> output = {
        call.output_of(group), {call.C_out, call.output_strides.c}, call.output_places()};
    const Gather<true, Lattice> columns = {call.input_of(group), call.taps(), call.windows()};
    return {output, columns, ToWeight{call.weight_of(group), call.kernel_size()}, call.C_out, call.kernel_size(),
            call.N * call.H_out * call.W_out};
}

/* blockIdx.x counts the tiles of a product; y and z together (neither goes beyond 65,535) the products and their
   parts. */
#define BLOCK static_cast<int>(blockIdx.z * gridDim.y + blockIdx.y)

template <class Product>
__device__ void multiply(const Call& call, Product product_of(const Call&, int), int products, Accumulator* partial) {
    const int number = BLOCK % products, part = BLOCK / products;
    if (part < call.parts) multiply_tile(product_of(call, number), {partial, call.room, number, part, call.parts});
}

template <class Product>
__device__ void add(const Call& call, Product product_of(const Call&, int), int products, Accumulator* partial) {
    if (BLOCK < products) add_parts(product_of(call, BLOCK), {partial, call.room, BLOCK, 0, call.parts});
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) convolve(ARGUMENTS) {
    const Call call = CALL;
    multiply(call, convolution, call.groups, partial);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) transpose(ARGUMENTS) {
    const Call call = CALL;
    multiply(call, transposition, call.groups * call.s_h * call.s_w, partial);
}

extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) correlate_kernel(ARGUMENTS) {
    const Call call = CALL;
    multiply(call, correlation, call.groups, partial);
}

extern "C" __global__ void convolve_parts(ARGUMENTS) {
    const Call call = CALL;
    add(call, convolution, call.groups, partial);
}

extern "C" __global__ void transpose_parts(ARGUMENTS) {
    const Call call = CALL;
    add(call, transposition, call.groups * call.s_h * call.s_w, partial);
}

extern "C" __global__ void correlate_kernel_parts(ARGUMENTS) {
    const Call call = CALL;
    add(call, correlation, call.groups, partial);
}

// ── few channels in a group: the definition itself ───────────────────────────────────────────────────────────────────

/* A depthwise convolution (groups = C_in) is as many products of one row as there are channels: a tile of 16 rows would
   be wasted on it. There is little to reuse, and what is reused the caches hold. So a thread makes an element, and sums
   what the formulas in conv2d.py say, tap by tap. */

__device__ inline int offset(const Planes& planes, const Strides& strides, int n, int c, int row, int column) {
    return n * strides.n + c * strides.c + row * planes.row_stride + column * planes.column_stride;
}

__device__ inline Accumulator at(const Planes& planes, const Strides& strides, int n, int c, int row, int column) {
    return static_cast<Accumulator>(planes.data[offset(planes, strides, n, c, row, column)]);
}

#define ELEMENT_OF_THREAD (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x)

/* A thread an element (n, group, o, i, j) of the output. */
extern "C" __global__ void direct_convolve(ARGUMENTS) {
    const Call call = CALL;
    const int C_out = call.C_out * call.groups, H_out = call.H_out, W_out = call.W_out;
    const long long element = ELEMENT_OF_THREAD;
    if (element >= static_cast<long long>(call.N) * C_out * H_out * W_out) return;
    const int j = element % W_out, i = element / W_out % H_out;
    const int o = element / (W_out * H_out) % C_out, n = element / (W_out * H_out) / C_out;
    const Planes image = call.input_of(o / call.C_out), result = call.output_of(0);
    const T* kernel = weight + o * call.kernel_size();
    Accumulator sum = bias ? static_cast<Accumulator>(bias[o]) : 0;
    for (int c = 0; c < call.C_in; c++)
        for (int u = 0; u < call.K_h; u++)
            for (int v = 0; v < call.K_w; v++, kernel++) {
                const int row = i * call.s_h - call.p_h + u * call.d_h, column = j * call.s_w - call.p_w + v * call.d_w;
                if (is_inside(row, column, image))
                    sum += at(image, call.input_strides, n, c, row, column) * static_cast<Accumulator>(*kernel);
            }
    result.data[offset(result, call.output_strides, n, o, i, j)] = static_cast<T>(sum);
}

/* A thread an element (n, group, c, y, x) of the input: the windows that it lies in are found by trying every tap. */
extern "C" __global__ void direct_transpose(ARGUMENTS) {
    const Call call = CALL;
    const int C_in = call.C_in * call.groups, H = call.H, W = call.W;
    const long long element = ELEMENT_OF_THREAD;
    if (element >= static_cast<long long>(call.N) * C_in * H * W) return;
    const int x = element % W, y = element / W % H, c = element / (W * H) % C_in, n = element / (W * H) / C_in;
    const int group = c / call.C_in;
    const Planes windows = call.output_of(group), result = call.input_of(0);
    const T* kernels = call.weight_of(group) + c % call.C_in * call.K_h * call.K_w;
    Accumulator sum = bias ? static_cast<Accumulator>(bias[c]) : 0;
    for (int o = 0; o < call.C_out; o++)
        for (int u = 0; u < call.K_h; u++)
            for (int v = 0; v < call.K_w; v++) {
                const int row = y + call.p_h - u * call.d_h, column = x + call.p_w - v * call.d_w;
                if (row % call.s_h || column % call.s_w) continue;
                const int i = row / call.s_h, j = column / call.s_w;
                if (is_inside(i, j, windows))
                    sum += at(windows, call.output_strides, n, o, i, j) *
                           static_cast<Accumulator>(kernels[o * call.kernel_size() + u * call.K_w + v]);
            }
    result.data[offset(result, call.input_strides, n, c, y, x)] = static_cast<T>(sum);
}

/* A block an element (group, o, c, u, v) of the weight: every thread sums over some of the places, and then half of
   them add the sums of the other half, again and again. The order is always the same, and so is the result. */
extern "C" __global__ void direct_correlate_kernel(ARGUMENTS) {
    constexpr int THREADS = 256;
    __shared__ Accumulator sums[THREADS];
    const Call call = CALL;
    const int element = blockIdx.x, H_out = call.H_out, W_out = call.W_out;
    const int v = element % call.K_w, u = element / call.K_w % call.K_h;
    const int c = element / (call.K_w * call.K_h) % call.C_in, o = element / call.kernel_size();
    const Planes windows = call.output_of(0), image = call.input_of(o / call.C_out);
    Accumulator sum = 0;
    for (long long place = threadIdx.x; place < static_cast<long long>(call.N) * H_out * W_out; place += THREADS) {
        const int j = place % W_out, i = place / W_out % H_out, n = place / (W_out * H_out);
        const int row = i * call.s_h - call.p_h + u * call.d_h, column = j * call.s_w - call.p_w + v * call.d_w;
        if (is_inside(row, column, image))
            sum += at(image, call.input_strides, n, c, row, column) * at(windows, call.output_strides, n, o, i, j);
    }
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) weight[element] = static_cast<T>(sums[0]);
}
