// Pooling over pictures (height, width, channels); what lies outside of them is passed over, but may count in a mean.
//
// Sizes: height, width, channels, rows and columns of windows, height and width of a window, steps down and right, places
// before the first row and column, whether places outside count in a mean.

struct Pool {
    int height, width, channels, rows, columns, tall, wide, down, right, top, left, counted;

    __device__ __forceinline__ Pool(const Sizes& sizes)
        : height(sizes.at[0]), width(sizes.at[1]), channels(sizes.at[2]), rows(sizes.at[3]), columns(sizes.at[4]),
          tall(sizes.at[5]), wide(sizes.at[6]), down(sizes.at[7]), right(sizes.at[8]), top(sizes.at[9]),
          left(sizes.at[10]), counted(sizes.at[11])
    {
    }

    // What the values of a window are multiplied by that holds so many of the picture's.
    __device__ __forceinline__ float share(int seen) const { return 1.0f / (counted ? tall * wide : seen); }
};

// The largest value of each window, of equal ones the first, and where in its window it stands. NaN stays NaN.
extern "C" __global__ void max_pool_forward(const float* x, float* y, int* winners, Sizes sizes, int count)
{
    Pool p(sizes);
    EACH(i, count) {
        int c = i % p.channels, place = i / p.channels;
        int first_column = place % p.columns * p.right - p.left, line = place / p.columns;
        int first_row = line % p.rows * p.down - p.top, example = line / p.rows * p.height;
        float most = 0.0f;
        int winner = -1;
        for (int down = max(0, -first_row); down < min(p.tall, p.height - first_row); down++)
            for (int right = max(0, -first_column); right < min(p.wide, p.width - first_column); right++) {
                int source = ((example + first_row + down) * p.width + first_column + right) * p.channels + c;
                float value = x[source];
                if (winner < 0 || value > most || (value != value && most == most)) {
                    most = value;
                    winner = down * p.wide + right;
                }
            }
        y[i] = most;
        if (winners)
            winners[i] = winner;
    }
}

// A pixel's gradient: of all windows that hold it. `winners` for the largest value; without, for the mean.
extern "C" __global__ void pool_backward(const float* dy, float* dx, const int* winners, Sizes sizes, int count)
{
    Pool p(sizes);
    EACH(i, count) {
        int c = i % p.channels, place = i / p.channels;
        int column = place % p.width + p.left, line = place / p.width, row = line % p.height + p.top;
        int example = line / p.height * p.rows;
        // The windows that hold it: from the first that reaches so far to the last that begins before.
        int from_row = row < p.tall ? 0 : (row - p.tall) / p.down + 1;
        int from_column = column < p.wide ? 0 : (column - p.wide) / p.right + 1;
        float total = 0.0f;
        for (int r = from_row; r < p.rows && r * p.down <= row; r++)
            for (int k = from_column; k < p.columns && k * p.right <= column; k++) {
                int window = ((example + r) * p.columns + k) * p.channels + c;
                if (winners) {
                    if (winners[window] == (row - r * p.down) * p.wide + column - k * p.right)
                        total += dy[window];
                } else {
                    int high = min(r * p.down - p.top + p.tall, p.height) - max(r * p.down - p.top, 0);
                    int broad = min(k * p.right - p.left + p.wide, p.width) - max(k * p.right - p.left, 0);
                    total += dy[window] * p.share(high * broad);
                }
            }
        dx[i] = total;
    }
}

extern "C" __global__ void average_pool_forward(const float* x, float* y, Sizes sizes, int count)
{
    Pool p(sizes);
    EACH(i, count) {
        int c = i % p.channels, place = i / p.channels;
        int first_column = place % p.columns * p.right - p.left, line = place / p.columns;
        int first_row = line % p.rows * p.down - p.top, example = line / p.rows * p.height;
        int row = max(0, first_row), last_row = min(p.height, first_row + p.tall), seen = 0;
        float total = 0.0f;
        for (; row < last_row; row++)
            for (int k = max(0, first_column); k < min(p.width, first_column + p.wide); k++, seen++)
                total += x[((example + row) * p.width + k) * p.channels + c];
        y[i] = total * p.share(seen);
    }
}
