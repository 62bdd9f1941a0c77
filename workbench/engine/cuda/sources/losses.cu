// Losses and their gradients by the logits: one warp a row, then one block for the sums over all rows.
//
// A loss writes s_i L_i and whether the row is wrong (or its squared differences) into a place of two values a row.

__device__ __forceinline__ float power_of(float base, float exponent)
{
    return exponent == 0.0f ? 1.0f : powf(base, exponent);
}

// log(1 + exp(x)) without overflow; NaN stays NaN.
__device__ __forceinline__ float softplus(float x)
{
    return (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)));
}

// The largest of a row's values and its number, of equal ones the first; a NaN counts as the largest. All lanes get it.
__device__ __forceinline__ float largest(const float* z, int classes, int& best)
{
    float most = 0.0f;
    best = -1;
    for (int k = threadIdx.x % 32; k < classes; k += 32)
        if (best < 0 || z[k] > most || (z[k] != z[k] && most == most)) {
            most = z[k];
            best = k;
        }
    for (int step = 16; step > 0; step /= 2) {
        float other = __shfl_xor_sync(EVERY_LANE, most, step);
        int place = __shfl_xor_sync(EVERY_LANE, best, step);
        bool mine = best >= 0, theirs = place >= 0;
        bool nan = most != most, other_nan = other != other;
        bool same = other == most || (nan && other_nan);
        bool larger = (other_nan && !nan) || (!nan && other > most) || (same && place < best);
        if (theirs && (!mine || larger)) {
            most = other;
            best = place;
        }
    }
    return most;
}

#define ROW (blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32)
#define LANE (threadIdx.x % 32)

__device__ __forceinline__ void note(float* each, int row, float loss, float other)
{
    if (LANE == 0) {
        each[2 * row] = loss;
        each[2 * row + 1] = other;
    }
}

// 1 / sum of strengths, or 0 where they are all 0, times a factor; one block.
extern "C" __global__ void strength_scale(const float* strengths, const float* factor, float* scale, int rows)
{
    double total = 0.0;
    for (int i = threadIdx.x; i < rows; i += blockDim.x)
        total += strengths[i];
    total = block_sum(total);
    if (threadIdx.x == 0)
        scale[0] = (total > 0.0 ? (float)(1.0 / total) : 0.0f) * (factor ? factor[0] : 1.0f);
}

// The sums over all rows, in an order that depends on their number only; one block.
extern "C" __global__ void loss_sums(const float* each, double* sums, int rows)
{
    double loss = 0.0, other = 0.0;
    for (int i = threadIdx.x; i < rows; i += blockDim.x) {
        loss += each[2 * i];
        other += each[2 * i + 1];
    }
    loss = block_sum(loss);
    other = block_sum(other);
    if (threadIdx.x == 0) {
        sums[0] = loss;
        sums[1] = other;
    }
}

// A step's loss and strength added to those of the epoch and of the record: totals are the epoch's loss and strength, then
// the record's. One block.
extern "C" __global__ void note_step(const double* sums, const float* strengths, double* totals, int rows)
{
    double strength = 0.0;
    for (int i = threadIdx.x; i < rows; i += blockDim.x)
        strength += strengths[i];
    strength = block_sum(strength);
    if (threadIdx.x == 0)
        for (int i = 0; i < 4; i += 2) {
            totals[i] += sums[0];
            totals[i + 1] += strength;
        }
}

extern "C" __global__ void softmax_cross_entropy(
    const float* logits, float* d_logits, const long long* targets, const float* strengths, const float* scale,
    float* each, int rows, int classes, float smoothing)
{
    int row = ROW, best;
    if (row >= rows)
        return;
    const float* z = logits + (long long)row * classes;
    float most = largest(z, classes, best), total = 0.0f, all = 0.0f;
    for (int k = LANE; k < classes; k += 32) {
        total += expf(z[k] - most);
        all += z[k] - most;
    }
    total = warp_sum(total);
    all = warp_sum(all);
    int target = (int)targets[row];
    float kept = 1.0f - smoothing, spread = smoothing / classes;
    float loss = logf(total) - kept * (z[target] - most) - (smoothing > 0.0f ? spread * all : 0.0f);
    note(each, row, loss * strengths[row], best != target);
    if (d_logits) {
        float weight = strengths[row] * scale[0], share = weight / total;
        for (int k = LANE; k < classes; k += 32)
            d_logits[(long long)row * classes + k] =
                expf(z[k] - most) * share - (k == target ? kept : 0.0f) * weight - spread * weight;
    }
}

