// The parametric ReLU, whose slope below 0 is trained: a weight for each of `weights` channels, or one for all.

extern "C" __global__ void prelu_forward(const float* x, float* y, const float* weight, int weights, int count)
{
    EACH(i, count) y[i] = x[i] > 0.0f ? x[i] : x[i] * weight[i % weights];
}

// The gradient by the input, and what each value adds to that by its weight; either may be left out.
extern "C" __global__ void prelu_backward(
    const float* x, const float* dy, const float* weight, float* dx, float* slopes, int weights, int count)
{
    EACH(i, count) {
        float slope = dy[i];
        if (slopes)
            slopes[i] = x[i] > 0.0f ? 0.0f : x[i] * slope;
        if (dx)
            dx[i] = x[i] > 0.0f ? slope : slope * weight[i % weights];
    }
}
