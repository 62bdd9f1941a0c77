// Gathering rows of a dataset that lies on the device into a batch.

// A batch in one launch: inputs of 8 bits (`octets`) or float (`values`), normalized as (x - shift) * scale, where shift
// and scale have `width` values that repeat; then targets, as whole numbers or as `answers` values a row; then strengths.
extern "C" __global__ void gather_batch(
    const unsigned char* octets, const float* values, const long long* places, const float* shift, const float* scale,
    float* inputs, int size, int width, const long long* classes, long long* classes_out, const float* answers,
    float* answers_out, int each, const float* strengths, float* strengths_out, int rows)
{
    EACH(i, rows * size) {
        int row = i / size, column = i % size, place = column % width;
        long long source = places[row] * size + column;
        float value = octets ? (float)octets[source] : values[source];
        inputs[i] = (value - shift[place]) * scale[place];
        if (column == 0) {
            if (classes)
                classes_out[row] = classes[places[row]];
            for (int k = 0; answers && k < each; k++)
                answers_out[row * each + k] = answers[places[row] * each + k];
            strengths_out[row] = strengths[places[row]];
        }
    }
}
