/* Runs a grid of CUDA threads on a CPU: blocks one after another, and the threads of a block as fibers.

   A fiber is a stack and a place in the program. It runs until its thread ends, or waits at a barrier; then the next one
   goes on. At a barrier of the block, and at what the lanes of a warp do together, the last thread to come lets the
   others go on. Where no thread can, the block has come apart: not all of its threads reached the same barrier. That and
   a memory access outside of the arrays end the launch with a message. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

struct Triple { unsigned x, y, z; };
struct Meeting { unsigned long long value; unsigned votes; };

extern "C" {
Triple threadIdx, blockIdx, blockDim, gridDim;
}

namespace {

constexpr int MOST_THREADS = 1024, WARP = 32;
constexpr size_t STACK = 256 << 10;

enum State { READY, AT_BARRIER, IN_WARP, ENDED };

struct Thread {
    State state;
    bool has_stack;  // a fiber that waits for its next thread, or is in the middle of one
    jmp_buf place;
    ucontext_t start;
    Triple index;
    int line;  // where it waits
    unsigned mask;
    int source;
    unsigned long long value;
    Meeting result;
};

struct Warp { unsigned arrived, existing; };

Thread threads[MOST_THREADS];
Warp warps[MOST_THREADS / WARP];
int count, current, at_barrier;
jmp_buf scheduler;
sigjmp_buf failed;
char message[512];
char* stacks;

void (*kernel)(void**);
void** arguments;
unsigned char* shared_memory;

[[noreturn]] void fail(const char* format, ...) {
    char text[300];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    snprintf(message, sizeof message, "%s: block (%u, %u, %u), thread (%u, %u, %u)", text, blockIdx.x, blockIdx.y,
             blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
    siglongjmp(failed, 1);
}

void become(int number) {
    current = number;
    threadIdx = threads[number].index;
}

/* Let others run until this thread is READY again. */
void wait_as(State state, int line) {
    Thread& thread = threads[current];
    thread.state = state;
    thread.line = line;
    if (!_setjmp(thread.place)) _longjmp(scheduler, 1);
}

void fiber() {
    for (;;) {
        kernel(arguments);
        wait_as(ENDED, 0);
    }
}

/* Run thread `number` until it waits or ends. */
void resume(int number) {
    become(number);
    Thread& thread = threads[number];
    if (_setjmp(scheduler)) return;
    if (thread.has_stack) _longjmp(thread.place, 1);
    thread.has_stack = true;
    getcontext(&thread.start);
    thread.start.uc_stack.ss_sp = stacks + number * STACK + sysconf(_SC_PAGESIZE);
    thread.start.uc_stack.ss_size = STACK - sysconf(_SC_PAGESIZE);
    makecontext(&thread.start, fiber, 0);
    setcontext(&thread.start);
}

/* No thread can go on: say which two are the odd ones. */
[[noreturn]] void fail_apart() {
    int waiting = -1, other = -1;
    for (int t = 0; t < count; t++)
        if (threads[t].state != ENDED && waiting < 0) waiting = t;
    for (int t = 0; t < count; t++)
        if (threads[t].state != threads[waiting].state) other = t;
    become(waiting);
    const char* what = threads[waiting].state == AT_BARRIER ? "__syncthreads()" : "a function of its warp";
    if (other < 0) fail("deadlock: lanes wait in line %d for others of their mask %08x", threads[waiting].line,
                        threads[waiting].mask);
    const Triple index = threads[other].index;
    if (threads[other].state == ENDED)
        fail("%s in line %d is not reached by thread (%u, %u, %u), which has ended", what, threads[waiting].line, index.x,
             index.y, index.z);
    fail("%s in line %d is not reached by thread (%u, %u, %u), which waits in line %d", what, threads[waiting].line,
         index.x, index.y, index.z, threads[other].line);
}

void run_block(bool backwards) {
    at_barrier = 0;
    for (int w = 0; w * WARP < count; w++) {
        const int lanes = count - w * WARP;
        warps[w] = {0, lanes >= WARP ? 0xffffffffu : (1u << lanes) - 1};
    }
    for (int t = 0; t < count; t++) {
        Thread& thread = threads[t];
        thread.state = READY;
        thread.index = {t % blockDim.x, t / blockDim.x % blockDim.y, t / blockDim.x / blockDim.y};
    }
    for (;;) {
        bool ended = true, moved = false;
        for (int i = 0; i < count; i++) {
            const int t = backwards ? count - 1 - i : i;
            if (threads[t].state == READY) {
                resume(t);
                moved = true;
            }
            ended = ended && threads[t].state == ENDED;
        }
        if (ended) return;
        if (!moved) fail_apart();
    }
}

void on_signal(int number, siginfo_t* info, void*) {
    const char* where = (const char*)info->si_addr;
    if (number == SIGFPE) fail("integer division by zero");
    if (stacks && where >= stacks && where < stacks + MOST_THREADS * STACK) fail("stack overflow");
    if (number == SIGILL) fail("a vector at an address of another alignment, or an index outside of an array");
    fail("a read or write outside of an array or of the shared memory");
}

struct Handlers {
    struct sigaction before[4];
    stack_t stack_before;
    static constexpr int signals[4] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

