/* SPDX-License-Identifier: MIT */
/* client.h - one HTTP exchange with the server, by libcurl. */
#ifndef DOZE_CLI_CLIENT_H
#define DOZE_CLI_CLIENT_H

#include "base/buf.h"
#include "base/error.h"
#include "cli/cli.h"
#include "cli/sse.h"

enum outcome {
    OUTCOME_DONE,        /* a 2xx answer, whole */
    OUTCOME_REFUSED,     /* an error answer: *err has the server's code and sentence */
    OUTCOME_UNREACHABLE, /* nobody listens: *err says how to start it */
    OUTCOME_CANCELLED,   /* cancel_fd became readable: the connection was closed */
    OUTCOME_BROKEN,      /* cut in the middle, or not an answer of HTTP */
};

struct call {
    const char *method, *path;
    const char *body; /* JSON; NULL: none */
    /* Set to read a text/event-stream as it comes; an answer of another type goes to the body.
     */
    void (*on_event)(void *ctx, const struct sse_event *ev);
    void *ctx;
    int cancel_fd;    /* gives up as soon as it can be read; -1: never */
    long max_seconds; /* for the whole call; 0: as long as it takes */
};

enum { CLIENT_MAX_BODY = 64 << 20 };

/* Perform the call and wait for its end. The body is appended to *ret_body (its maximum
 * holds). */
enum outcome client_call(const struct cli *cli, const struct call *call, struct buf *ret_body,
                         struct error *err);

/* The plain case: no events, no cancelling; *ret_body is made ready by this function. */
enum outcome client_get(const struct cli *cli, const char *path, struct buf *ret_body,
                        struct error *err);

/* Print the error (not for OUTCOME_DONE) and return the exit code that belongs to the
 * outcome. */
enum cli_exit client_fail(enum outcome outcome, const struct error *err);

/* The host to connect to: --host, with the loopback address for one that means "any". */
const char *client_host(const struct cli *cli);

/* "http://127.0.0.1:1234", for people too. */
void client_base(const struct cli *cli, char base[300]);

/* Fill *err from an error body {"error":{"message","code","type"}} or, if it is none, from the
 * status. Always false. */
bool client_read_error(const char *body, size_t len, long status, struct error *err);

#endif
