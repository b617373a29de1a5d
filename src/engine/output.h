/* SPDX-License-Identifier: MIT */
/*
 * output.h - from token pieces to the deltas of one answer.
 *
 * Bytes wait until they form whole characters; characters wait until they cannot be part of a
 * stop string. The text of a chat is then split into content, reasoning and tool calls.
 */
#ifndef DOZE_ENGINE_OUTPUT_H
#define DOZE_ENGINE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/chat_shim.h"
#include "engine/link.h"
#include "engine/logprobs.h"
#include "engine/stops.h"

struct output {
    struct link *link;
    uint64_t request;
    struct chat *chat;        /* NULL: plain text */
    struct stops stops;       /* words borrowed, array owned */
    struct buf raw;           /* bytes that do not end a character yet */
    struct buf held;          /* characters that may begin a stop string */
    size_t bytes;             /* of all pieces so far */
    int64_t tokens;           /* pieces so far */
    int64_t reasoning_tokens; /* pieces up to the last one that brought reasoning */
    struct logprobs logprobs;
    const char *stop_string; /* the one that was found; NULL: none */
};

/* stops: the request's; the template's are added. All arguments are borrowed for the answer's
 * life. */
void output_init(struct output *output, struct link *link, uint64_t request, struct chat *chat,
                 const struct stops *stops);
void output_clear(struct output *output);

/* Send text in front of the answer (echo), unchanged. */
void output_echo(struct output *output, const char *text, size_t len);

/* Add one more token's bytes. False: the answer ends here, by a stop string or because it has
 * begun one call too many, and nothing after that is sent. */
bool output_push(struct output *output, const char *piece, size_t len);

/* Send what was held back. complete: the model or a stop string ended the answer. */
void output_end(struct output *output, bool complete);

#endif
