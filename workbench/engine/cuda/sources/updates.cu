// Updates of the weights: everything in a few launches over the flat vectors.
//
// `shared` holds five float64 numbers: L2, L1, the limit of a gradient's value (infinite for none), the factor of the
// decoupled decay, and how much of the average is kept. `numbers` are the optimizer's own (see Optimizer.kernel_numbers).
// Both are read here, and written before each step: a recorded launch sees the new ones. Penalties and decay act on the
// first `decayed` values.
//
// `verdict`, where there is one, is what was found out about the whole gradient: what it is to be multiplied by in the end,
// whether the update is made at all, and what it is to be multiplied by first.

struct Shared {
    float l2, l1, limit, keep, average, fresh;
};

__device__ __forceinline__ Shared shared_of(const double* shared)
{
    return {(float)shared[0], (float)shared[1], (float)shared[2], (float)shared[3], (float)shared[4],
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

// NaN stays NaN.
__device__ __forceinline__ float at_most_one(float x)
{
    return x >= 1.0f ? 1.0f : x;
}

#define UNLESS_LEFT_OUT \
    if (verdict && verdict[1] == 0.0f) \
        return;

#define UPDATE(step) \
    UNLESS_LEFT_OUT \
    Shared s = shared_of(shared); \
    float factor = verdict ? verdict[0] : 1.0f, unscale = verdict ? verdict[2] : 1.0f; \
    EACH(i, count) { \
        float value = w[i], slope = slope_of(s, value, g[i] * unscale, i < decayed) * factor; \
        if (i < decayed) \
            value *= s.keep; \
        step; \
        w[i] = value; \
        if (average) \
            average[i] = s.average * average[i] + s.fresh * value; \
    }

extern "C" __global__ void sgd_update(
    float* w, const float* g, const double* shared, const double* numbers, const float* verdict,
    float* average, int decayed, int count)
{
    float rate = (float)numbers[0];
    UPDATE(value -= rate * slope)
}

// Numbers: beta, 1 - dampening, and the rates of velocity and gradient.
extern "C" __global__ void momentum_update(
    float* w, const float* g, float* v, const double* shared, const double* numbers,
    const float* verdict, float* average, int decayed, int count)
{
    float beta = (float)numbers[0], fresh = (float)numbers[1];
    float by_velocity = (float)numbers[2], by_gradient = (float)numbers[3];
    UPDATE(float velocity = beta * v[i] + fresh * slope; v[i] = velocity;
           value -= by_velocity * velocity + by_gradient * slope)
}

// RMSprop and Adagrad. Numbers: what is kept, what is new, rate, epsilon, momentum (0 here).
extern "C" __global__ void rmsprop_update(
    float* w, const float* g, float* squares, const double* shared, const double* numbers,
    const float* verdict, float* average, int decayed, int count)
{
    float kept = (float)numbers[0], fresh = (float)numbers[1], rate = (float)numbers[2], epsilon = (float)numbers[3];
    UPDATE(float square = kept * squares[i] + fresh * (slope * slope); squares[i] = square;
           value -= rate * slope / (sqrtf(square) + epsilon))
}

extern "C" __global__ void rmsprop_momentum_update(
    float* w, const float* g, float* squares, float* v, const double* shared, const double* numbers,
    const float* verdict, float* average, int decayed, int count)
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
    float* w, const float* g, float* squares, float* means, const double* shared, const double* numbers,
    const float* verdict, float* average, int decayed, int count)
{
    float kept = (float)numbers[0], fresh = (float)numbers[1], rate = (float)numbers[2], epsilon = (float)numbers[3];
    UPDATE(float square = kept * squares[i] + fresh * (slope * slope); squares[i] = square;
           float mean = kept * means[i] + fresh * slope; means[i] = mean;
           value -= rate * slope / (sqrtf(spread_of(square, mean)) + epsilon))
}

extern "C" __global__ void rmsprop_centered_momentum_update(
    float* w, const float* g, float* squares, float* means, float* v, const double* shared, const double* numbers,
    const float* verdict, float* average, int decayed, int count)
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
    float* w, const float* g, float* v, float* squares, const double* shared, const double* numbers,
    const float* verdict, float* average, int decayed, int count)
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
    const float* verdict, float* average, int decayed, int count)
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
    float* w, const float* g, float* v, const double* shared, const double* numbers,
    const float* verdict, float* average, int decayed, int count)
{
    float beta1 = (float)numbers[0], beta2 = (float)numbers[1], rate = (float)numbers[2];
    float fresh1 = (float)(1.0 - numbers[0]), fresh2 = (float)(1.0 - numbers[1]);
    UPDATE(float direction = beta1 * v[i] + fresh1 * slope; v[i] = beta2 * v[i] + fresh2 * slope;
           value -= rate * sign_of(direction))
}

