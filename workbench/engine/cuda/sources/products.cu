// Products of matrices as they lie in memory: rows one after the other, or turned; one product, or one for each head of
// each example.

// Along the depth, or (where it is not DEEP) across it, neighbors lie side by side; the other way a step apart.
template <bool DEEP>
struct Matrix {
    typedef const float* Outer;
    typedef long long Inner;
    const float* values;
    long long step;

    __device__ __forceinline__ Outer outer(int i) const { return values + (DEEP ? i * step : i); }
    __device__ __forceinline__ Inner inner(int k) const { return DEEP ? k : k * step; }
    __device__ __forceinline__ float at(Outer outer, Inner inner) const { return outer[inner]; }
};

// out = left right, with left (rows, depth) and right (depth, columns). Sizes: rows, columns, depth, terms of a part, heads;
// then for left and right: whether they are deep, the step, and what lies between the first values of two examples and of
// two heads; for out the last three.
//
// blockIdx.x counts tiles, then heads, then examples. blockIdx.y counts parts of the depth, whose sums stand one behind the
// other.
struct Request {
    int rows, columns, depth, each, heads, left_deep, left_step, left_item, left_head, right_deep, right_step, right_item;
    int right_head, out_step, out_item, out_head;

    __device__ __forceinline__ Request(const Sizes& sizes)
        : rows(sizes.at[0]), columns(sizes.at[1]), depth(sizes.at[2]), each(sizes.at[3]), heads(sizes.at[4]),
          left_deep(sizes.at[5]), left_step(sizes.at[6]), left_item(sizes.at[7]), left_head(sizes.at[8]),
          right_deep(sizes.at[9]), right_step(sizes.at[10]), right_item(sizes.at[11]), right_head(sizes.at[12]),
          out_step(sizes.at[13]), out_item(sizes.at[14]), out_head(sizes.at[15])
    {
    }

    __device__ __forceinline__ long long start(int number, int item, int head) const
    {
        return (long long)(number / heads) * item + (long long)(number % heads) * head;
    }
};

template <int TILE, bool LEFT_DEEP, bool RIGHT_DEEP>
__device__ __forceinline__ void multiply(const float* left, const float* right, float* out, const Request& r, int tile)
{
    Matrix<LEFT_DEEP> a = {left, r.left_step};
    Matrix<RIGHT_DEEP> b = {right, r.right_step};
    int start = blockIdx.y * r.each;
    product<TILE, LEFT_DEEP, RIGHT_DEEP>(
        a, b, out, r.out_step, tile, r.rows, r.columns, start, min(r.depth, start + r.each));
}

template <int TILE>
__device__ __forceinline__ void multiply_as_they_lie(const float* left, const float* right, float* out, const Sizes& sizes)
{
    Request r(sizes);
    int tiles = (r.rows + TILE - 1) / TILE * ((r.columns + TILE - 1) / TILE);
    int tile = blockIdx.x % tiles, number = blockIdx.x / tiles;
    left += r.start(number, r.left_item, r.left_head);
    right += r.start(number, r.right_item, r.right_head);
    out += r.start(number, r.out_item, r.out_head) + (long long)blockIdx.y * r.rows * r.columns;
    if (!r.left_deep && !r.right_deep)
        multiply<TILE, false, false>(left, right, out, r, tile);
    else if (!r.left_deep)
        multiply<TILE, false, true>(left, right, out, r, tile);
    else if (!r.right_deep)
        multiply<TILE, true, false>(left, right, out, r, tile);
    else
        multiply<TILE, true, true>(left, right, out, r, tile);
}

extern "C" __global__ void __launch_bounds__(256) product_64(const float* left, const float* right, float* out, Sizes sizes)
{
    multiply_as_they_lie<64>(left, right, out, sizes);
}

extern "C" __global__ void __launch_bounds__(64) product_32(const float* left, const float* right, float* out, Sizes sizes)
{
    multiply_as_they_lie<32>(left, right, out, sizes);
}
