// Steps of recurrent layers, a unit of an example a thread. Gates stand as in PyTorch's parameters.
//
// `values` holds the input's part of all steps, (rows, steps, gates * units), and after a step its gates; after the way
// back their gradients, which also stand in `slopes`, (rows, gates * units), as the previous state's weights need them.
// The previous state's part is the sum of `parts` products, none before the first step; `back` likewise.

struct Step {
    int rows, units, steps, number, parts, output_step, output_start;

    __device__ __forceinline__ Step(const Sizes& sizes)
        : rows(sizes.at[0]), units(sizes.at[1]), steps(sizes.at[2]), number(sizes.at[3]), parts(sizes.at[4]),
          output_step(sizes.at[5]), output_start(sizes.at[6])
    {
    }

    __device__ __forceinline__ int count() const { return rows * units; }

    // Where gate `gate` of `gates` stands among the values of all steps.
    __device__ __forceinline__ long long place(int row, int unit, int gate, int gates) const
    {
        return ((long long)row * steps + number) * gates * units + gate * units + unit;
    }

    __device__ __forceinline__ float total(const float* products, int row, int column, int width) const
    {
        float sum = 0.0f;
        for (int part = 0; part < parts; part++)
            sum += products[((long long)part * rows + row) * width + column];
        return sum;
    }

    // The part of a gate's pre-activation that comes from the previous state, with that state's bias.
    __device__ __forceinline__ float recurrent(
        const float* products, const float* bias, int row, int unit, int gate, int gates) const
    {
        int column = gate * units + unit;
        return total(products, row, column, gates * units) + (bias ? bias[column] : 0.0f);
    }

    // The gradient by the state after this step.
    __device__ __forceinline__ float slope(const float* back, const float* carry, const float* dy, int row, int unit) const
    {
        float sum = total(back, row, unit, units);
        if (carry)
            sum += carry[row * units + unit];
        if (dy)
            sum += dy[(long long)row * output_step + output_start + unit];
        return sum;
    }

    __device__ __forceinline__ void give(float* state, float* y, int row, int unit, float h) const
    {
        state[row * units + unit] = h;
        if (y)
            y[(long long)row * output_step + output_start + unit] = h;
    }
};

__device__ __forceinline__ float logistic(float x)
{
    return 0.5f * tanhf(0.5f * x) + 0.5f;
}

// h = tanh or max(., 0) of the sum of both parts.
extern "C" __global__ void plain_step(
    float* values, const float* products, const float* bias, float* h, float* y, int rectified, Sizes sizes)
{
    Step s(sizes);
    EACH(i, s.count()) {
        int row = i / s.units, unit = i % s.units;
        float sum = values[s.place(row, unit, 0, 1)] + s.recurrent(products, bias, row, unit, 0, 1);
        s.give(h, y, row, unit, rectified ? (sum < 0.0f ? 0.0f : sum) : tanhf(sum));
    }
}

extern "C" __global__ void plain_step_back(
    float* values, float* slopes, const float* h, const float* back, const float* dy, int rectified, Sizes sizes)
{
    Step s(sizes);
    EACH(i, s.count()) {
        int row = i / s.units, unit = i % s.units;
        float slope = s.slope(back, 0, dy, row, unit);
        slope *= rectified ? (h[i] > 0.0f ? 1.0f : 0.0f) : 1.0f - h[i] * h[i];
        values[s.place(row, unit, 0, 1)] = slopes[i] = slope;
    }
}

// Gates i, f, g, o: c = f c_before + i g, h = o tanh(c). Without a c before it is 0.
extern "C" __global__ void lstm_step(
    float* values, const float* products, const float* bias, const float* c_before, float* c, float* h, float* y,
    Sizes sizes)
{
    Step s(sizes);
    EACH(i, s.count()) {
        int row = i / s.units, unit = i % s.units;
        float gates[4];
#pragma unroll
        for (int gate = 0; gate < 4; gate++) {
            float sum = values[s.place(row, unit, gate, 4)] + s.recurrent(products, bias, row, unit, gate, 4);
            gates[gate] = gate == 2 ? tanhf(sum) : logistic(sum);
            values[s.place(row, unit, gate, 4)] = gates[gate];
        }
        float state = gates[0] * gates[2] + (c_before ? gates[1] * c_before[i] : 0.0f);
        c[i] = state;
        s.give(h, y, row, unit, gates[3] * tanhf(state));
    }
}

