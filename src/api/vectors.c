/* SPDX-License-Identifier: MIT */
#include "api/vectors.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/json.h"

bool vectors_read_dimensions(struct parsed *parsed, struct translation *t) {
    int64_t dimensions = 0;
    if (!json_read_int(t->in, "dimensions", 1, DIMENSIONS_MAX, &dimensions, t->err))
        return false;
    parsed->options.dimensions = dimensions;
    parsed->requests[0].dimensions = dimensions;
    return true;
}

static double length_of(const float *vector, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) sum += (double)vector[i] * vector[i];
    return sqrt(sum);
}

static bool keep_shortened(struct buf *vectors, const float *vector, size_t count) {
    double length = length_of(vector, count);
    bool ok = buf_add(vectors, &count, sizeof count);
    for (size_t i = 0; ok && i < count; i++) {
        float value = length > 0 ? (float)(vector[i] / length) : vector[i];
        ok = buf_add(vectors, &value, sizeof value);
    }
    return ok;
}

/* Kept as: length, floats, length, floats, ... */
bool vectors_keep(struct buf *vectors, const struct service_event *ev, int64_t dimensions) {
    if (dimensions > 0 && (size_t)dimensions < ev->vector_len)
        return keep_shortened(vectors, ev->vector, (size_t)dimensions);
    return buf_add(vectors, &ev->vector_len, sizeof ev->vector_len) &&
           buf_add(vectors, ev->vector, ev->vector_len * sizeof *ev->vector);
}

bool vectors_next(const struct buf *vectors, size_t *at, struct vector *ret_vector) {
    if (*at >= vectors->len) return false;
    memcpy(&ret_vector->count, vectors->data + *at, sizeof ret_vector->count);
    *at += sizeof ret_vector->count;
    assert(ret_vector->count <= (vectors->len - *at) / sizeof(float));
    ret_vector->bytes = vectors->data + *at;
    *at += ret_vector->count * sizeof(float);
    return true;
}

/* Nine digits restore a float exactly; yyjson would write those of a double, twice as many.
 * JSON has no infinities. */
void vector_write(const struct vector *vector, struct buf *out) {
    buf_add_str(out, "[");
    for (size_t i = 0; i < vector->count; i++) {
        float value;
        memcpy(&value, vector->bytes + i * sizeof value, sizeof value);
        if (i) buf_add_str(out, ",");
        if (isfinite(value)) {
            buf_addf(out, "%.9g", (double)value);
        } else {
            buf_add_str(out, "null");
        }
    }
    buf_add_str(out, "]");
}
