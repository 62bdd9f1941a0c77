// Updates of the weights: everything in one launch over the flat vectors.
//
// `shared` holds four float64 numbers: L2, L1, the limit of a gradient's value (infinite for none) and the factor of the
// decoupled decay, and a fifth: how much of the average is kept. `numbers` are the optimizer's own (see
// Optimizer.kernel_numbers). Both are read here, and written before each step: a recorded launch sees the new ones.
// Penalties and decay act on the first `decayed` values. A gradient that was regularized before comes with `bare`.

struct Shared {
    float l2, l1, limit, keep, average, fresh;
};

__device__ __forceinline__ Shared shared_of(const double* shared, int bare)
{
    return {bare ? 0.0f : (float)shared[0], bare ? 0.0f : (float)shared[1],
            bare ? __int_as_float(0x7f800000) : (float)shared[2], (float)shared[3], (float)shared[4],
            (float)(1.0 - shared[4])};
}

__device__ __forceinline__ float sign_of(float x)
{
    return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
}

// Penalties and clipping; NaN stays NaN.
__device__ __forceinline__ float slope_of(const Shared& s, float w, float g, bool decays)
{
    if (decays) {
        g += s.l2 * w;
        if (s.l1 != 0.0f)
            g += s.l1 * sign_of(w);
    }
    g = g > s.limit ? s.limit : g;
    return g < -s.limit ? -s.limit : g;
}

#define UPDATE(step) \
    Shared s = shared_of(shared, bare); \
    EACH(i, count) { \
        float value = w[i], slope = slope_of(s, value, g[i], i < decayed); \
        if (i < decayed) \
            value *= s.keep; \
        step; \
        w[i] = value; \
        if (average) \
            average[i] = s.average * average[i] + s.fresh * value; \
    }

extern "C" __global__ void sgd_update(
    float* w, const float* g, const double* shared, const double* numbers, float* average, int decayed, int bare, int count)
{
    float rate = (float)numbers[0];
    UPDATE(value -= rate * slope)
}

// Numbers: beta, 1 - dampening, and the rates of velocity and gradient.
extern "C" __global__ void momentum_update(
    float* w, const float* g, float* v, const double* shared, const double* numbers, float* average, int decayed, int bare,
    int count)
{
    float beta = (float)numbers[0], fresh = (float)numbers[1];
    float by_velocity = (float)numbers[2], by_gradient = (float)numbers[3];
    UPDATE(float velocity = beta * v[i] + fresh * slope; v[i] = velocity;
           value -= by_velocity * velocity + by_gradient * slope)
}

// RMSprop and Adagrad. Numbers: what is kept, what is new, rate, epsilon, momentum (0 here).
extern "C" __global__ void rmsprop_update(
    float* w, const float* g, float* squares, const double* shared, const double* numbers, float* average, int decayed,
    int bare, int count)
{
    float kept = (float)numbers[0], fresh = (float)numbers[1], rate = (float)numbers[2], epsilon = (float)numbers[3];
    UPDATE(float square = kept * squares[i] + fresh * (slope * slope); squares[i] = square;
           value -= rate * slope / (sqrtf(square) + epsilon))
}

extern "C" __global__ void rmsprop_momentum_update(
    float* w, const float* g, float* squares, float* v, const double* shared, const double* numbers, float* average,
    int decayed, int bare, int count)
{
    float kept = (float)numbers[0], fresh = (float)numbers[1], rate = (float)numbers[2], epsilon = (float)numbers[3];
    float momentum = (float)numbers[4];
    UPDATE(float square = kept * squares[i] + fresh * (slope * slope); squares[i] = square;
           float velocity = momentum * v[i] + slope / (sqrtf(square) + epsilon); v[i] = velocity;
           value -= rate * velocity)
}

// The gradients' variance; rounding must not put it below 0, and NaN stays NaN.
__device__ __forceinline__ float spread_of(float square, float mean)
{
    float spread = square - mean * mean;
    return spread < 0.0f ? 0.0f : spread;
}

