/* SPDX-License-Identifier: MIT */
#include "api/vectors.h"

#include <math.h>
#include <stdio.h>

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

static struct vector shorten(const float *values, size_t count, struct buf *room) {
    double length = length_of(values, count);
    buf_init(room, count * sizeof *values);
    float *shorter = (void *)buf_reserve(room, count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        shorter[i] = length > 0 ? (float)(values[i] / length) : values[i];
    return (struct vector){ shorter, count };
}

struct vector vector_of(const struct service_event *ev, int64_t dimensions, struct buf *room) {
    if (dimensions > 0 && (size_t)dimensions < ev->vector_len)
        return shorten(ev->vector, (size_t)dimensions, room);
    return (struct vector){ ev->vector, ev->vector_len };
}

/* Nine digits restore a float exactly; yyjson would write those of a double, twice as many.
 * JSON has no infinities. */
static void write_number(float value, struct buf *out) {
    enum { LONGEST = 15 }; /* "-1.23456789e-38" */
    char *room = buf_reserve(out, LONGEST);
    if (!room) return;
    int len = isfinite(value) ? snprintf(room, LONGEST + 1, "%.9g", (double)value)
                              : snprintf(room, LONGEST + 1, "null");
    out->len += (size_t)len;
}

void vector_write(const struct vector *vector, struct buf *out) {
    buf_add_str(out, "[");
    for (size_t i = 0; i < vector->count; i++) {
        if (i) buf_add_str(out, ",");
        write_number(vector->values[i], out);
    }
    buf_add_str(out, "]");
}