extern "C" __global__ void focal_loss(
    const float* logits, float* d_logits, const long long* targets, const float* strengths, const float* scale,
    float* each, int rows, int classes, float gamma)
{
    int row = ROW, best;
    if (row >= rows)
        return;
    const float* z = logits + (long long)row * classes;
    int target = (int)targets[row];
    float most = largest(z, classes, best), others = 0.0f;
    // 1 - p as the sum of the other classes, which keeps the digits of a small one.
    for (int k = LANE; k < classes; k += 32)
        others += k == target ? 0.0f : expf(z[k] - most);
    others = warp_sum(others);
    float own = expf(z[target] - most), total = others + own, right = own / total;
    float rest = others / total;
    rest = rest > 1.0f ? 1.0f : rest;
    float logarithm = rest < 0.5f ? log1pf(-rest) : z[target] - most - logf(total);
    float weak = power_of(rest, gamma);
    note(each, row, -(weak * logarithm * strengths[row]), best != target);
    if (d_logits) {
        float least = rest > 1e-30f || rest != rest ? rest : 1e-30f;
        float slope = weak * (1.0f - gamma * right * logarithm / least) * strengths[row] * scale[0];
        for (int k = LANE; k < classes; k += 32)
            d_logits[(long long)row * classes + k] =
                k == target ? -slope * rest : expf(z[k] - most) * (slope / total);
    }
}

// Logistic outputs by their sum, as the softmax of their logarithms.
extern "C" __global__ void normalized_logistic(
    const float* logits, float* d_logits, const long long* targets, const float* strengths, const float* scale,
    float* each, int rows, int classes)
{
    int row = ROW, best;
    if (row >= rows)
        return;
    const float* z = logits + (long long)row * classes;
    // The logarithm grows with the logit: the largest one has the largest share.
    float top = -softplus(-largest(z, classes, best)), total = 0.0f;
    for (int k = LANE; k < classes; k += 32)
        total += expf(-softplus(-z[k]) - top);
    total = warp_sum(total);
    int target = (int)targets[row];
    note(each, row, (logf(total) + softplus(-z[target]) + top) * strengths[row], best != target);
    if (d_logits) {
        float weight = strengths[row] * scale[0];
        for (int k = LANE; k < classes; k += 32) {
            float share = expf(-softplus(-z[k]) - top) / total;
            d_logits[(long long)row * classes + k] = (share - (k == target)) * expf(-softplus(z[k])) * weight;
        }
    }
}

// What is missing to the margin, and the slope of its power; NaN stays NaN.
__device__ __forceinline__ float shortfall(float lead, float margin, int power, float& slope)
{
    float missing = lead + margin;
    missing = missing < 0.0f ? 0.0f : missing;
    slope = power == 2 ? missing + missing : missing > 0.0f ? 1.0f : missing;
    return power == 2 ? missing * missing : missing;
}

extern "C" __global__ void hinge_loss(
    const float* logits, float* d_logits, const long long* targets, const float* strengths, const float* scale,
    float* each, int rows, int classes, int power, float margin)
{
    int row = ROW, best;
    if (row >= rows)
        return;
    const float* z = logits + (long long)row * classes;
    largest(z, classes, best);
    int target = (int)targets[row];
    float right = z[target], loss = 0.0f, slopes = 0.0f, share = 1.0f / classes;
    float weight = d_logits ? strengths[row] * scale[0] * share : 0.0f;
    for (int k = LANE; k < classes; k += 32) {
        if (k == target)
            continue;
        float slope;
        loss += shortfall(z[k] - right, margin, power, slope);
        slopes += slope;
        if (d_logits)
            d_logits[(long long)row * classes + k] = slope * weight;
    }
    loss = warp_sum(loss);
    slopes = warp_sum(slopes);
    note(each, row, loss * share * strengths[row], best != target);
    if (d_logits && LANE == 0)
        d_logits[(long long)row * classes + target] = -slopes * weight;
}