// `dc` holds the gradient by c that comes from later steps, none where `last`, and then the one for the step before.
extern "C" __global__ void lstm_step_back(
    float* values, float* slopes, const float* c_before, const float* c, float* dc, const float* back, const float* dy,
    int last, Sizes sizes)
{
    Step s(sizes);
    EACH(i, s.count()) {
        int row = i / s.units, unit = i % s.units;
        float gates[4], out[4];
#pragma unroll
        for (int gate = 0; gate < 4; gate++)
            gates[gate] = values[s.place(row, unit, gate, 4)];
        float dh = s.slope(back, 0, dy, row, unit), bent = tanhf(c[i]);
        float slope = (last ? 0.0f : dc[i]) + dh * gates[3] * (1.0f - bent * bent);
        out[0] = slope * gates[2] * gates[0] * (1.0f - gates[0]);
        out[1] = c_before ? slope * c_before[i] * gates[1] * (1.0f - gates[1]) : 0.0f;
        out[2] = slope * gates[0] * (1.0f - gates[2] * gates[2]);
        out[3] = dh * bent * gates[3] * (1.0f - gates[3]);
        dc[i] = slope * gates[1];
#pragma unroll
        for (int gate = 0; gate < 4; gate++) {
            values[s.place(row, unit, gate, 4)] = out[gate];
            slopes[(row * 4 + gate) * s.units + unit] = out[gate];
        }
    }
}

// Gates r, z, n: n = tanh(. + r m), h = (1 - z) n + z h_before, with m the previous state's part of n, which is kept.
extern "C" __global__ void gru_step(
    float* values, const float* products, const float* bias, const float* h_before, float* kept, float* h, float* y,
    Sizes sizes)
{
    Step s(sizes);
    EACH(i, s.count()) {
        int row = i / s.units, unit = i % s.units;
        float r = logistic(values[s.place(row, unit, 0, 3)] + s.recurrent(products, bias, row, unit, 0, 3));
        float z = logistic(values[s.place(row, unit, 1, 3)] + s.recurrent(products, bias, row, unit, 1, 3));
        float m = s.recurrent(products, bias, row, unit, 2, 3);
        float n = tanhf(values[s.place(row, unit, 2, 3)] + r * m);
        values[s.place(row, unit, 0, 3)] = r;
        values[s.place(row, unit, 1, 3)] = z;
        values[s.place(row, unit, 2, 3)] = n;
        kept[i] = m;
        s.give(h, y, row, unit, n + z * ((h_before ? h_before[i] : 0.0f) - n));
    }
}

// `carry` holds what goes straight to this step's state from the one after, none where `last`, and then what goes on.
extern "C" __global__ void gru_step_back(
    float* values, float* slopes, const float* h_before, const float* kept, float* carry, const float* back,
    const float* dy, int last, Sizes sizes)
{
    Step s(sizes);
    EACH(i, s.count()) {
        int row = i / s.units, unit = i % s.units;
        float r = values[s.place(row, unit, 0, 3)], z = values[s.place(row, unit, 1, 3)];
        float n = values[s.place(row, unit, 2, 3)], dh = s.slope(back, last ? 0 : carry, dy, row, unit);
        float dn = dh * (1.0f - z) * (1.0f - n * n), dr = dn * kept[i] * r * (1.0f - r);
        float dz = dh * ((h_before ? h_before[i] : 0.0f) - n) * z * (1.0f - z);
        carry[i] = dh * z;
        values[s.place(row, unit, 0, 3)] = slopes[row * 3 * s.units + unit] = dr;
        values[s.place(row, unit, 1, 3)] = slopes[(row * 3 + 1) * s.units + unit] = dz;
        values[s.place(row, unit, 2, 3)] = dn;
        slopes[(row * 3 + 2) * s.units + unit] = dn * r;
    }
}

// What two directions found, side by side in `both`, added and multiplied by `share`; and the same way back.
extern "C" __global__ void merge_halves(const float* both, float* y, int units, float share, int count)
{
    EACH(i, count) {
        int place = i / units * 2 * units + i % units;
        y[i] = (both[place] + both[place + units]) * share;
    }
}

extern "C" __global__ void spread_halves(const float* dy, float* d_both, int units, float share, int count)
{
    EACH(i, count) {
        int place = i / units * 2 * units + i % units;
        d_both[place] = d_both[place + units] = dy[i] * share;
    }
}
