/* SPDX-License-Identifier: MIT */
#include "hub/peer_model.h"

#include <stdlib.h>
#include <string.h>

#include "hub/hub_name.h"

void peer_model_clear(struct peer_model *model) {
    for (size_t i = 0; i < model->file_count; i++) free(model->files[i].path);
    for (size_t i = 0; i < model->source_count; i++) {
        free(model->sources[i].name);
        free(model->sources[i].url);
    }
    free(model->files);
    free(model->sources);
    if (model->signer.free) model->signer.free(model->signer.ctx);
    *model = (struct peer_model){ 0 };
}

bool peer_path_is_safe(const char *path) {
    const char *first = strchr(path, '/'), *second = first ? strchr(first + 1, '/') : NULL;
    size_t len = strlen(path);
    return second && !strchr(second + 1, '/') && hub_path_is_safe(path) && path[0] != '.' &&
           first[1] != '.' && second[1] != '.' && len > 5 &&
           strcmp(path + len - 5, ".gguf") == 0;
}

static bool share_folder(const char *a, const char *b) {
    size_t len = (size_t)(strrchr(a, '/') + 1 - a);
    return strncmp(a, b, len) == 0;
}

static bool is_new(const struct peer_model *model, size_t index) {
    for (size_t i = 0; i < index; i++) {
        if (strcmp(model->files[i].path, model->files[index].path) == 0) return false;
    }
    return true;
}

static bool is_sum(const char *text) {
    size_t digits = HUB_SHA256_SIZE - 1;
    return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

bool peer_model_check(const struct peer_model *model, struct error *err) {
    bool ok = model->file_count > 0 && model->file_count <= PEER_FILES_MAX;
    for (size_t i = 0; ok && i < model->file_count; i++) {
        const struct peer_file *file = &model->files[i];
        ok = peer_path_is_safe(file->path) && is_sum(file->sha256) && is_new(model, i) &&
             share_folder(model->files[0].path, file->path);
    }
    return ok || error_set(err, ERR_NOT_FOUND,
                           "No node has the model in a form that can be fetched; copy it by "
                           "hand.");
}

nbytes peer_model_size(const struct peer_model *model) {
    nbytes sum = 0;
    for (size_t i = 0; i < model->file_count; i++) {
        nbytes size = model->files[i].size;
        sum = size > UINT64_MAX - sum ? UINT64_MAX : sum + size;
    }
    return sum;
}
