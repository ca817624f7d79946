/* Evaluates a model at every point of the file points.bin, and writes the values to values.bin: floats, little-endian. */
#include "ffm.h"
#include "model.h" /* written by: trainer export model.ffm --c . */
#include <stdio.h>

static int is_good(ffm_status status)
{
    if (status != FFM_STATUS_OK) {
        fprintf(stderr, "%s\n", ffm_message(status));
    }
    return status == FFM_STATUS_OK;
}

int main(void)
{
    static ffm_model model;
    static uint32_t scratch[MODEL_SCRATCH_WORDS];
    float point[MODEL_INPUTS], values[MODEL_OUTPUTS];
    FILE *points = fopen("points.bin", "rb"), *out = fopen("values.bin", "wb");

    if (points == NULL || out == NULL || !is_good(ffm_parse(&model, model_ffm, MODEL_BYTES))
        || !is_good(ffm_self_test(&model, scratch, MODEL_SCRATCH_WORDS))) {
        return 1;
    }
    while (fread(point, sizeof point, 1, points) == 1) {
        if (!is_good(ffm_eval(&model, point, MODEL_INPUTS, scratch, MODEL_SCRATCH_WORDS, values, MODEL_OUTPUTS))
            || fwrite(values, sizeof values, 1, out) != 1) {
            return 1;
        }
    }
    return fclose(out) == 0 ? 0 : 1;
}
