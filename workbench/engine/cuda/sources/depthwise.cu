// Depthwise convolutions: filters (taps down, taps across, 1, filters) that each look at one channel alone, `times` of them
// side by side for each channel. Sizes as for conv.cu.

struct Depthwise {
    int height, width, channels, rows, columns, filters, tall, wide, down, right, stretch_down, stretch_right, top, left;
    int times;

    __device__ __forceinline__ Depthwise(const Sizes& sizes)
        : height(sizes.at[0]), width(sizes.at[1]), channels(sizes.at[2]), rows(sizes.at[3]), columns(sizes.at[4]),
          filters(sizes.at[5]), tall(sizes.at[6]), wide(sizes.at[7]), down(sizes.at[8]), right(sizes.at[9]),
          stretch_down(sizes.at[10]), stretch_right(sizes.at[11]), top(sizes.at[13]), left(sizes.at[14]),
          times(filters / channels)
    {
    }

    // What a window's tap sees; 0 outside of the picture.
    __device__ __forceinline__ float seen(const float* x, int place, int down_tap, int right_tap, int channel) const
    {
        int column = place % columns * right - left + right_tap * stretch_right, line = place / columns;
        int row = line % rows * down - top + down_tap * stretch_down, example = line / rows;
        bool inside = row >= 0 && row < height && column >= 0 && column < width;
        return inside ? x[((example * height + row) * width + column) * channels + channel] : 0.0f;
    }
};

extern "C" __global__ void depthwise_forward(
    const float* x, const float* weight, const float* bias, float* y, Sizes sizes, int count)
{
    Depthwise d(sizes);
    EACH(i, count) {
        int filter = i % d.filters, place = i / d.filters;
        float total = 0.0f;
        for (int down = 0; down < d.tall; down++)
            for (int right = 0; right < d.wide; right++)
                total += d.seen(x, place, down, right, filter / d.times) * weight[(down * d.wide + right) * d.filters + filter];
        y[i] = bias ? total + bias[filter] : total;
    }
}

extern "C" __global__ void depthwise_input_gradient(
    const float* dy, const float* weight, float* dx, Sizes sizes, int count)
{
    Depthwise d(sizes);
    EACH(i, count) {
        int channel = i % d.channels, place = i / d.channels;
        int column = place % d.width + d.left, line = place / d.width, row = line % d.height + d.top;
        int example = line / d.height;
        float total = 0.0f;
        for (int down = 0; down < d.tall; down++)
            for (int right = 0; right < d.wide; right++) {
                int r = row - down * d.stretch_down, c = column - right * d.stretch_right;
                if (r < 0 || c < 0 || r % d.down || c % d.right || r / d.down >= d.rows || c / d.right >= d.columns)
                    continue;
                int window = (example * d.rows + r / d.down) * d.columns + c / d.right, first = channel * d.times;
                for (int filter = first; filter < first + d.times; filter++)
                    total += dy[window * d.filters + filter] * weight[(down * d.wide + right) * d.filters + filter];
            }
        dx[i] = total;
    }
}

// Blocks of 32 filters by 8; blockIdx.y counts stretches of `each` places, blockIdx.z taps. The sums of a stretch stand one
// behind the other.
extern "C" __global__ void depthwise_weight_gradient(
    const float* x, const float* dy, float* out, Sizes sizes, int places, int each)
{
    __shared__ float parts[8][33];
    Depthwise d(sizes);
    int filter = blockIdx.x * 32 + threadIdx.x, tap = blockIdx.z, first = blockIdx.y * each;
    float total = 0.0f;
    if (filter < d.filters)
        for (int place = first + threadIdx.y; place < min(places, first + each); place += 8)
            total += d.seen(x, place, tap / d.wide, tap % d.wide, filter / d.times) * dy[place * d.filters + filter];
    parts[threadIdx.y][threadIdx.x] = total;
    __syncthreads();
    if (threadIdx.y == 0 && filter < d.filters) {
        for (int part = 1; part < 8; part++)
            total += parts[part][threadIdx.x];
        out[(blockIdx.y * d.tall * d.wide + tap) * d.filters + filter] = total;
    }
}
