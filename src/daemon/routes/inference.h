/* SPDX-License-Identifier: MIT */
/* inference.h - begins an answer whose body is not what the client sent. */
#ifndef DOZE_DAEMON_ROUTES_INFERENCE_H
#define DOZE_DAEMON_ROUTES_INFERENCE_H

#include "api/dialect.h"
#include "daemon/response_store.h"
#include "daemon/routes/route.h"

enum { INFERENCE_ID_SIZE = 33 }; /* 128 bits in hex */

/* A new id for an answer. It is random, because anyone who knows it can read the stored answer;
 * in a fleet it says which node has that. */
void inference_id(const struct routes *r, char text[INFERENCE_ID_SIZE]);
/* Add the headers with the id, by OpenAI's and Anthropic's names, and with the node of the
 * fleet that answers. Once for each exchange that this node answers. */
void inference_sign(const struct routes *r, struct exchange *x, const char *id);

struct inference {
    const struct dialect *dialect;
    enum service_op op;
    char id[INFERENCE_ID_SIZE];
    struct buf body;               /* empty: the exchange's */
    bool bound;                    /* it needs what this node has stored */
    struct stored_response record; /* id NULL: the answer is not stored */
    struct byte_hold held;         /* for body and record */
};
void inference_clear(struct inference *inference);

/* Answer the exchange; its own body is dropped. A large body is parsed on the pool. Takes body,
 * record and what is held for them (clears them); the record is stored with the answer's body
 * when that is complete. */
void inference_begin(const struct routes *r, struct exchange *x, struct inference *inference);

#endif
