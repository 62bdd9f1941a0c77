// Copies, sums and changes of order.

extern "C" __global__ void fill_zeros(float* x, int count)
{
    EACH(i, count) x[i] = 0.0f;
}

extern "C" __global__ void copy_values(const float* x, float* y, int count)
{
    EACH(i, count) y[i] = x[i];
}

extern "C" __global__ void add_values(const float* a, const float* b, float* c, int count)
{
    EACH(i, count) c[i] = a[i] + b[i];
}

// (examples, rows, columns) to (examples, columns, rows), by tiles of 32 by 32. blockIdx.x counts an example's tiles, then
// examples: a device allows for many blocks in that direction only.
extern "C" __global__ void turn_matrices(const float* x, float* y, int rows, int columns)
{
    __shared__ float tile[32][33];
    int across = (columns + 31) / 32, tiles = (rows + 31) / 32 * across, tile_number = blockIdx.x % tiles;
    long long start = (long long)(blockIdx.x / tiles) * rows * columns;
    int top = tile_number / across * 32, left = tile_number % across * 32, column = left + threadIdx.x;
    for (int r = threadIdx.y; r < 32; r += 8)
        if (top + r < rows && column < columns)
            tile[r][threadIdx.x] = x[start + (long long)(top + r) * columns + column];
    __syncthreads();
    int row = top + threadIdx.x;
    for (int c = threadIdx.y; c < 32; c += 8)
        if (left + c < columns && row < rows)
            y[start + (long long)(left + c) * rows + row] = tile[threadIdx.x][c];
}

// Copy into, or out of, some channels of a wider array: `many` channels of which `few` begin at `start`.
extern "C" __global__ void join_channels(float* narrow, float* wide, int few, int many, int start, int out, int count)
{
    EACH(i, count) {
        int place = i / few * many + start + i % few;
        if (out)
            narrow[i] = wide[place];
        else
            wide[place] = narrow[i];
    }
}

// The mean over an example's places; a block of 32 channels by 8 for each example (blockIdx.x).
extern "C" __global__ void mean_over_places(const float* x, float* y, int places, int channels, float share)
{
    __shared__ float parts[8][33];
    int c = blockIdx.y * 32 + threadIdx.x;
    const float* example = x + (long long)blockIdx.x * places * channels;
    float total = 0.0f;
    if (c < channels)
        for (int place = threadIdx.y; place < places; place += 8)
            total += example[place * channels + c];
    parts[threadIdx.y][threadIdx.x] = total;
    __syncthreads();
    if (threadIdx.y == 0 && c < channels) {
        for (int part = 1; part < 8; part++)
            total += parts[part][threadIdx.x];
        y[blockIdx.x * channels + c] = total * share;
    }
}

extern "C" __global__ void spread_over_places(const float* dy, float* dx, int places, int channels, float share, int count)
{
    EACH(i, count) dx[i] = dy[i / channels / places * channels + i % channels] * share;
}

// Zeros around pictures, or what is inside of them: height, width, channels, height and width with the zeros, places
// before the first row and column.
extern "C" __global__ void frame_pictures(const float* x, float* y, Sizes sizes, int count)
{
    int height = sizes.at[0], width = sizes.at[1], channels = sizes.at[2];
    int tall = sizes.at[3], wide = sizes.at[4], top = sizes.at[5], left = sizes.at[6];
    EACH(i, count) {
        int c = i % channels, place = i / channels;
        int column = place % wide - left, row = place / wide % tall - top, number = place / wide / tall;
        bool inside = row >= 0 && row < height && column >= 0 && column < width;
        y[i] = inside ? x[((number * height + row) * width + column) * channels + c] : 0.0f;
    }
}

// The place that one outside of an axis repeats. Modes: reflected, the nearest, from the other end.
__device__ __forceinline__ int repeated(int place, int size, int mode)
{
    if (mode == 1)
        return place < 0 ? 0 : place < size ? place : size - 1;
    if (mode == 2)
        return place < 0 ? place + size : place < size ? place : place - size;
    return place < 0 ? -place : place < size ? place : 2 * (size - 1) - place;
}

