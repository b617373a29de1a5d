/* SPDX-License-Identifier: MIT */
/*
 * A good file, then one thing in it made wrong. GGUF begins: magic (4 bytes), version (u32),
 * number of tensors (i64), number of keys (i64), then the first key: length (u64), name, type
 * (i32).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "make.h"
#include "random.h"

enum { AT_VERSION = 4, AT_TENSORS = 8, AT_KEYS = 16, AT_FIRST_KEY = 24, FILE_MAX = 8 << 20 };

const char broken_kinds[] = "truncated|magic|version|huge-counts|huge-string|bad-type|empty|"
                            "garbage-tensors|missing-layer";

struct bytes {
    char *data;
    size_t len;
};

static void put(struct bytes *file, size_t at, uint64_t value, size_t width) {
    memcpy(file->data + at, &value, width);
}

static size_t find(const struct bytes *file, const char *text) {
    const char *at = memmem(file->data, file->len, text, strlen(text));

    return at ? (size_t)(at - file->data) : 0;
}

static void break_truncated(struct bytes *file) {
    file->len = file->len * 2 / 3;
}
static void break_magic(struct bytes *file) {
    file->data[3] = 'X';
}
static void break_version(struct bytes *file) {
    put(file, AT_VERSION, 99, 4);
}
static void break_string(struct bytes *file) {
    put(file, AT_FIRST_KEY, UINT64_C(1) << 62, 8);
}
static void break_empty(struct bytes *file) {
    file->len = 0;
}

static void break_counts(struct bytes *file) {
    put(file, AT_TENSORS, UINT64_C(1) << 60, 8);
    put(file, AT_KEYS, UINT64_C(1) << 60, 8);
}

static void break_type(struct bytes *file) {
    put(file, AT_FIRST_KEY + 8 + strlen("general.architecture"), 77, 4);
}

/* The descriptions of all tensors but the first one's name. */
static void break_tensors(struct bytes *file) {
    struct random rng = random_seeded(1, 2, 3);
    size_t from = find(file, "token_embd.weight") + strlen("token_embd.weight");
    size_t to = find(file, "output.weight");

    for (size_t at = from; at < to; at++) file->data[at] = (char)random_next(&rng);
}

/* The keys promise one layer more than there are tensors for: only loading finds it out. */
static void break_layers(struct bytes *file) {
    put(file, find(file, "llama.block_count") + strlen("llama.block_count") + 4, 3, 4);
}

static const struct {
    const char *kind;
    void (*apply)(struct bytes *file);
} breakers[] = {
    { "truncated", break_truncated },  { "magic", break_magic },
    { "version", break_version },      { "huge-counts", break_counts },
    { "huge-string", break_string },   { "bad-type", break_type },
    { "empty", break_empty },          { "garbage-tensors", break_tensors },
    { "missing-layer", break_layers },
};

static bool read_back(const char *path, struct bytes *ret_file) {
    FILE *in = fopen(path, "rb");

    if (!in) return false;
    ret_file->data = xcalloc(FILE_MAX, 1);
    ret_file->len = fread(ret_file->data, 1, FILE_MAX, in);
    return fclose(in) == 0 && ret_file->len > 0;
}

static bool write_back(const char *path, const struct bytes *file) {
    FILE *out = fopen(path, "wb");
    bool ok = out && fwrite(file->data, 1, file->len, out) == file->len;

    return (!out || fclose(out) == 0) && ok;
}

bool broken_make(const struct broken_options *options, struct error *err) {
    struct random_options good = { .decoder = { .out = options->out, .name = "doze broken" } };
    struct bytes file = { 0 };
    bool ok;

    if (!random_make(&good, err)) return false;
    ok = read_back(options->out, &file);
    for (size_t i = 0; ok && i < sizeof breakers / sizeof *breakers; i++)
        if (strcmp(breakers[i].kind, options->kind) == 0) breakers[i].apply(&file);
    ok = ok && write_back(options->out, &file);
    free(file.data);
    return ok || error_set(err, ERR_IO, "cannot write %s: %s", options->out, strerror(errno));
}
