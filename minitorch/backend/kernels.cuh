/* What a kernel file may need that CUDA C writes in one way and a test without a GPU in another. */

#pragma once

#ifndef SHARED_MEMORY

/* SHARED_MEMORY(float, tile); declares `float* tile`, the shared memory that a launch asked for with `shared_bytes`.
   All such names of a kernel mean the same memory. */
#define SHARED_MEMORY(type, name)                           \
    extern __shared__ __align__(16) unsigned char name##_[]; \
    type* const name = reinterpret_cast<type*>(name##_)

#endif
