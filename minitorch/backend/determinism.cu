/* Adding values into the places that indices name, with one order of additions.

   `order` sorts the places and keeps the order of values that go to the same one. So these follow one another, and the
   thread of the first adds them all up, one after another. Where many values go to one place, that thread works alone:
   it is the price of an order.

   Settings: those of numbers.cuh.

   Compiled with: ELEMENT=float INDEX=int
   Compiled with: ELEMENT=half INDEX="long long" */

#include "numbers.cuh"

extern "C" __global__ void add_in_order(const long long* places, const long long* order, const T* values, T* target,
                                        long long count) {
    const Index first = thread_number();
    if (first >= count) return;
    const long long place = places[order[first]];
    if (first > 0 && places[order[first - 1]] == place) return;
    Wide sum = (Wide)target[place];
    for (Index i = first; i < count && places[order[i]] == place; ++i) sum += (Wide)values[order[i]];
    target[place] = (T)sum;
}