extern "C" __global__ void rmsprop_centered_update(
    float* w, const float* g, float* squares, float* means, const double* shared, const double* numbers, float* average,
    int decayed, int bare, int count)
{
    float kept = (float)numbers[0], fresh = (float)numbers[1], rate = (float)numbers[2], epsilon = (float)numbers[3];
    UPDATE(float square = kept * squares[i] + fresh * (slope * slope); squares[i] = square;
           float mean = kept * means[i] + fresh * slope; means[i] = mean;
           value -= rate * slope / (sqrtf(spread_of(square, mean)) + epsilon))
}

extern "C" __global__ void rmsprop_centered_momentum_update(
    float* w, const float* g, float* squares, float* means, float* v, const double* shared, const double* numbers,
    float* average, int decayed, int bare, int count)
{
    float kept = (float)numbers[0], fresh = (float)numbers[1], rate = (float)numbers[2], epsilon = (float)numbers[3];
    float momentum = (float)numbers[4];
    UPDATE(float square = kept * squares[i] + fresh * (slope * slope); squares[i] = square;
           float mean = kept * means[i] + fresh * slope; means[i] = mean;
           float velocity = momentum * v[i] + slope / (sqrtf(spread_of(square, mean)) + epsilon); v[i] = velocity;
           value -= rate * velocity)
}

// Adam and NAdam. Numbers: beta1, beta2, the rates of velocity and gradient, 1 / sqrt(1 - beta2^t), epsilon outside and
// inside of the root.
extern "C" __global__ void adam_update(
    float* w, const float* g, float* v, float* squares, const double* shared, const double* numbers, float* average,
    int decayed, int bare, int count)
{
    float beta1 = (float)numbers[0], beta2 = (float)numbers[1];
    float fresh1 = (float)(1.0 - numbers[0]), fresh2 = (float)(1.0 - numbers[1]);
    float by_velocity = (float)numbers[2], by_gradient = (float)numbers[3];
    float root = (float)numbers[4], outside = (float)numbers[5], inside = (float)numbers[6];
    UPDATE(float velocity = beta1 * v[i] + fresh1 * slope; float square = beta2 * squares[i] + fresh2 * (slope * slope);
           v[i] = velocity; squares[i] = square;
           value -= (by_velocity * velocity + by_gradient * slope) / (sqrtf(square + inside) * root + outside))
}

// Divides by the largest mean square so far; numbers as above. NaN stays NaN.
extern "C" __global__ void adam_amsgrad_update(
    float* w, const float* g, float* v, float* squares, float* most, const double* shared, const double* numbers,
    float* average, int decayed, int bare, int count)
{
    float beta1 = (float)numbers[0], beta2 = (float)numbers[1];
    float fresh1 = (float)(1.0 - numbers[0]), fresh2 = (float)(1.0 - numbers[1]), by_velocity = (float)numbers[2];
    float root = (float)numbers[4], outside = (float)numbers[5], inside = (float)numbers[6];
    UPDATE(float velocity = beta1 * v[i] + fresh1 * slope; float square = beta2 * squares[i] + fresh2 * (slope * slope);
           v[i] = velocity; squares[i] = square;
           float largest = square <= most[i] ? most[i] : square; most[i] = largest;
           value -= by_velocity * velocity / (sqrtf(largest + inside) * root + outside))
}

// Numbers: beta1, beta2, rate. The sign of NaN is NaN: divergence must show.
extern "C" __global__ void lion_update(
    float* w, const float* g, float* v, const double* shared, const double* numbers, float* average, int decayed, int bare,
    int count)
{
    float beta1 = (float)numbers[0], beta2 = (float)numbers[1], rate = (float)numbers[2];
    float fresh1 = (float)(1.0 - numbers[0]), fresh2 = (float)(1.0 - numbers[1]);
    UPDATE(float direction = beta1 * v[i] + fresh1 * slope; v[i] = beta2 * v[i] + fresh2 * slope;
           value -= rate * sign_of(direction))
}
