/* SPDX-License-Identifier: MIT */
#include "supervisor/load_texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void load_texts_clear(struct load_texts *texts) {
    for (size_t i = 0; i < LOAD_TEXTS_MAX; i++) free(texts->list[i].text);
    *texts = (struct load_texts){ 0 };
}

const char *load_texts_find(const struct load_texts *texts, int64_t number) {
    for (size_t i = 0; number > 0 && i < LOAD_TEXTS_MAX; i++) {
        if (texts->list[i].number == number) return texts->list[i].text;
    }
    return NULL;
}

static void drop_unused(struct load_texts *texts, load_text_used_fn used, void *ctx) {
    for (size_t i = 0; i < LOAD_TEXTS_MAX; i++) {
        if (texts->list[i].number == 0 || used(ctx, texts->list[i].number)) continue;
        free(texts->list[i].text);
        texts->list[i].text = NULL;
        texts->list[i].number = 0;
    }
}

static bool put(struct load_texts *texts, const char *text) {
    for (size_t i = 0; i < LOAD_TEXTS_MAX; i++) {
        if (texts->list[i].number != 0) continue;
        texts->list[i].number = ++texts->last;
        texts->list[i].text = xstrdup(text);
        return true;
    }
    return false;
}

bool load_texts_number(struct load_texts *texts, struct load_text given, load_text_used_fn used,
                       void *ctx, int64_t *ret_number, struct error *err) {
    const char *text = given.text;
    *ret_number = 0;
    if (!text || !*text) return true;
    if (strlen(text) > LOAD_TEXT_BYTES) {
        return error_set(err, ERR_INVALID_REQUEST, "%s may have %d KB at most; shorten it.",
                         given.what, LOAD_TEXT_BYTES >> 10);
    }
    for (size_t i = 0; i < LOAD_TEXTS_MAX; i++) {
        if (texts->list[i].number == 0 || strcmp(texts->list[i].text, text) != 0) continue;
        *ret_number = texts->list[i].number;
        return true;
    }
    if (!put(texts, text)) {
        drop_unused(texts, used, ctx);
        if (!put(texts, text)) {
            return error_set(err, ERR_QUEUE_FULL,
                             "Loaded models use %d texts of their own already, such as prompt "
                             "templates; unload one first.",
                             LOAD_TEXTS_MAX);
        }
    }
    *ret_number = texts->last;
    return true;
}