    Handlers() {
        static char* memory = (char*)malloc(64 << 10);
        const stack_t stack = {memory, 0, 64 << 10};
        sigaltstack(&stack, &stack_before);
        struct sigaction action = {};
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
        for (int i = 0; i < 4; i++) sigaction(signals[i], &action, &before[i]);
    }
    ~Handlers() {
        for (int i = 0; i < 4; i++) sigaction(signals[i], &before[i], nullptr);
        sigaltstack(&stack_before, nullptr);
    }
};

void make_stacks() {
    if (stacks) return;
    stacks = (char*)mmap(nullptr, MOST_THREADS * STACK, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (int t = 0; t < MOST_THREADS; t++) mprotect(stacks + t * STACK, sysconf(_SC_PAGESIZE), PROT_NONE);
}

}  // namespace

extern "C" {

unsigned emulator_lane() { return current % WARP; }
unsigned char* emulator_shared_memory() { return shared_memory; }
void emulator_fail(const char* text) { fail("%s", text); }

void emulator_meet_block(int line) {
    if (++at_barrier < count) return wait_as(AT_BARRIER, line);
    at_barrier = 0;
    for (int t = 0; t < count; t++) {
        if (t == current) continue;
        if (threads[t].line != line)
            fail("__syncthreads() in line %d meets another thread's in line %d", line, threads[t].line);
        threads[t].state = READY;
    }
}

Meeting emulator_meet_warp(unsigned mask, int line, int source, unsigned long long value) {
    Thread& me = threads[current];
    const int lane = current % WARP, first = current - lane;
    Warp& warp = warps[current / WARP];
    if (!(mask >> lane & 1)) fail("line %d: the mask %08x leaves out the lane that names it", line, mask);
    me.mask = mask, me.source = source, me.value = value, me.line = line;
    const unsigned members = mask & warp.existing;
    warp.arrived |= 1u << lane;
    if ((warp.arrived & members) != members) {
        wait_as(IN_WARP, line);
        return me.result;
    }
    unsigned votes = 0;
    for (int l = 0; l < WARP; l++)
        if (members >> l & 1) votes |= unsigned(threads[first + l].value != 0) << l;
    for (int l = 0; l < WARP; l++) {
        if (!(members >> l & 1)) continue;
        Thread& thread = threads[first + l];
        if (thread.mask != mask || thread.line != line)
            fail("line %d, mask %08x: another lane is in line %d, with mask %08x", line, mask, thread.line, thread.mask);
        if (thread.source >= 0 && !(members >> thread.source & 1))
            fail("line %d: lane %d reads lane %d, which takes no part (mask %08x)", line, l, thread.source, mask);
        thread.result = {thread.source < 0 ? 0 : threads[first + thread.source].value, votes};
        thread.state = READY;
    }
    warp.arrived &= ~members;
    return me.result;
}

/* Memory that ends where an access traps: `size` bytes, aligned to 16, so that up to 15 bytes follow, which are nan. */
unsigned char* emulator_guarded(size_t size) {
    const size_t page = sysconf(_SC_PAGESIZE), rounded = (size + page - 1) / page * page;
    char* memory = (char*)mmap(nullptr, rounded + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(memory, page, PROT_NONE);
    mprotect(memory + page + rounded, page, PROT_NONE);
    memset(memory + page, 0xff, rounded);
    return (unsigned char*)memory + page + rounded - (size + 15) / 16 * 16;
}

/* Give it back; false if something was written before or behind it. */
bool emulator_release(unsigned char* start, size_t size) {
    const size_t page = sysconf(_SC_PAGESIZE), rounded = (size + page - 1) / page * page;
    unsigned char* memory = start + (size + 15) / 16 * 16 - rounded;
    bool untouched = true;
    for (unsigned char* byte = memory; byte < memory + rounded; byte++)
        if ((byte < start || byte >= start + size) && *byte != 0xff) untouched = false;
    munmap(memory - page, rounded + 2 * page);
    return untouched;
}

/* Null, or what went wrong. `shared` is the part of the kernel's library that holds its `__shared__` variables. */
const char* emulator_run(void (*function)(void**), void** values, const unsigned* grid, const unsigned* block,
                         size_t shared_bytes, char* shared, size_t shared_size, int backwards) {
    make_stacks();
    Handlers handlers;
    kernel = function, arguments = values;
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block[0], block[1], block[2]};
    count = block[0] * block[1] * block[2];
    const char* volatile result = nullptr;
    shared_memory = shared_bytes ? emulator_guarded(shared_bytes) : nullptr;
    if (sigsetjmp(failed, 1)) {
        for (Thread& thread : threads) thread.has_stack = false;  // they are in the middle of something
        result = message;
    } else {
        for (unsigned z = 0; z < grid[2]; z++)
            for (unsigned y = 0; y < grid[1]; y++)
                for (unsigned x = 0; x < grid[0]; x++) {
                    blockIdx = {x, y, z};
                    if (shared_size) memset(shared, 0xff, shared_size);
                    if (shared_bytes) memset(shared_memory, 0xff, shared_bytes);
                    run_block(backwards);
                }
    }
    if (shared_bytes && !emulator_release(shared_memory, shared_bytes) && !result)
        result = "a write outside of the shared memory";
    return result;
}
}
