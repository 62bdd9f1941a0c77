// Convolutions over pictures as products of windows, which are read where they lie (implicit matrix products).
//
// Pictures (examples, height, width, channels), filters (taps down, taps across, channels a group, filters). blockIdx.z
// counts groups: parts of the channels that do not see each other.

struct Geometry {
    int height, width, channels, rows, columns, filters, tall, wide, down, right, stretch_down, stretch_right, groups;
    int top, left, depth, share;

    __device__ __forceinline__ Geometry(const Sizes& sizes)
        : height(sizes.at[0]), width(sizes.at[1]), channels(sizes.at[2]), rows(sizes.at[3]), columns(sizes.at[4]),
          filters(sizes.at[5]), tall(sizes.at[6]), wide(sizes.at[7]), down(sizes.at[8]), right(sizes.at[9]),
          stretch_down(sizes.at[10]), stretch_right(sizes.at[11]), groups(sizes.at[12]), top(sizes.at[13]),
          left(sizes.at[14]), depth(channels / groups), share(filters / groups)
    {
    }
};

struct Place {
    const float* picture;
    int y, x;
};

struct Tap {
    int y, x, channel;
};

// The windows of the input: a row for each place of the output, a column for each tap and channel.
struct Windows {
    const Geometry& g;
    const float* x;

    __device__ __forceinline__ Place place(int number) const
    {
        int column = number % g.columns, line = number / g.columns, row = line % g.rows, example = line / g.rows;
        return {x + (long long)example * g.height * g.width * g.channels + blockIdx.z * g.depth, row * g.down - g.top,
                column * g.right - g.left};
    }

    __device__ __forceinline__ Tap tap(int number) const
    {
        int channel = number % g.depth, line = number / g.depth;
        return {line / g.wide * g.stretch_down, line % g.wide * g.stretch_right, channel};
    }

    __device__ __forceinline__ float value(const Place& place, const Tap& tap) const
    {
        int y = place.y + tap.y, x = place.x + tap.x;
        bool inside = y >= 0 && y < g.height && x >= 0 && x < g.width;
        return inside ? place.picture[(y * g.width + x) * g.channels + tap.channel] : 0.0f;
    }
};

struct ByPlace : Windows {
    typedef Place Outer;
    __device__ __forceinline__ Place outer(int i) const { return place(i); }
    __device__ __forceinline__ Tap inner(int k) const { return tap(k); }
    __device__ __forceinline__ float at(const Place& place, const Tap& tap) const { return value(place, tap); }
};

struct ByTap : Windows {
    typedef Tap Outer;
    __device__ __forceinline__ Tap outer(int i) const { return tap(i); }
    __device__ __forceinline__ Place inner(int k) const { return place(k); }
    __device__ __forceinline__ float at(const Tap& tap, const Place& place) const { return value(place, tap); }
};

// A group's filters: a row for each tap and channel, a column for each filter; or the output's gradient by place.
struct Columns {
    typedef int Outer;
    const float* values;
    long long step;

    __device__ __forceinline__ int outer(int i) const { return i; }
    __device__ __forceinline__ long long inner(int k) const { return k * step; }
    __device__ __forceinline__ float at(int outer, long long inner) const { return values[inner + outer]; }
};

// The output's gradient as the input sees it: a row for each pixel, a column for each tap and filter.
struct Slopes {
    typedef Place Outer;
    const Geometry& g;
    const float* dy;

    __device__ __forceinline__ Place outer(int number) const
    {
        int column = number % g.width, line = number / g.width, row = line % g.height, example = line / g.height;
        return {dy + (long long)example * g.rows * g.columns * g.filters + blockIdx.z * g.share, row + g.top,
                column + g.left};
    }

    __device__ __forceinline__ Tap inner(int number) const
    {
        int filter = number % g.share, line = number / g.share;
        return {line / g.wide * g.stretch_down, line % g.wide * g.stretch_right, filter};
    }

