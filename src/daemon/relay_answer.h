/* SPDX-License-Identifier: MIT */
/* relay_answer.h - the answer of another node, as far as it is kept before it goes to the
 * client. For relay.c. */
#ifndef DOZE_DAEMON_RELAY_ANSWER_H
#define DOZE_DAEMON_RELAY_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"
#include "fleet/forward.h"

struct exchange;

enum { RELAY_WHOLE_MAX = 1 << 20 }; /* bytes of an answer that is passed on in one piece */

/* Zeroed: there is none. */
struct relay_answer {
    int status; /* 0: none yet */
    bool refusal;
    char *content_type; /* NULL: it has none */
    struct buf fields;  /* name, NUL, value, NUL, … */
    struct buf body;    /* of an answer in one piece, or of a refusal */
};

void relay_answer_begin(struct relay_answer *answer, const struct forward_head *head);
void relay_answer_clear(struct relay_answer *answer);

/* Is it a status that a client may see? */
bool relay_answer_is_status(const struct relay_answer *answer);

/* The value of a field; NULL. */
const char *relay_answer_field(const struct relay_answer *answer, const char *name);

/* Give the exchange its fields; give it all of it. */
void relay_answer_add_fields(const struct relay_answer *answer, struct exchange *x);
void relay_answer_reply(const struct relay_answer *answer, struct exchange *x);

#endif
