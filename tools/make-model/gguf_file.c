/* SPDX-License-Identifier: MIT */
#include "gguf_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "random.h"

enum { ROWS_AT_ONCE = 64 };

void gguf_file_init(struct gguf_file *file, const char *arch, const char *name, uint64_t seed) {
    *file = (struct gguf_file){ .meta = gguf_init_empty(), .seed = seed };
    (void)snprintf(file->arch, sizeof file->arch, "%s", arch);
    gguf_set_val_str(file->meta, "general.architecture", arch);
    gguf_set_val_str(file->meta, "general.type", "model");
    gguf_set_val_str(file->meta, "general.name", name);
    gguf_set_val_u32(file->meta, "general.quantization_version", GGML_QNT_VERSION);
}

void gguf_file_clear(struct gguf_file *file) {
    if (file->meta) gguf_free(file->meta);
    free(file->fills);
    *file = (struct gguf_file){ 0 };
}

void gguf_file_u32(struct gguf_file *file, const char *key, uint32_t value) {
    char full[128];
    (void)snprintf(full, sizeof full, "%s.%s", file->arch, key);
    gguf_set_val_u32(file->meta, full, value);
}

void gguf_file_f32(struct gguf_file *file, const char *key, float value) {
    char full[128];
    (void)snprintf(full, sizeof full, "%s.%s", file->arch, key);
    gguf_set_val_f32(file->meta, full, value);
}

static void add_tensor(struct gguf_file *file, struct ggml_context *ctx,
                       struct ggml_tensor *tensor, struct fill fill) {
    gguf_add_tensor(file->meta, tensor);
    ggml_free(ctx);
    file->fills = xrealloc(file->fills, (file->count + 1) * sizeof *file->fills);
    file->fills[file->count++] = fill;
}

void gguf_file_tensor(struct gguf_file *file, enum ggml_type type, int64_t columns,
                      int64_t rows, struct fill fill, const char *name, ...) {
    struct ggml_init_params params = { .mem_size = 2 * ggml_tensor_overhead(),
                                       .no_alloc = true };
    struct ggml_context *ctx = ggml_init(params);
    struct ggml_tensor *tensor = rows ? ggml_new_tensor_2d(ctx, type, columns, rows)
                                      : ggml_new_tensor_1d(ctx, GGML_TYPE_F32, columns);
    char full[GGML_MAX_NAME];
    va_list args;

    va_start(args, name);
    (void)vsnprintf(full, sizeof full, name, args);
    va_end(args);
    ggml_set_name(tensor, full);
    add_tensor(file, ctx, tensor, fill);
}

void gguf_file_kernel(struct gguf_file *file, int64_t side, int64_t in, int64_t out,
                      struct fill fill, const char *name) {
    struct ggml_init_params params = { .mem_size = 2 * ggml_tensor_overhead(),
                                       .no_alloc = true };
    struct ggml_context *ctx = ggml_init(params);
    struct ggml_tensor *tensor = ggml_new_tensor_4d(ctx, GGML_TYPE_F32, side, side, in, out);

    ggml_set_name(tensor, name);
    add_tensor(file, ctx, tensor, fill);
}

/* One row of a tensor: each row has its own seed, so that rows can be made in any order. */
static void fill_row(const struct gguf_file *file, size_t index, int64_t row, float *out,
                     int64_t n) {
    const struct fill *fill = &file->fills[index];

    if (fill->row) {
        fill->row(fill->ctx, row, out, n);
    } else if (fill->deviation != 0) {
        struct random rng = random_seeded(file->seed, index, (uint64_t)row);
        random_normal_fill(&rng, fill->deviation, out, (size_t)n);
    } else {
        for (int64_t i = 0; i < n; i++) out[i] = fill->value;
    }
}

/* All values zero: a hole in the file does, in every type (a quantized block of zeros is 0). */
static bool is_zero(const struct fill *fill) {
    return !fill->row && fill->deviation == 0 && fill->value == 0;
}

static bool write_tensor(const struct gguf_file *file, size_t index, FILE *out) {
    const int64_t *ne = gguf_get_tensor_ne(file->meta, (int64_t)index);
    enum ggml_type type = gguf_get_tensor_type(file->meta, (int64_t)index);
    int64_t columns = ne[0], rows = ne[1] * ne[2] * ne[3];
    size_t row_bytes = ggml_row_size(type, columns);
    float *values = xcalloc((size_t)columns * ROWS_AT_ONCE, sizeof *values);
    char *bytes = xcalloc(ROWS_AT_ONCE, row_bytes);
    bool ok = true;

    for (int64_t row = 0; ok && row < rows; row += ROWS_AT_ONCE) {
        int64_t some = rows - row < ROWS_AT_ONCE ? rows - row : ROWS_AT_ONCE;

        for (int64_t i = 0; i < some; i++)
            fill_row(file, index, row + i, values + i * columns, columns);
        if (type == GGML_TYPE_F32)
            memcpy(bytes, values, (size_t)some * row_bytes);
        else
            ggml_quantize_chunk(type, values, bytes, 0, some, columns, NULL);
        ok = fwrite(bytes, row_bytes, (size_t)some, out) == (size_t)some;
    }
    free(values);
    free(bytes);
    return ok;
}

static bool write_all(const struct gguf_file *file, FILE *out) {
    size_t start = gguf_get_meta_size(file->meta);
    size_t end = start;

    if (!gguf_write_to_file_ptr(file->meta, out, true)) return false;
    for (size_t i = 0; i < file->count; i++) {
        size_t offset = start + gguf_get_tensor_offset(file->meta, (int64_t)i);

        end = offset + gguf_get_tensor_size(file->meta, (int64_t)i);
        end = GGML_PAD(end, (size_t)GGUF_DEFAULT_ALIGNMENT);
        if (is_zero(&file->fills[i])) continue;
        if (fseeko(out, (off_t)offset, SEEK_SET) != 0) return false;
        if (!write_tensor(file, i, out)) return false;
    }
    return fflush(out) == 0 && ftruncate(fileno(out), (off_t)end) == 0;
}

bool gguf_file_write(const struct gguf_file *file, const char *path, struct error *err) {
    char *part = xasprintf("%s.part", path);
    FILE *out = fopen(part, "wb");
    bool ok = out && write_all(file, out);
    int cause = errno;

    if (out && fclose(out) != 0 && ok) {
        ok = false;
        cause = errno;
    }
    if (ok && rename(part, path) != 0) {
        ok = false;
        cause = errno;
    }
    if (!ok) {
        (void)unlink(part);
        (void)error_set(err, ERR_IO, "cannot write %s: %s; check the folder and the free space",
                        path, strerror(cause));
    }
    free(part);
    return ok;
}