// What `adam_update` reads, where only the device knows how many updates were left out. Given: the number of this update if
// none was, beta1, beta2, rate, epsilon, whether it stands inside of the root.
extern "C" __global__ void adam_numbers(const double* given, const float* left_out, double* numbers)
{
    double update = given[0] - left_out[0], beta1 = given[1], beta2 = given[2], epsilon = given[4];
    double known = 1.0 - pow(beta2, update);
    bool inside = given[5] != 0.0;
    numbers[0] = beta1;
    numbers[1] = beta2;
    numbers[2] = given[3] / (1.0 - pow(beta1, update));
    numbers[3] = 0.0;
    numbers[4] = 1.0 / sqrt(known);
    numbers[5] = inside ? 0.0 : epsilon;
    numbers[6] = inside ? epsilon * known : 0.0;
}

__device__ __forceinline__ double momentum_at(double beta1, double decay, double update)
{
    return beta1 * (1.0 - 0.5 * pow(0.96, update * decay));
}

// The same for NAdam, of one block. Given: as above, but the decay of the momentum in the end.
extern "C" __global__ void nadam_numbers(const double* given, const float* left_out, double* numbers)
{
    double update = given[0] - left_out[0], beta1 = given[1], beta2 = given[2], rate = given[3], decay = given[5];
    // A product of that many factors, none of which is above beta1, is below 1e-17: 1 less it is 1.
    double most = beta1 > 0.0 ? fmin(update, ceil(-40.0 / log(beta1))) : 1.0, logarithm = 0.0;
    for (double i = 1.0 + threadIdx.x; i <= most; i += blockDim.x)
        logarithm += log(momentum_at(beta1, decay, i));
    double product = exp(block_sum(logarithm));
    if (threadIdx.x == 0) {
        double now = momentum_at(beta1, decay, update), ahead = momentum_at(beta1, decay, update + 1.0);
        numbers[0] = beta1;
        numbers[1] = beta2;
        numbers[2] = rate * ahead / (1.0 - product * ahead);
        numbers[3] = rate * (1.0 - now) / (1.0 - product);
        numbers[4] = 1.0 / sqrt(1.0 - pow(beta2, update));
        numbers[5] = given[4];
        numbers[6] = 0.0;
    }
}

// Of a gradient with its penalties, clipped by value: the sum of squares, and how many values were no finite numbers. A pair
// for each block. `scaling` begins with what the gradient was multiplied by.
extern "C" __global__ void gradient_squares(
    const float* w, const float* g, const double* shared, const float* scaling, double* pairs, int decayed, int count)
{
    Shared s = shared_of(shared);
    float unscale = scaling ? 1.0f / scaling[0] : 1.0f;
    double squares = 0.0, broken = 0.0;
    EACH(i, count) {
        float slope = slope_of(s, w[i], g[i] * unscale, i < decayed);
        squares += (double)slope * slope;
        // Infinity less itself is no number.
        broken += g[i] - g[i] != 0.0f;
    }
    squares = block_sum(squares);
    broken = block_sum(broken);
    if (threadIdx.x == 0) {
        pairs[2 * blockIdx.x] = squares;
        pairs[2 * blockIdx.x + 1] = broken;
    }
}

