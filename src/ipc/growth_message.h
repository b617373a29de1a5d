/* SPDX-License-Identifier: MIT */
/*
 * growth_message.h - the payloads of MSG_GROW and MSG_GRANT. Pure.
 *
 * A worker takes no more memory than it was granted: before it grows it says what it would take
 * in all, and the daemon, which knows what the others take, answers. It takes what it was
 * granted at once and says with MSG_MEMORY what that was; the rest of the grant is given back.
 */
#ifndef DOZE_IPC_GROWTH_MESSAGE_H
#define DOZE_IPC_GROWTH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/* Of any number: beyond any machine, and sums of some do not overflow. */
#define GROWTH_LARGEST (INT64_C(1) << 53)

/* {"ask":n,"bytes":n,"least_bytes":n,"optional":bool} */
struct grow_message {
    int64_t ask;   /* 1, 2, ...: which answer is whose */
    int64_t bytes; /* that the worker would take in all */
    int64_t least; /* what would do */
    bool optional; /* it can do without: nobody has to leave for it */
};

/* {"ask":n,"bytes":n,"most_bytes":n,"limit_bytes":n} */
struct grant_message {
    int64_t ask;   /* 0: no answer; the limit has changed */
    int64_t bytes; /* that the worker may take in all; 0: refused */
    int64_t most;  /* of a refusal: what it could have had */
    int64_t limit; /* setting memory_limit; 0: none */
};

void grow_message_format(const struct grow_message *message, struct buf *out);
void grant_message_format(const struct grant_message *message, struct buf *out);

/* ERR_INVALID_REQUEST with the name of the field. */
bool grow_message_parse(struct grow_message *ret, const char *text, size_t len,
                        struct error *err) __attribute__((warn_unused_result));
bool grant_message_parse(struct grant_message *ret, const char *text, size_t len,
                         struct error *err) __attribute__((warn_unused_result));

#endif
