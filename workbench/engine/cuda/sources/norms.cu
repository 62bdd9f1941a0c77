// Normalization over a batch, channel by channel, and of each example by itself.

// The sum over the eight threads of a column, in blocks of 32 by 8; the first of them gets it.
template <class T>
__device__ __forceinline__ T column_sum(T value)
{
    __shared__ T parts[8][33];
    parts[threadIdx.y][threadIdx.x] = value;
    __syncthreads();
    for (int step = 4; step > 0; step /= 2) {
        if (threadIdx.y < step)
            parts[threadIdx.y][threadIdx.x] += parts[threadIdx.y + step][threadIdx.x];
        __syncthreads();
    }
    value = parts[0][threadIdx.x];
    __syncthreads();
    return value;
}

// The mean of each channel over a stretch of the rows, and the sum of squared distances from it. Blocks of 32 channels
// by 8; blockIdx.y counts stretches of `each` rows. Slots: means, then squares, for each stretch.
extern "C" __global__ void norm_statistics(const float* x, float* slots, int rows, int channels, int each)
{
    int c = blockIdx.x * 32 + threadIdx.x, first = blockIdx.y * each, last = min(rows, first + each);
    float total = 0.0f, squares = 0.0f;
    if (c < channels)
        for (int row = first + threadIdx.y; row < last; row += 8)
            total += x[row * channels + c];
    float mean = column_sum(total) / (last - first);
    if (c < channels)
        for (int row = first + threadIdx.y; row < last; row += 8) {
            float distance = x[row * channels + c] - mean;
            squares += distance * distance;
        }
    squares = column_sum(squares);
    if (threadIdx.y == 0 && c < channels) {
        slots[2 * blockIdx.y * channels + c] = mean;
        slots[(2 * blockIdx.y + 1) * channels + c] = squares;
    }
}

// The batch's mean and 1 / deviation from all stretches (Chan et al., 1979), and the running statistics, which go on.
extern "C" __global__ void norm_join(
    const float* slots, float* mean, float* inverse, float* running_mean, float* running_var, int stretches, int each,
    int rows, int channels, float epsilon, float momentum)
{
    int c = blockIdx.x * 32 + threadIdx.x;
    double total = 0.0, squares = 0.0;
    if (c < channels)
        for (int s = threadIdx.y; s < stretches; s += 8)
            total += (double)slots[2 * s * channels + c] * min(each, rows - s * each);
    double center = column_sum(total) / rows;
    if (c < channels)
        for (int s = threadIdx.y; s < stretches; s += 8) {
            double step = slots[2 * s * channels + c] - center;
            squares += slots[(2 * s + 1) * channels + c] + step * step * min(each, rows - s * each);
        }
    squares = column_sum(squares);
    if (threadIdx.y == 0 && c < channels) {
        mean[c] = (float)center;
        inverse[c] = (float)(1.0 / sqrt(squares / rows + epsilon));
        running_mean[c] = (float)(running_mean[c] * (1.0 - momentum) + momentum * center);
        running_var[c] = (float)(running_var[c] * (1.0 - momentum) + momentum * squares / max(1, rows - 1));
    }
}

// Sums of the gradient, and of the gradient times the distance from the mean, over a stretch of the rows.
extern "C" __global__ void norm_slopes(
    const float* x, const float* dy, const float* mean, float* slots, int rows, int channels, int each)
{
    int c = blockIdx.x * 32 + threadIdx.x, first = blockIdx.y * each, last = min(rows, first + each);
    float slopes = 0.0f, products = 0.0f;
    if (c < channels) {
        float center = mean[c];
        for (int row = first + threadIdx.y; row < last; row += 8) {
            float slope = dy[row * channels + c];
            slopes += slope;
            products += slope * (x[row * channels + c] - center);
        }
    }
    slopes = column_sum(slopes);
    products = column_sum(products);
    if (threadIdx.y == 0 && c < channels) {
        slots[2 * blockIdx.y * channels + c] = slopes;
        slots[(2 * blockIdx.y + 1) * channels + c] = products;
    }
}

// The parameters' gradients (where there are any) from all stretches, and both by the number of values, for
// `norm_backward`.
extern "C" __global__ void norm_slopes_join(
    const float* slots, const float* inverse, float* d_weight, float* d_bias, float* averages, int stretches, int rows,
    int channels)
{
    int c = blockIdx.x * 32 + threadIdx.x;
    double slopes = 0.0, products = 0.0;
    if (c < channels)
        for (int s = threadIdx.y; s < stretches; s += 8) {
            slopes += slots[2 * s * channels + c];
            products += slots[(2 * s + 1) * channels + c];
        }
    slopes = column_sum(slopes);
    products = column_sum(products);
    if (threadIdx.y == 0 && c < channels) {
        products *= inverse[c];
        if (d_weight) {
            d_bias[c] = (float)slopes;
            d_weight[c] = (float)products;
        }
        averages[c] = (float)(slopes / rows);
        averages[channels + c] = (float)(products / rows);
    }
}