    __device__ __forceinline__ float at(const Place& pixel, const Tap& tap) const
    {
        int y = pixel.y - tap.y, x = pixel.x - tap.x;
        if (y < 0 || x < 0 || y % g.down || x % g.right)
            return 0.0f;
        y /= g.down;
        x /= g.right;
        return y < g.rows && x < g.columns ? pixel.picture[(y * g.columns + x) * g.filters + tap.channel] : 0.0f;
    }
};

// The filters turned: a row for each tap and filter, a column for each channel.
struct Turned {
    typedef long long Outer;
    const Geometry& g;
    const float* weight;

    __device__ __forceinline__ long long outer(int channel) const { return (long long)channel * g.filters; }

    __device__ __forceinline__ long long inner(int number) const
    {
        return (long long)(number / g.share) * g.depth * g.filters + number % g.share;
    }

    __device__ __forceinline__ float at(long long outer, long long inner) const { return weight[outer + inner]; }
};

template <int TILE>
__device__ __forceinline__ void forward(const float* x, const float* weight, float* y, const Sizes& sizes, int places)
{
    Geometry g(sizes);
    ByPlace windows = {{g, x}};
    Columns filters = {weight + blockIdx.z * g.share, g.filters};
    product<TILE, true, false>(
        windows, filters, y + blockIdx.z * g.share, g.filters, blockIdx.x, places, g.share, 0, g.tall * g.wide * g.depth);
}

template <int TILE>
__device__ __forceinline__ void input_gradient(
    const float* dy, const float* weight, float* dx, const Sizes& sizes, int pixels)
{
    Geometry g(sizes);
    Slopes slopes = {g, dy};
    Turned filters = {g, weight + blockIdx.z * g.share};
    product<TILE, true, true>(
        slopes, filters, dx + blockIdx.z * g.depth, g.channels, blockIdx.x, pixels, g.depth, 0, g.tall * g.wide * g.share);
}

// blockIdx.y counts parts of the places of `each`, whose sums stand one behind the other.
template <int TILE>
__device__ __forceinline__ void weight_gradient(
    const float* x, const float* dy, float* out, const Sizes& sizes, int places, int each)
{
    Geometry g(sizes);
    ByTap windows = {{g, x}};
    Columns slopes = {dy + blockIdx.z * g.share, g.filters};
    int taps = g.tall * g.wide * g.depth, start = blockIdx.y * each;
    product<TILE, false, false>(
        windows, slopes, out + (long long)blockIdx.y * taps * g.filters + blockIdx.z * g.share, g.filters, blockIdx.x,
        taps, g.share, start, min(places, start + each));
}

extern "C" __global__ void __launch_bounds__(256) conv_forward_64(
    const float* x, const float* weight, float* y, Sizes sizes, int places)
{
    forward<64>(x, weight, y, sizes, places);
}

extern "C" __global__ void __launch_bounds__(64) conv_forward_32(
    const float* x, const float* weight, float* y, Sizes sizes, int places)
{
    forward<32>(x, weight, y, sizes, places);
}

extern "C" __global__ void __launch_bounds__(256) conv_input_gradient_64(
    const float* dy, const float* weight, float* dx, Sizes sizes, int pixels)
{
    input_gradient<64>(dy, weight, dx, sizes, pixels);
}

extern "C" __global__ void __launch_bounds__(64) conv_input_gradient_32(
    const float* dy, const float* weight, float* dx, Sizes sizes, int pixels)
{
    input_gradient<32>(dy, weight, dx, sizes, pixels);
}

extern "C" __global__ void __launch_bounds__(256) conv_weight_gradient_64(
    const float* x, const float* dy, float* out, Sizes sizes, int places, int each)
{
    weight_gradient<64>(x, dy, out, sizes, places, each);
}

extern "C" __global__ void __launch_bounds__(64) conv_weight_gradient_32(
    const float* x, const float* dy, float* out, Sizes sizes, int places, int each)
{
    weight_gradient<32>(x, dy, out, sizes, places, each);
}
