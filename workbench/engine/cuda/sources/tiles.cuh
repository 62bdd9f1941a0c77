// Matrix products in float32 by tiles: a block works out TILE by TILE sums, a thread 4 by 4 of them, 16 deep at a time.
//
// What the matrices are is left to loaders, so that a convolution's windows need not be copied together first. A loader
// has `outer(i)` for a row of the left (a column of the right) matrix, `inner(k)` for a place in the depth, and
// `at(outer, inner)`. DEEP says that neighbors in depth lie side by side in memory: threads then read along it.

#define SLICE 16

template <int TILE, bool DEEP, class Loader>
struct Reader {
    static const int THREADS = TILE * TILE / 16, OUTERS = DEEP ? TILE * SLICE / THREADS : 1;
    static const int COUNT = TILE * SLICE / THREADS, STEP = DEEP ? THREADS / SLICE : THREADS / TILE;

    const Loader& loader;
    int first, limit;
    typename Loader::Outer outers[OUTERS];
    float values[COUNT];

    __device__ __forceinline__ Reader(const Loader& loader, int first, int limit)
        : loader(loader), first(first), limit(limit)
    {
#pragma unroll
        for (int i = 0; i < OUTERS; i++) {
            int outer = place(i);
            outers[i] = loader.outer(first + outer < limit ? first + outer : limit - 1);
        }
    }

    // Where a thread's value number `i` stands in the tile, across and in depth.
    __device__ __forceinline__ int place(int i) const
    {
        return DEEP ? threadIdx.x / SLICE + i * STEP : threadIdx.x % TILE;
    }

    __device__ __forceinline__ int depth(int i) const
    {
        return DEEP ? threadIdx.x % SLICE : threadIdx.x / TILE + i * STEP;
    }

    __device__ __forceinline__ void load(int start, int stop)
    {
#pragma unroll
        for (int i = 0; i < COUNT; i++) {
            int k = start + depth(i);
            bool there = k < stop && first + place(i) < limit;
            values[i] = there ? loader.at(outers[DEEP ? i : 0], loader.inner(k)) : 0.0f;
        }
    }

    __device__ __forceinline__ void store(float (*tile)[TILE + 4]) const
    {
#pragma unroll
        for (int i = 0; i < COUNT; i++)
            tile[depth(i)][place(i)] = values[i];
    }
};

template <int TILE>
struct Slices {
    float lefts[SLICE][TILE + 4], rights[SLICE][TILE + 4];
};

// A block's, the same for all products that a kernel may have to make: one of them is made.
template <int TILE>
__device__ __forceinline__ Slices<TILE>& slices_of_block()
{
    __shared__ Slices<TILE> slices;
    return slices;
}

// Sums over the depth from `start` to `stop`, for a tile (they are counted by columns of tiles, then rows). They are
// written to out[row * step + column].
template <int TILE, bool LEFT_DEEP, bool RIGHT_DEEP, class Left, class Right>
__device__ __forceinline__ void product(
    const Left& left, const Right& right, float* out, int step, int tile, int rows, int columns, int start, int stop)
{
    float(*lefts)[TILE + 4] = slices_of_block<TILE>().lefts, (*rights)[TILE + 4] = slices_of_block<TILE>().rights;
    const int SIDE = TILE / 4;
    int across = (columns + TILE - 1) / TILE;
    int row = tile / across * TILE, column = tile % across * TILE;
    Reader<TILE, LEFT_DEEP, Left> left_reader(left, row, rows);
    Reader<TILE, RIGHT_DEEP, Right> right_reader(right, column, columns);
    int down = threadIdx.x / SIDE * 4, over = threadIdx.x % SIDE * 4;
    float sums[4][4] = {};
    left_reader.load(start, stop);
    right_reader.load(start, stop);
    for (int k = start; k < stop; k += SLICE) {
        left_reader.store(lefts);
        right_reader.store(rights);
        __syncthreads();
        // The next values are on their way while these are multiplied.
        if (k + SLICE < stop) {
            left_reader.load(k + SLICE, stop);
            right_reader.load(k + SLICE, stop);
        }
#pragma unroll
        for (int d = 0; d < SLICE; d++) {
            float a[4], b[4];
#pragma unroll
            for (int i = 0; i < 4; i++) {
                a[i] = lefts[d][down + i];
                b[i] = rights[d][over + i];
            }
#pragma unroll
            for (int i = 0; i < 4; i++)
#pragma unroll
                for (int j = 0; j < 4; j++)
                    sums[i][j] += a[i] * b[j];
        }
        __syncthreads();
    }
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            if (row + down + i < rows && column + over + j < columns)
                out[(long long)(row + down + i) * step + column + over + j] = sums[i][j];
}
