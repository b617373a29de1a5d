/* SPDX-License-Identifier: MIT */
/*
 * prepared.h - the messages between worker and preparers (preparers.h). Pure codec. A preparer
 * that was taken over may send anything, so bytes with a token that is not in the vocabulary
 * are refused.
 */
#ifndef DOZE_ENGINE_PREPARED_H
#define DOZE_ENGINE_PREPARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/picture_spans.h"

enum prepare_type {
    /* worker -> preparer */
    PREPARE_REQUEST = 1, /* u32 length of the context, then the body of MSG_REQUEST; answered by
                            PREPARED, RESULT or REFUSED */
    PREPARE_CONSTRAINT,  /* what plan_write() made: the answer must match it; answered by TRIED
                            or REFUSED */
    PREPARE_TRY,    /* i32 token that the answer would continue with; answered by TRIED, and
                            taken if it is allowed */
    PREPARE_ACCEPT, /* i32 token, of the mask: taken, no answer */

    /* preparer -> worker */
    PREPARE_PREPARED = 32, /* lists of tokens, one for each input; of a generation then where it
                              has pictures, and the plan as JSON */
    PREPARE_RESULT,        /* the payload of MSG_DONE */
    PREPARE_REFUSED,       /* the payload of MSG_ERROR */
    PREPARE_TRIED,         /* empty: allowed; else a bit for each token that is */
};

/* Append a list. False: the buffer is full. */
bool prepared_add(struct buf *out, const int32_t *tokens, size_t count);

/* What is left to be read. */
struct prepared {
    const char *at;
    size_t left;
};

/* Take a list from the front; the caller frees. False: it is incomplete, or has a token that
 * is not in the vocabulary. */
bool prepared_take(struct prepared *prepared, int32_t vocab_size, int32_t **ret_tokens,
                   size_t *ret_count) __attribute__((warn_unused_result));

/* The same for where a prompt has pictures: the caller checks whether they fit. */
bool prepared_add_spans(struct buf *out, const struct picture_spans *spans);
bool prepared_take_spans(struct prepared *prepared, struct picture_spans *ret)
    __attribute__((warn_unused_result));

/* A mask of `count` bits. */
size_t mask_size(size_t count);
void mask_set(unsigned char *mask, size_t bit);
bool mask_has(const unsigned char *mask, size_t bit);

#endif
