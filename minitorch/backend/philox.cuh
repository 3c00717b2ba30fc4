/* Random words from a counter: Philox4x32-10.

   A generator that steps from state to state would make threads wait for one another. This one is a function: ten rounds
   of multiplying and mixing turn a counter of 128 bits, under a key of 64, into four words of 32 bits that look random.
   So element i of draw number `offset` takes word i % 4 of the counter (i / 4, offset), with the seed as the key, whoever
   computes it, and as often as he likes: a mask need not be stored to be used again.

   Seed and offset are arguments of a kernel. In a captured graph these would be the same in each replay, so there the
   kernel reads [seed, offset] on the device (`state`), and the argument `offset` counts from the one found there.

   Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011. */

#pragma once

typedef unsigned long long Word64;

struct RandomWords {
    unsigned word[4];

    __device__ RandomWords(const Word64* state, Word64 seed, Word64 offset, Word64 counter) {
        if (state) seed = state[0], offset += state[1];
        word[0] = (unsigned)counter, word[1] = (unsigned)(counter >> 32);
        word[2] = (unsigned)offset, word[3] = (unsigned)(offset >> 32);
        unsigned key[2] = {(unsigned)seed, (unsigned)(seed >> 32)};
        for (int round = 0; round < 10; ++round) {
            const Word64 first = 0xD2511F53ull * word[0], second = 0xCD9E8D57ull * word[2];
            word[0] = (unsigned)(second >> 32) ^ word[1] ^ key[0];
            word[1] = (unsigned)second;
            word[2] = (unsigned)(first >> 32) ^ word[3] ^ key[1];
            word[3] = (unsigned)first;
            key[0] += 0x9E3779B9u, key[1] += 0xBB67AE85u;
        }
    }

    /* Two words as one of 64 bits, the first one high. */
    __device__ Word64 wide(int pair) const { return (Word64)word[2 * pair] << 32 | word[2 * pair + 1]; }

    /* A multiple of 2⁻²⁴ in [0, 1). */
    __device__ float unit(int lane) const { return (float)(word[lane] >> 8) * (1.0f / 16777216); }

    /* A multiple of 2⁻⁵³ in [0, 1). */
    __device__ double wide_unit(int pair) const { return (double)(wide(pair) >> 11) * (1.0 / 9007199254740992); }
};