// weight * inverse * (dy - mean(dy) - normal * mean(dy * normal))
extern "C" __global__ void norm_backward(
    const float* x, const float* dy, float* dx, const float* mean, const float* inverse, const float* weight,
    const float* averages, int channels, int count)
{
    EACH(i, count) {
        int c = i % channels;
        float normal = (x[i] - mean[c]) * inverse[c];
        dx[i] = (dy[i] - averages[c] - normal * averages[channels + c]) * (weight[c] * inverse[c]);
    }
}

extern "C" __global__ void norm_inverse(const float* variance, float* inverse, float epsilon, int channels)
{
    EACH(c, channels) inverse[c] = (float)(1.0 / sqrt((double)variance[c] + epsilon));
}

extern "C" __global__ void scale_channels(
    const float* dy, float* dx, const float* weight, const float* inverse, int channels, int count)
{
    EACH(i, count) dx[i] = dy[i] * (weight[i % channels] * inverse[i % channels]);
}

// Each example by itself: items (places, groups, values), of which each group is normalized over its places and values.
// A block a group of an item. With `whole` the parameters have a value for each of an item's, else for each channel.
struct Group {
    int start, channel, groups, values, whole;

    __device__ __forceinline__ Group(int places, int groups, int values, int whole)
        : start(blockIdx.x / groups * places * groups * values + blockIdx.x % groups * values),
          channel(blockIdx.x % groups * values), groups(groups), values(values), whole(whole)
    {
    }

    // Where value number i of the group lies, and its parameters.
    __device__ __forceinline__ int at(int i) const { return start + i / values * groups * values + i % values; }
    __device__ __forceinline__ int parameter(int i) const
    {
        return channel + i % values + (whole ? i / values * groups * values : 0);
    }
};

extern "C" __global__ void example_norm_forward(
    const float* x, float* y, float* means, float* inverses, const float* weight, const float* bias, int places,
    int groups, int values, int whole, float epsilon)
{
    Group group(places, groups, values, whole);
    int count = places * values;
    float total = 0.0f, squares = 0.0f;
    for (int i = threadIdx.x; i < count; i += blockDim.x)
        total += x[group.at(i)];
    float mean = block_sum(total) / count;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        float distance = x[group.at(i)] - mean;
        squares += distance * distance;
    }
    float inverse = 1.0f / sqrtf(block_sum(squares) / count + epsilon);
    if (threadIdx.x == 0) {
        means[blockIdx.x] = mean;
        inverses[blockIdx.x] = inverse;
    }
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        float value = (x[group.at(i)] - mean) * inverse;
        if (weight)
            value *= weight[group.parameter(i)];
        if (bias)
            value += bias[group.parameter(i)];
        y[group.at(i)] = value;
    }
}

// dx = (d - mean(d) - normal * mean(d * normal)) / deviation, with d = dy * weight
extern "C" __global__ void example_norm_backward(
    const float* x, const float* dy, float* dx, const float* means, const float* inverses, const float* weight,
    int places, int groups, int values, int whole)
{
    Group group(places, groups, values, whole);
    int count = places * values;
    float mean = means[blockIdx.x], inverse = inverses[blockIdx.x], slopes = 0.0f, products = 0.0f;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        float slope = dy[group.at(i)] * (weight ? weight[group.parameter(i)] : 1.0f);
        slopes += slope;
        products += slope * (x[group.at(i)] - mean);
    }
    slopes = block_sum(slopes) / count;
    products = block_sum(products) * inverse / count;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        float slope = dy[group.at(i)] * (weight ? weight[group.parameter(i)] : 1.0f);
        dx[group.at(i)] = (slope - slopes - (x[group.at(i)] - mean) * inverse * products) * inverse;
    }
}

// Sums over a stretch of the rows of dy * normal, and of dy: rows of `channels` values, `places` of them an item.
extern "C" __global__ void example_norm_slopes(
    const float* x, const float* dy, const float* means, const float* inverses, float* by_weight, float* by_bias,
    int rows, int channels, int each, int places, int groups, int values)
{
    int c = blockIdx.x * 32 + threadIdx.x, first = blockIdx.y * each, last = min(rows, first + each);
    float slopes = 0.0f, products = 0.0f;
    if (c < channels)
        for (int row = first + threadIdx.y; row < last; row += 8) {
            int group = row / places * groups + c / values % groups, i = row * channels + c;
            slopes += dy[i];
            products += dy[i] * ((x[i] - means[group]) * inverses[group]);
        }
    slopes = column_sum(slopes);
    products = column_sum(products);
    if (threadIdx.y == 0 && c < channels) {
        by_weight[blockIdx.y * channels + c] = products;
        if (by_bias)
            by_bias[blockIdx.y * channels + c] = slopes;
    }
}