extern "C" __global__ void binary_cross_entropy(
    const float* logits, float* d_logits, const long long* targets, const float* strengths, const float* scale,
    float* each, int rows)
{
    EACH(row, rows) {
        float z = logits[row], positive = targets[row] > 0;
        // softplus(-z) or softplus(z): the difference softplus(z) - y z would lose the digits of a small loss.
        each[2 * row] = softplus((1.0f - 2.0f * positive) * z) * strengths[row];
        each[2 * row + 1] = (z > 0.0f) != (targets[row] > 0);
        if (d_logits)
            d_logits[row] = (0.5f * (1.0f + tanhf(0.5f * z)) - positive) * (strengths[row] * scale[0]);
    }
}

extern "C" __global__ void binary_hinge_loss(
    const float* logits, float* d_logits, const long long* targets, const float* strengths, const float* scale,
    float* each, int rows, int power, float margin)
{
    EACH(row, rows) {
        float z = logits[row], away = targets[row] > 0 ? -1.0f : 1.0f, slope;
        each[2 * row] = shortfall(away * z, margin, power, slope) * strengths[row];
        each[2 * row + 1] = (z > 0.0f) != (targets[row] > 0);
        if (d_logits)
            d_logits[row] = slope * away * (strengths[row] * scale[0]);
    }
}

// The mean over an example's known labels, those whose target is not below 0, each a yes or no of its own.
extern "C" __global__ void sigmoid_cross_entropy(
    const float* logits, float* d_logits, const float* targets, const float* strengths, const float* scale,
    float* each, int rows, int labels, float positive_weight, float smoothing)
{
    int row = ROW;
    if (row >= rows)
        return;
    long long start = (long long)row * labels;
    float known = 0.0f, loss = 0.0f, misses = 0.0f;
    for (int k = LANE; k < labels; k += 32)
        known += targets[start + k] >= 0.0f;
    known = warp_sum(known);
    float share = 1.0f / (known > 0.0f ? known : 1.0f), weight = d_logits ? strengths[row] * scale[0] * share : 0.0f;
    for (int k = LANE; k < labels; k += 32) {
        float z = logits[start + k], y = targets[start + k], slope = 0.0f;
        if (y >= 0.0f) {
            float present = (1.0f - smoothing) * y + 0.5f * smoothing, absent = 1.0f - present;
            present *= positive_weight;
            loss += present * softplus(-z) + absent * softplus(z);
            misses += (z > 0.0f) != (y > 0.0f);
            // Of s(z) and s(-z) neither is a difference from 1.
            float power = expf(-fabsf(z)), near = 1.0f / (1.0f + power), far = power * near;
            slope = z > 0.0f ? absent * near - present * far : absent * far - present * near;
        }
        if (d_logits)
            d_logits[start + k] = slope * weight;
    }
    loss = warp_sum(loss);
    misses = warp_sum(misses);
    note(each, row, loss * share * strengths[row], misses * share);
}

// The mean over outputs of a function of the differences: squared (0), absolute (1) or Huber's (2).
extern "C" __global__ void regression_loss(
    const float* logits, float* d_logits, const float* targets, const float* strengths, const float* scale,
    float* each, int rows, int outputs, int function, float delta)
{
    int row = ROW;
    if (row >= rows)
        return;
    long long start = (long long)row * outputs;
    float loss = 0.0f, squares = 0.0f, share = 1.0f / outputs;
    float weight = d_logits ? strengths[row] * scale[0] * share : 0.0f;
    for (int k = LANE; k < outputs; k += 32) {
        float difference = logits[start + k] - targets[start + k], size = fabsf(difference), value, slope;
        if (function == 0) {
            value = difference * difference;
            slope = difference + difference;
        } else if (function == 1) {
            value = size;
            slope = difference > 0.0f ? 1.0f : difference < 0.0f ? -1.0f : difference;
        } else {
            float near = size > delta ? delta : size;
            value = near * (size - 0.5f * near);
            slope = difference < 0.0f ? -near : near;
        }
        loss += value;
        squares += difference * difference;
        if (d_logits)
            d_logits[start + k] = slope * weight;
    }
    loss = warp_sum(loss);
    squares = warp_sum(squares);
    note(each, row, loss * share * strengths[row], squares * share);
}
