// What all kernels share. Plain C++17, so that tests can compile it for a CPU too (tests/support/cuda/shim.h).
//
// Every kernel is deterministic: no atomics, sums in an order that depends on sizes only. Kernels never check anything:
// whoever binds one answers for shapes and types.

typedef unsigned long long word;

#define EACH(i, count) \
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (count); i += gridDim.x * blockDim.x)
#define EVERY_LANE 0xffffffffu

struct Sizes {
    int at[24];
};

// 64 random bits: element `index` of the stream of a key, the same as workbench/engine/random.py gives (SplitMix64).
__device__ __forceinline__ word mixed(word key, word index)
{
    word z = (index + 1ull) * 0x9E3779B97F4A7C15ull + key;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

// Inverted dropout by the random bits of a value's place; each row begins at an even place of the stream.
__device__ __forceinline__ float dropped_value(
    float value, int place, word key, int row_size, int first_row, float rate, float scale)
{
    int row = place / row_size, column = place % row_size, pairs = (row_size + 1) / 2;
    word bits = mixed(key, (word)(row + first_row) * pairs + column / 2);
    unsigned half = column % 2 ? (unsigned)(bits >> 32) : (unsigned)bits;
    float draw = (float)(half >> 8) * 5.9604644775390625e-8f;
    return draw >= rate ? value * scale : 0.0f;
}

template <class T>
__device__ __forceinline__ T warp_sum(T value)
{
    for (int step = 16; step > 0; step /= 2)
        value += __shfl_xor_sync(EVERY_LANE, value, step);
    return value;
}

// The sum over a block of at most 1024 threads, whole warps, in one dimension; every thread gets it.
template <class T>
__device__ __forceinline__ T block_sum(T value)
{
    __shared__ T parts[33];
    value = warp_sum(value);
    if (threadIdx.x % 32 == 0)
        parts[threadIdx.x / 32] = value;
    __syncthreads();
    if (threadIdx.x < 32) {
        T part = threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : T(0);
        part = warp_sum(part);
        if (threadIdx.x == 0)
            parts[32] = part;
    }
    __syncthreads();
    value = parts[32];
    // The next sum may write its parts only when all have read this one.
    __syncthreads();
    return value;
}
