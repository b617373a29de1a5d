/* SPDX-License-Identifier: MIT */
#include "cli/on_disk.h"

#include <string.h>
#include <strings.h>

/* A part of the name. */
struct span {
    const char *text;
    size_t len;
};

static bool same(struct span a, const char *text, size_t len) {
    return a.len == len && strncasecmp(a.text, text, len) == 0;
}

static bool ends_in(const char *text, size_t len, struct span end) {
    return len >= end.len && strncasecmp(text + len - end.len, end.text, end.len) == 0;
}

/* What follows "https://HOST/" or the hub's short name. */
static const char *skip_host(const char *name) {
    const char *scheme = strstr(name, "://");
    const char *slash = scheme ? strchr(scheme + 3, '/') : NULL;
    if (slash) return slash + 1;
    return strncasecmp(name, "hf.co/", 6) == 0 ? name + 6 : name;
}

static struct span last_part(struct span name) {
    const char *slash = memrchr(name.text, '/', name.len);
    if (!slash) return name;
    return (struct span){ slash + 1, name.len - (size_t)(slash + 1 - name.text) };
}

/* "Qwen3-4B" of "Qwen3-4B-GGUF" */
static struct span without_gguf(struct span name) {
    static const struct span mark = { "-GGUF", 5 };
    if (ends_in(name.text, name.len, mark)) name.len -= mark.len;
    return name;
}

/* By its key, or by the file that it is in. */
static bool has_name(const struct listed_model *model, struct span name) {
    struct span last = last_part(name), bare = without_gguf(last);
    size_t path_len = strlen(model->path), key_len = strcspn(model->key, "@");
    bool file = last.len < name.len && path_len > last.len &&
                model->path[path_len - last.len - 1] == '/' &&
                ends_in(model->path, path_len, last);
    return file || same(name, model->key, strlen(model->key)) ||
           same(bare, model->key, key_len);
}

/* Does the file's name end in this word? The hub's quantizations are such words. */
static bool file_ends_in(const char *path, struct span word) {
    static const struct span ending = { ".gguf", 5 };
    size_t len = strlen(path);
    if (ends_in(path, len, ending)) len -= ending.len;
    return len > word.len && strchr("-.", path[len - word.len - 1]) && ends_in(path, len, word);
}

static bool has_quantization(const struct listed_model *model, struct span wanted) {
    return wanted.len == 0 || same(wanted, model->quantization, strlen(model->quantization)) ||
           file_ends_in(model->path, wanted);
}

const struct listed_model *on_disk_find(const struct inventory *inv, const char *name) {
    struct span whole = { skip_host(name), 0 }, quantization = { "", 0 };
    whole.len = strcspn(whole.text, "@:");
    if (whole.text[whole.len]) quantization.text = whole.text + whole.len + 1;
    quantization.len = strlen(quantization.text);
    for (size_t i = 0; i < inv->model_count; i++) {
        const struct listed_model *model = &inv->models[i];
        bool meant = has_name(model, whole) && has_quantization(model, quantization);
        if (meant && !*model->problem) return model;
    }
    return NULL;
}
