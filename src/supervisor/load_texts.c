/* SPDX-License-Identifier: MIT */
#include "supervisor/load_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void load_texts_clear(struct load_texts *texts) {
    for (size_t i = 0; i < LOAD_TEXTS_MAX; i++) free(texts->list[i]);
    *texts = (struct load_texts){ 0 };
}

static char *find(const struct load_texts *texts, const char *text) {
    for (size_t i = 0; i < LOAD_TEXTS_MAX; i++) {
        if (texts->list[i] && strcmp(texts->list[i], text) == 0) return texts->list[i];
    }
    return NULL;
}

static void drop_unused(struct load_texts *texts, load_text_used_fn used, void *ctx) {
    for (size_t i = 0; i < LOAD_TEXTS_MAX; i++) {
        if (!texts->list[i] || used(ctx, texts->list[i])) continue;
        free(texts->list[i]);
        texts->list[i] = NULL;
    }
}

/* NULL if the list is full. */
static char *put(struct load_texts *texts, const char *text) {
    for (size_t i = 0; i < LOAD_TEXTS_MAX; i++) {
        if (!texts->list[i]) return texts->list[i] = xstrdup(text);
    }
    return NULL;
}

bool load_texts_intern(struct load_texts *texts, const char *what, load_text_used_fn used,
                       void *ctx, const char **text, struct error *err) {
    const char *given = *text;
    *text = NULL;
    if (!given || !*given) return true;
    if (strlen(given) > LOAD_TEXT_BYTES) {
        return error_set(err, ERR_INVALID_REQUEST, "%s may have %d KiB at most; shorten it.",
                         what, LOAD_TEXT_BYTES >> 10);
    }
    *text = find(texts, given);
    if (!*text) *text = put(texts, given);
    if (!*text) {
        drop_unused(texts, used, ctx);
        *text = put(texts, given);
    }
    return *text || error_set(err, ERR_QUEUE_FULL,
                              "Loaded models use %d texts of their own already, such as prompt "
                              "templates; unload one first.",
                              LOAD_TEXTS_MAX);
}
