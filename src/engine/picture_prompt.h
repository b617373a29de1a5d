/* SPDX-License-Identifier: MIT */
/*
 * picture_prompt.h - puts the pictures of messages among the tokens of a prompt. For
 * preparers.
 *
 * A template gets a mark in the place of each picture, made of a random number that nobody can
 * guess. The prompt is cut at the marks: text becomes tokens as usual, a picture becomes
 * spans.
 */
#ifndef DOZE_ENGINE_PICTURE_PROMPT_H
#define DOZE_ENGINE_PICTURE_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/model.h"
#include "engine/picture_spans.h"
#include "engine/request.h"
#include "engine/tokens.h"

struct picture_prompt {
    const struct request_chat *chat;
    char mark[48]; /* how all marks begin */
    struct picture_spans spans;
    bool *placed; /* by picture: its mark is in the prompt */
};

/* For a chat with pictures. Fails with ERR_NOT_SUPPORTED if the model reads no images. */
bool picture_prompt_begin(struct picture_prompt *ret, const struct model *model,
                          const struct request_chat *chat, struct error *err);
void picture_prompt_clear(struct picture_prompt *p);

/* The conversation with marks; the caller frees. */
yyjson_doc *picture_prompt_messages(const struct picture_prompt *p);

/* Append the tokens of what a template made of it; 0 where a picture's stand. Fails as
 * picture_decode() and tokens_from_text() do. */
bool picture_prompt_tokens(struct picture_prompt *p, const struct model *model,
                           const char *prompt, size_t len, struct tokens *ret,
                           struct error *err);

/* Append the prompt as people may read it, with "[picture]" for the marks. */
void picture_prompt_show(const struct picture_prompt *p, const char *prompt, size_t len,
                         struct buf *out);

#endif