// The verdict on a gradient, of one block: it is made no longer than `limit` (infinite for any length). With `scaling`, which
// are the scale, the good updates since it changed and the updates left out in all, an update whose gradient is not finite
// is left out and halves the scale, and many good ones double it.
extern "C" __global__ void judge_gradient(
    const double* pairs, float* scaling, float* verdict, float limit, int patience, int count)
{
    double squares = 0.0, broken = 0.0;
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
        squares += pairs[2 * i];
        broken += pairs[2 * i + 1];
    }
    squares = block_sum(squares);
    broken = block_sum(broken);
    if (threadIdx.x > 0)
        return;
    bool fine = !scaling || broken == 0.0;
    verdict[0] = at_most_one(limit / ((float)sqrt(squares) + 1e-6f));
    verdict[1] = fine;
    verdict[2] = 1.0f;
    if (scaling) {
        bool grows = scaling[1] + 1.0f >= patience;
        verdict[2] = 1.0f / scaling[0];
        scaling[0] *= !fine ? 0.5f : grows ? 2.0f : 1.0f;
        scaling[1] = fine && !grows ? scaling[1] + 1.0f : 0.0f;
        scaling[2] += !fine;
    }
}

// Totals: the strength of a batch, and of its group so far. One block.
extern "C" __global__ void gather_strength(const float* strengths, float* totals, int rows)
{
    double total = 0.0;
    for (int i = threadIdx.x; i < rows; i += blockDim.x)
        total += strengths[i];
    total = block_sum(total);
    if (threadIdx.x == 0) {
        totals[0] = (float)total;
        totals[1] += (float)total;
    }
}

extern "C" __global__ void gather_gradient(float* sum, const float* g, const float* totals, int count)
{
    EACH(i, count) sum[i] += g[i] * totals[0];
}

// The group's gradient in place of its last batch's; the next group begins. One whose strengths are all 0 moves nothing.
extern "C" __global__ void settle_gradient(float* sum, float* g, const float* totals, int count)
{
    float share = totals[1] > 0.0f ? 1.0f / totals[1] : 0.0f;
    EACH(i, count) {
        g[i] = (sum[i] + g[i] * totals[0]) * share;
        sum[i] = 0.0f;
    }
}

// Weights (outer, units, inner): each unit's made no longer than `limit`. Blocks of 32 by 8: units side by side where inner
// is 1, else a warp a unit.
extern "C" __global__ void limit_units(float* w, const float* verdict, float limit, int outer, int units, int inner)
{
    __shared__ float parts[8][33];
    UNLESS_LEFT_OUT
    bool beside = inner == 1;
    int unit = beside ? blockIdx.x * 32 + threadIdx.x : blockIdx.x * 8 + threadIdx.y;
    int first = beside ? threadIdx.y : threadIdx.x, step = beside ? 8 : 32, count = unit < units ? outer * inner : 0;
    float squares = 0.0f;
    for (int i = first; i < count; i += step) {
        float value = w[((long long)(i / inner) * units + unit) * inner + i % inner];
        squares += value * value;
    }
    if (beside) {
        parts[threadIdx.y][threadIdx.x] = squares;
        __syncthreads();
        squares = 0.0f;
        for (int part = 0; part < 8; part++)
            squares += parts[part][threadIdx.x];
    } else {
        squares = warp_sum(squares);
    }
    float length = sqrtf(squares), factor = at_most_one(limit / (length < 1e-30f ? 1e-30f : length));
    for (int i = first; i < count; i += step)
        w[((long long)(i / inner) * units + unit) * inner + i % inner] *= factor;
}

extern "C" __global__ void follow_average(
    const float* w, const double* shared, const float* verdict, float* average, int count)
{
    UNLESS_LEFT_OUT
    Shared s = shared_of(shared);
    EACH(i, count) average[i] = s.average * average[i] + s.fresh * w[i];
}
