// Rows looked up in a table, and the table's gradient: the occurrences are sorted by row, and each row's are added up in
// the order in which they occur.

#define CHUNK 1024

// The row that a number stands for; what is no number stands for the first.
__device__ __forceinline__ int row_for(float number, int last)
{
    return (int)fminf(fmaxf(number, 0.0f), (float)last);
}

extern "C" __global__ void embed(const float* x, const float* table, float* y, int dimension, int last, int count)
{
    EACH(i, count) y[i] = table[(long long)row_for(x[i / dimension], last) * dimension + i % dimension];
}

// An occurrence: its row, and its place below. What fills the keys up comes last.
extern "C" __global__ void occurrences(const float* x, unsigned long long* keys, int last, int count, int keys_count)
{
    EACH(i, keys_count) keys[i] = i < count ? (word)row_for(x[i], last) << 32 | (word)i : ~0ull;
}

__device__ __forceinline__ int row_of(word key)
{
    return (int)(key >> 32);
}

__device__ __forceinline__ void sort_pair(word* keys, int low, int high, bool rising)
{
    word one = keys[low], other = keys[high];
    if ((one > other) == rising) {
        keys[low] = other;
        keys[high] = one;
    }
}

// The bitonic network of Batcher (Sorting networks and their applications, 1968): of a power of two of keys, all its steps
// within chunks, for sorted runs of `from` to `to` keys; a block a chunk.
extern "C" __global__ void __launch_bounds__(512) sort_within(unsigned long long* keys, int from, int to)
{
    __shared__ word chunk[CHUNK];
    int start = blockIdx.x * CHUNK;
    for (int i = threadIdx.x; i < CHUNK; i += blockDim.x)
        chunk[i] = keys[start + i];
    for (int run = from; run <= to; run *= 2)
        for (int step = min(run, CHUNK) / 2; step > 0; step /= 2) {
            int low = threadIdx.x / step * 2 * step + threadIdx.x % step;
            __syncthreads();
            sort_pair(chunk, low, low + step, ((start + low) & run) == 0);
        }
    __syncthreads();
    for (int i = threadIdx.x; i < CHUNK; i += blockDim.x)
        keys[start + i] = chunk[i];
}

// A step across chunks.
extern "C" __global__ void sort_across(unsigned long long* keys, int run, int step, int pairs)
{
    EACH(i, pairs) {
        int low = i / step * 2 * step + i % step;
        sort_pair(keys, low, low + step, (low & run) == 0);
    }
}

// Sums over stretches of `each` sorted occurrences, blocks of 32 columns by 8 stretches. A row's that all lie in one stretch
// are its gradient. Of a row that goes on in the next stretch, or came from the one before, the stretch's part is kept:
// parts (stretches, 2, dimension), first of the one that came from before, then of the one that begins there.
extern "C" __global__ void embedding_sums(
    const unsigned long long* keys, const float* dy, float* d_table, double* parts, int dimension, int padding, int each,
    int count)
{
    int c = blockIdx.x * 32 + threadIdx.x, stretch = blockIdx.y * 8 + threadIdx.y;
    int first = stretch * each, stop = min(count, first + each);
    if (c >= dimension || first >= count)
        return;
    double* part = parts + 2ll * stretch * dimension + c;
    int row = row_of(keys[first]);
    bool from_before = first > 0 && row_of(keys[first - 1]) == row;
    double total = 0.0;
    for (int i = first; i < stop; i++) {
        word key = keys[i];
        if (row_of(key) != row) {
            if (from_before)
                part[0] = total;
            else if (row != padding)
                d_table[(long long)row * dimension + c] = (float)total;
            row = row_of(key);
            from_before = false;
            total = 0.0;
        }
        total += dy[(long long)(unsigned)key * dimension + c];
    }
    bool goes_on = stop < count && row_of(keys[stop]) == row;
    if (from_before)
        part[0] = total;
    else if (goes_on)
        part[dimension] = total;
    else if (row != padding)
        d_table[(long long)row * dimension + c] = (float)total;
}

// The parts of each row that goes on from the stretch it begins in.
extern "C" __global__ void embedding_join(
    const unsigned long long* keys, float* d_table, const double* parts, int dimension, int padding, int each, int count)
{
    int c = blockIdx.x * 32 + threadIdx.x, stretch = blockIdx.y * 8 + threadIdx.y;
    int first = stretch * each, stop = first + each;
    if (c >= dimension || stop >= count)
        return;
    int row = row_of(keys[stop]);
    bool begins_here = row_of(keys[stop - 1]) == row && (first == 0 || row_of(keys[first - 1]) != row);
    if (!begins_here || row == padding)
        return;
    double total = parts[(2ll * stretch + 1) * dimension + c];
    for (int next = stop; next < count && row_of(keys[next]) == row; next += each)
        total += parts[2ll * (next / each) * dimension + c];
    d_table[(long long)row * dimension + c] = (float)total;
}
