// CUDA C for a CPU: what the kernels of workbench/engine/cuda use of the language, so that g++ compiles them as they are.
//
// Blocks run one after the other; the threads of a block are contexts of one thread, which take turns at barriers, in an
// order that can be chosen. So a missing barrier shows as a result that depends on the order, a barrier that not all
// threads reach and one that never opens are errors.

#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static

struct dim3 {
    unsigned x, y, z;
};

static dim3 threadIdx, blockIdx, blockDim, gridDim;

inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }

namespace emulator {

enum State { READY, AT_BLOCK, AT_WARP, DONE };

constexpr int MOST = 1024, STACK = 64 * 1024;

struct Thread {
    jmp_buf point;
    bool made;
    State state;
    dim3 place;
    unsigned long long shown;
};

static Thread threads[MOST];
static char* stacks = nullptr;
static jmp_buf scheduler;
static int current, count, order;
static char message[200];

// Contexts are entered once and then switched by jumps, which ask nothing of the system.
inline void wait(State state)
{
    threads[current].state = state;
    if (!_setjmp(threads[current].point))
        _longjmp(scheduler, 1);
}

template <class T>
T exchanged(T value, int partner)
{
    static_assert(sizeof(T) <= 8);
    memcpy(&threads[current].shown, &value, sizeof(T));
    wait(AT_WARP);
    int other = current / 32 * 32 + partner;
    T found;
    memcpy(&found, &threads[other].shown, sizeof(T));
    wait(AT_WARP);
    return found;
}

// The threads' turns: as they are counted, backwards, or every seventh.
inline int turn(int number)
{
    if (order == 1)
        return count - 1 - number;
    if (order == 2 && count % 7)
        return (int)((long long)number * 7 % count);
    return number;
}

inline bool opened(State kind, int first, int last)
{
    for (int t = first; t < last; t++)
        if (threads[t].state != kind)
            return false;
    for (int t = first; t < last; t++)
        threads[t].state = READY;
    return true;
}

inline bool all_done()
{
    for (int t = 0; t < count; t++)
        if (threads[t].state != DONE)
            return false;
    return true;
}

inline bool released()
{
    bool any = opened(AT_BLOCK, 0, count);
    // Threads of a warp that is not whole have nobody to exchange with.
    for (int first = 0; first + 32 <= count; first += 32)
        if (threads[first].state == AT_WARP)
            any = opened(AT_WARP, first, first + 32) || any;
    return any;
}

typedef void (*Body)(void*);
static Body body;
static void* given;

static void begin()
{
    while (true) {
        body(given);
        wait(DONE);
    }
}

__attribute__((noinline)) static void resume(int t)
{
    if (_setjmp(scheduler))
        return;
    current = t;
    threadIdx = threads[t].place;
    if (threads[t].made)
        _longjmp(threads[t].point, 1);
    threads[t].made = true;
    static ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = stacks + (size_t)t * STACK;
    context.uc_stack.ss_size = STACK;
    context.uc_link = nullptr;
    makecontext(&context, begin, 0);
    setcontext(&context);
}

inline bool run_block()
{
    if (!stacks)
        stacks = (char*)malloc((size_t)MOST * STACK);
    for (int t = 0; t < count; t++) {
        threads[t].state = READY;
        threads[t].place = {t % blockDim.x, t / blockDim.x % blockDim.y, t / (blockDim.x * blockDim.y)};
    }
    while (true) {
        for (int number = 0; number < count; number++) {
            int t = turn(number);
            if (threads[t].state == READY)
                resume(t);
        }
        if (all_done())
            return true;
        if (!released()) {
            for (int t = 0; t < MOST; t++)
                threads[t].made = false;
            snprintf(message, sizeof message, "not all threads of block %u, %u, %u reach a barrier", blockIdx.x, blockIdx.y, blockIdx.z);
            return false;
        }
    }
}

template <class... A>
struct Bound {
    void (*kernel)(A...);
    void** arguments;

    template <size_t... N>
    void call(std::index_sequence<N...>)
    {
        kernel(*(A*)arguments[N]...);
    }

    static void run(void* self) { ((Bound*)self)->call(std::index_sequence_for<A...>()); }
};

template <class... A>
const char* launch(void (*kernel)(A...), void** arguments, const unsigned* shape)
{
    Bound<A...> bound{kernel, arguments};
    body = Bound<A...>::run;
    given = &bound;
    gridDim = {shape[0], shape[1], shape[2]};
    blockDim = {shape[3], shape[4], shape[5]};
    count = blockDim.x * blockDim.y * blockDim.z;
    if (count > MOST)
        return "more threads than a block may have";
    unsigned blocks = gridDim.x * gridDim.y * gridDim.z;
    for (unsigned number = 0; number < blocks; number++) {
        unsigned b = order == 1 ? blocks - 1 - number : number;
        blockIdx = {b % gridDim.x, b / gridDim.x % gridDim.y, b / (gridDim.x * gridDim.y)};
        if (!run_block())
            return message;
    }
    return nullptr;
}

}  // namespace emulator

extern "C" void set_order(int order) { emulator::order = order; }

inline void __syncthreads() { emulator::wait(emulator::AT_BLOCK); }
inline void __syncwarp(unsigned = 0) { emulator::wait(emulator::AT_WARP); }

template <class T>
T __shfl_xor_sync(unsigned, T value, int mask)
{
    return emulator::exchanged(value, emulator::current % 32 ^ mask);
}

template <class T>
T __shfl_sync(unsigned, T value, int lane)
{
    return emulator::exchanged(value, lane);
}

inline float __int_as_float(int bits)
{
    float value;
    memcpy(&value, &bits, 4);
    return value;
}
