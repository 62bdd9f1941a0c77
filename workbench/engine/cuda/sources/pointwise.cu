// Value by value: bias or normalization, activation and dropout in one pass, and the same way back.

enum { RELU, LEAKY_RELU, ELU, GELU, SILU, TANH, SIGMOID, SOFTPLUS, RELU6, SELU, MISH, HARDSWISH, GELU_TANH };

// Of SELU: its slope above 0, and what it comes near to far below, negated.
#define SELU_SCALE 1.05070099f
#define SELU_LEAST 1.75809934f

__device__ __forceinline__ float logistic(float x)
{
    // By way of tanh, which overflows nowhere.
    return 0.5f * tanhf(0.5f * x) + 0.5f;
}

__device__ __forceinline__ float softplus(float x)
{
    return (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)));
}

// The tanh of gelu's second form; 0.7978845608 is the root of 2 / pi.
__device__ __forceinline__ float gelu_share(float x)
{
    return tanhf(0.79788456f * x * (1.0f + 0.044715f * x * x));
}

// NaN stays NaN in each of them: divergence must show.
__device__ __forceinline__ float bent_value(int function, float field, float x)
{
    switch (function) {
    case RELU: return x < 0.0f ? 0.0f : x;
    case LEAKY_RELU: return x < 0.0f ? x * field : x;
    case ELU: return x > 0.0f ? x : field * expm1f(x);
    case GELU: return x * (0.5f * (1.0f + erff(x * 0.70710678f)));
    case SILU: return x * logistic(x);
    case TANH: return tanhf(x);
    case SIGMOID: return logistic(x);
    case SOFTPLUS: return softplus(x);
    case RELU6: return x < 0.0f ? 0.0f : x > 6.0f ? 6.0f : x;
    case SELU: return x > 0.0f ? SELU_SCALE * x : SELU_LEAST * expm1f(x);
    case MISH: return x * tanhf(softplus(x));
    case HARDSWISH: return x * (fminf(fmaxf(x + 3.0f, 0.0f), 6.0f) * 0.16666667f);
    case GELU_TANH: return x * (0.5f * (1.0f + gelu_share(x)));
    }
    return x;
}

// The slope, worked out from the output by relu, elu, tanh, sigmoid, relu6 and selu, from the input by the others.
__device__ __forceinline__ float slope_at(int function, float field, float read)
{
    switch (function) {
    case RELU: return read > 0.0f ? 1.0f : 0.0f;
    case LEAKY_RELU: return read > 0.0f ? 1.0f : field;
    case ELU: return read > 0.0f ? 1.0f : read + field;
    case GELU:
        return 0.5f * (1.0f + erff(read * 0.70710678f)) + read * 0.39894228f * expf(-0.5f * read * read);
    case SILU: {
        float gate = logistic(read);
        return gate + read * gate * (1.0f - gate);
    }
    case TANH: return 1.0f - read * read;
    case SIGMOID: return read * (1.0f - read);
    case SOFTPLUS: return logistic(read);
    case RELU6: return read > 0.0f && read < 6.0f ? 1.0f : 0.0f;
    case SELU: return read > 0.0f ? SELU_SCALE : read + SELU_LEAST;
    case MISH: {
        float share = tanhf(softplus(read));
        return share + read * (1.0f - share * share) * logistic(read);
    }
    case HARDSWISH: return read <= -3.0f ? 0.0f : read >= 3.0f ? 1.0f : read * 0.33333333f + 0.5f;
    case GELU_TANH: {
        float share = gelu_share(read), inner = 0.79788456f * (1.0f + 0.134145f * read * read);
        return 0.5f * (1.0f + share) + 0.5f * read * (1.0f - share * share) * inner;
    }
    }
    return 1.0f;
}

// Stages, each with a place for what it gives, or none: the sum of `parts` sources, normalized and shifted by channel
// (`lifted`); a function of it (`bent`); dropout (`dropped`). A stage with no array of its own is left out.
extern "C" __global__ void pointwise_forward(
    const float* source, int parts, const float* mean, const float* inverse, const float* weight, const float* bias,
    float* lifted, int function, float field, float* bent, const unsigned long long* key, int row_size, int first_row,
    float rate, float scale, float* dropped, int count, int channels)
{
    EACH(i, count) {
        float value = source[i];
        for (int part = 1; part < parts; part++)
            value += source[(long long)part * count + i];
        if (mean || bias) {
            int c = i % channels;
            if (mean)
                value = (value - mean[c]) * (inverse[c] * weight[c]);
            if (bias)
                value += bias[c];
        }
        if (lifted)
            lifted[i] = value;
        if (function >= 0)
            value = bent_value(function, field, value);
        if (bent)
            bent[i] = value;
        if (dropped)
            dropped[i] = dropped_value(value, i, key[0], row_size, first_row, rate, scale);
    }
}

// The gradient back through dropout (where there is a key) and a function (where it is not negative), whose slope is
// worked out from `read`.
extern "C" __global__ void pointwise_backward(
    const float* source, const unsigned long long* key, int row_size, int first_row, float rate, float scale,
    int function, float field, const float* read, float* target, int count)
{
    EACH(i, count) {
        float value = source[i];
        if (key)
            value = dropped_value(value, i, key[0], row_size, first_row, rate, scale);
        if (function >= 0)
            value *= slope_at(function, field, read[i]);
        target[i] = value;
    }
}

// The same, and besides the sums over the rows of what is written: blocks of 32 channels by 8, a stretch of the rows for
// each blockIdx.y, whose sums stand one below the other. Without a target only the sums.
extern "C" __global__ void pointwise_backward_sums(
    const float* source, const unsigned long long* key, int row_size, int first_row, float rate, float scale,
    int function, float field, const float* read, float* target, float* sums, int rows, int channels, int each)
{
    __shared__ float parts[8][33];
    int c = blockIdx.x * 32 + threadIdx.x, first = blockIdx.y * each, last = min(rows, first + each);
    float total = 0.0f;
    if (c < channels)
        for (int row = first + threadIdx.y; row < last; row += 8) {
            int i = row * channels + c;
            float value = source[i];
            if (key)
                value = dropped_value(value, i, key[0], row_size, first_row, rate, scale);
            if (function >= 0)
                value *= slope_at(function, field, read[i]);
            if (target)
                target[i] = value;
            total += value;
        }
    parts[threadIdx.y][threadIdx.x] = total;
    __syncthreads();
    for (int step = 4; step > 0; step /= 2) {
        if (threadIdx.y < step)
            parts[threadIdx.y][threadIdx.x] += parts[threadIdx.y + step][threadIdx.x];
        __syncthreads();
    }
    if (threadIdx.y == 0 && c < channels)
        sums[blockIdx.y * channels + c] = parts[0][threadIdx.x];
}

// Up to sixteen words written where kernels of a recorded step read them; given by value, so that nothing waits.
extern "C" __global__ void write_words(
    unsigned long long* target, int count, unsigned long long a, unsigned long long b, unsigned long long c,
    unsigned long long d, unsigned long long e, unsigned long long f, unsigned long long g, unsigned long long h,
    unsigned long long j, unsigned long long k, unsigned long long l, unsigned long long m, unsigned long long n,
    unsigned long long o, unsigned long long p, unsigned long long q)
{
    unsigned long long words[16] = {a, b, c, d, e, f, g, h, j, k, l, m, n, o, p, q};
#pragma unroll
    for (int i = 0; i < 16; i++)
        if (i < count)
            target[i] = words[i];
}