// Borders around pictures made of the values inside: height, width, channels, height and width with the border, places
// before the first row and column, mode.
extern "C" __global__ void border_pictures(const float* x, float* y, Sizes sizes, int count)
{
    int height = sizes.at[0], width = sizes.at[1], channels = sizes.at[2], tall = sizes.at[3], wide = sizes.at[4];
    EACH(i, count) {
        int c = i % channels, place = i / channels, number = place / wide / tall;
        int column = repeated(place % wide - sizes.at[6], width, sizes.at[7]);
        int row = repeated(place / wide % tall - sizes.at[5], height, sizes.at[7]);
        y[i] = x[((number * height + row) * width + column) * channels + c];
    }
}

// A value's gradient: of its own place and of all in the border that repeat it.
extern "C" __global__ void border_pictures_back(const float* dy, float* dx, Sizes sizes, int count)
{
    int height = sizes.at[0], width = sizes.at[1], channels = sizes.at[2], tall = sizes.at[3], wide = sizes.at[4];
    int top = sizes.at[5], left = sizes.at[6], mode = sizes.at[7];
    EACH(i, count) {
        int c = i % channels, place = i / channels, column = place % width, row = place / width % height;
        int number = place / width / height;
        float total = 0.0f;
        for (int r = 0; r < tall; r++) {
            // Of the rows inside only its own repeats it.
            if (r == top && row > 0)
                r = top + row;
            else if (r > top + row && r < top + height)
                r = top + height;
            if (r >= tall || repeated(r - top, height, mode) != row)
                continue;
            for (int k = 0; k < wide; k++) {
                if (k == left && column > 0)
                    k = left + column;
                else if (k > left + column && k < left + width)
                    k = left + width;
                if (k < wide && repeated(k - left, width, mode) == column)
                    total += dy[((number * tall + r) * wide + k) * channels + c];
            }
        }
        dx[i] = total;
    }
}

// An axis made longer by a factor: arrays (outer, size, inner) to (outer, size * factor, inner). Of the old values that a
// new one lies between, `first` comes before; its share is what is left of `share`. Without `linear` the old value itself.
__device__ __forceinline__ void between(int place, int size, int factor, int linear, int& first, float& share)
{
    float middle = (place + 0.5f) / factor - 0.5f;
    middle = fminf(fmaxf(middle, 0.0f), size - 1.0f);
    first = linear ? (int)middle : place / factor;
    share = linear ? middle - first : 0.0f;
}

extern "C" __global__ void stretch_axis(const float* x, float* y, int size, int factor, int inner, int linear, int count)
{
    EACH(i, count) {
        int within = i % inner, line = i / inner, first;
        float share;
        between(line % (size * factor), size, factor, linear, first, share);
        const float* old = x + (long long)(line / (size * factor)) * size * inner + within;
        float value = old[first * inner];
        y[i] = share > 0.0f ? value * (1.0f - share) + old[min(first + 1, size - 1) * inner] * share : value;
    }
}

extern "C" __global__ void stretch_axis_back(
    const float* dy, float* dx, int size, int factor, int inner, int linear, int count)
{
    EACH(i, count) {
        int within = i % inner, line = i / inner, old = line % size;
        const float* slopes = dy + (long long)(line / size) * size * factor * inner + within;
        float total = 0.0f;
        int start = linear ? max(0, (old - 1) * factor) : old * factor;
        int stop = linear ? min(size, old + 2) * factor : (old + 1) * factor;
        for (int place = start; place < stop; place++) {
            int first;
            float share;
            between(place, size, factor, linear, first, share);
            float counts = (first == old ? 1.0f - share : 0.0f) + (min(first + 1, size - 1) == old ? share : 0.0f);
            total += slopes[place * inner] * counts;
        }
        dx[i] = total;
    }
}
