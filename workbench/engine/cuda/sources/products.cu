// Products of matrices that lie in memory as they are: rows one after the other, or turned.

struct Matrix {
    typedef const float* Outer;
    typedef long long Inner;
    const float* values;
    long long outer_step, inner_step;

    __device__ __forceinline__ Outer outer(int i) const { return values + i * outer_step; }
    __device__ __forceinline__ Inner inner(int k) const { return k * inner_step; }
    __device__ __forceinline__ float at(Outer outer, Inner inner) const { return outer[inner]; }
};

// out = left right, with left (rows, depth) and right (depth, columns). blockIdx.y counts parts of the depth of `each`,
// whose sums stand one behind the other.
template <int TILE, bool LEFT_TURNED, bool RIGHT_TURNED>
__device__ __forceinline__ void matrices(
    const float* left, const float* right, float* out, int rows, int columns, int depth, int each)
{
    Matrix a = {left, LEFT_TURNED ? 1 : depth, LEFT_TURNED ? rows : 1};
    Matrix b = {right, RIGHT_TURNED ? depth : 1, RIGHT_TURNED ? 1 : columns};
    int start = blockIdx.y * each;
    product<TILE, !LEFT_TURNED, RIGHT_TURNED>(
        a, b, out + (long long)blockIdx.y * rows * columns, columns, rows, columns, start, min(depth, start + each));
}

extern "C" __global__ void __launch_bounds__(256) product_64(
    const float* left, const float* right, float* out, int rows, int columns, int depth, int each)
{
    matrices<64, false, false>(left, right, out, rows, columns, depth, each);
}

extern "C" __global__ void __launch_bounds__(64) product_32(
    const float* left, const float* right, float* out, int rows, int columns, int depth, int each)
{
    matrices<32, false, false>(left, right, out, rows, columns, depth, each);
}

// The left matrix lies turned, as (depth, rows).
extern "C" __global__ void __launch_bounds__(256) left_turned_product_64(
    const float* left, const float* right, float* out, int rows, int columns, int depth, int each)
{
    matrices<64, true, false>(left, right, out, rows, columns, depth, each);
}

extern "C" __global__ void __launch_bounds__(64) left_turned_product_32(
    const float* left, const float* right, float* out, int rows, int columns, int depth, int each)
{
    matrices<32, true, false>(left, right, out, rows, columns, depth, each);
}

// The right matrix lies turned, as (columns, depth).
extern "C" __global__ void __launch_bounds__(256) right_turned_product_64(
    const float* left, const float* right, float* out, int rows, int columns, int depth, int each)
{
    matrices<64, false, true>(left, right, out, rows, columns, depth, each);
}

extern "C" __global__ void __launch_bounds__(64) right_turned_product_32(
    const float* left, const float* right, float* out, int rows, int columns, int depth, int each)
{
    matrices<32, false, true>(left, right, out, rows, columns, depth, each);
}
