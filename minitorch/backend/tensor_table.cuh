/* Many tensors in one launch: a table that travels with the kernel's arguments, by value.

   An optimizer's step is a few operations on each of some hundred tensors, most of them small. A launch takes longer
   than a small tensor's arithmetic, so one launch does all of them (or TENSORS at a time: arguments may take 4 KB).

   A kernel works on LISTS lists of arrays, such as the parameters, their gradients and their momentum buffers; the
   arrays with number t of all lists have the same size and order in memory. Tensor t is done by the blocks
   first_block[t] … first_block[t + 1] − 1, each of which has CHUNK elements.

   Being an argument, the table is a part of a captured graph, too: nothing in memory could go stale.

   Settings: TENSORS, LISTS, CHUNK. */

#pragma once

struct TensorTable {
    long long first_block[TENSORS + 1];
    long long size[TENSORS];
    void* array[LISTS][TENSORS];
};

/* The elements start … end − 1 of a tensor: what this block has to do. */
struct Chunk {
    int tensor;
    long long start, end;

    __device__ explicit Chunk(const TensorTable& table) {
        int low = 0, high = TENSORS;  // first_block[low] ≤ blockIdx.x < first_block[high]
        while (high - low > 1) {
            const int middle = (low + high) / 2;
            if (table.first_block[middle] <= blockIdx.x)
                low = middle;
            else
                high = middle;
        }
        tensor = low;
        start = (blockIdx.x - table.first_block[low]) * CHUNK;
        end = start + CHUNK < table.size[low] ? start + CHUNK : table.size[low];
    }
};
