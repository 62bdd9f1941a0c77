// What attention does line by line of its square weights (rows, heads, steps, steps): a warp a line.

__device__ __forceinline__ float warp_most(float value)
{
    for (int step = 16; step > 0; step /= 2)
        value = fmaxf(value, __shfl_xor_sync(EVERY_LANE, value, step));
    return value;
}

#define LINE (blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32)
#define LANE (threadIdx.x % 32)

// The softmax of each line times `scale`, in place; `causal` leaves no weight on later steps. With a key, what is left of it
// by dropout goes to `used`; it draws numbers by the place in an example's `size` values.
extern "C" __global__ void attention_softmax(
    float* weights, float* used, const unsigned long long* key, int steps, int causal, float scale, int size, int first_row,
    float rate, float kept, int lines)
{
    int line = LINE;
    if (line >= lines)
        return;
    int start = line * steps, seen = causal ? line % steps + 1 : steps;
    float most = __int_as_float(0xff800000), total = 0.0f;
    for (int k = LANE; k < seen; k += 32)
        most = fmaxf(most, weights[start + k]);
    // No number is passed over here, and makes the sum none.
    most = warp_most(most);
    for (int k = LANE; k < seen; k += 32)
        total += expf((weights[start + k] - most) * scale);
    float share = 1.0f / warp_sum(total);
    for (int k = LANE; k < steps; k += 32) {
        float weight = k < seen ? expf((weights[start + k] - most) * scale) * share : 0.0f;
        weights[start + k] = weight;
        if (key)
            used[start + k] = dropped_value(weight, start + k, key[0], size, first_row, rate, kept);
    }
}

// The gradient by the products that the softmax was made of, in place: scale * w * (d - sum of w * d).
extern "C" __global__ void attention_softmax_back(
    const float* weights, float* slopes, const unsigned long long* key, int steps, int causal, float scale, int size,
    int first_row, float rate, float kept, int lines)
{
    int line = LINE;
    if (line >= lines)
        return;
    int start = line * steps, seen = causal ? line % steps + 1 : steps;
    float total = 0.0f;
    for (int k = LANE; k < seen; k += 32) {
        float slope = slopes[start + k];
        if (key)
            slopes[start + k] = slope = dropped_value(slope, start + k, key[0], size, first_row, rate, kept);
        total += slope * weights[start + k];
    }
    total = warp_sum(total);
    for (int k = LANE; k < steps; k += 32)
        slopes[start + k] = k < seen ? scale * weights[start + k] * (slopes[start + k] - total) : 0.0f;
}
