/* SPDX-License-Identifier: MIT */
/*
 * parsing.h - a request between its body and its answer. For the files of inference only.
 *
 * From top to bottom, each of them calling only those below it:
 *   inference_route.c   the handlers: a body is read, and its request answered
 *   inference_fleet.c   here, or by another node
 *   parsing.c           body -> dialect -> request, and what is kept of it meanwhile
 *   answer.c            request -> calls -> events -> dialect -> bytes
 */
#ifndef DOZE_DAEMON_ROUTES_PARSING_H
#define DOZE_DAEMON_ROUTES_PARSING_H

#include "daemon/routes/bearer.h"
#include "daemon/routes/inference.h"
#include "fleet/prefix_text.h"

struct claim;

/* The client may leave meanwhile; its exchange, with the body, stays until this is done. */
struct parsing {
    const struct routes *r;
    struct exchange *x;
    struct inference inference;
    struct parsed parsed;
    bool formed;
    char *unenforced; /* of its schema, by llama.cpp's grammar */
    char *secret;     /* of the fleet; NULL: there is none, or it is not a prompt */
    struct prefix_marks marks;
    size_t echo;           /* bytes of parsed.options.echo */
    struct byte_hold held; /* for what was parsed */
    struct claim *claim;   /* of the cold load that it causes; NULL: none */
    struct error err;
};

/* The body that is parsed. */
const char *parsing_body(const struct parsing *p, size_t *ret_len);
/* On the pool: sets `formed`, or err. */
void parsing_work(void *ctx);
/* Hold memory for the parsed request instead of the body, which is needed only if another node
 * may get it. What is stored of the request, and what the answer repeats of it, stays until
 * the end. False: there is no room; err says so. */
bool parsing_hold(struct parsing *p);

/* Answer the exchange by calls of this node. Frees it. */
void parsing_begin(struct parsing *p);
/* Answer it with err. Frees it. */
void parsing_fail(struct parsing *p);
/* Free it, after the exchange was handed over or has ended. */
void parsing_free(struct parsing *p);

#endif
