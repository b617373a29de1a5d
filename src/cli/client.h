/* SPDX-License-Identifier: MIT */
/* client.h - one HTTP exchange with the server, through libcurl. */
#ifndef DOZE_CLI_CLIENT_H
#define DOZE_CLI_CLIENT_H

#include <yyjson.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/sse.h"

enum outcome {
    OUTCOME_DONE,        /* a whole 2xx answer */
    OUTCOME_REFUSED,     /* an error answer: *err has the server's code and sentence */
    OUTCOME_UNREACHABLE, /* no server listens there: *err says how to start one */
    OUTCOME_CANCELLED,   /* cancel_fd became readable; the connection was closed */
    OUTCOME_BROKEN,      /* the answer was cut off, or it is not what doze answers */
};

struct call {
    const char *method, *path;
    const yyjson_mut_doc *body; /* NULL: none */
    /* Called for each event of a text/event-stream answer; NULL: none is expected. */
    void (*on_event)(void *ctx, const struct sse_event *ev);
    void *ctx;
    int cancel_fd;    /* the call ends when it can be read; 0 or -1: none */
    long max_seconds; /* for the whole call; 0: no limit */
};

/* Perform the call and wait for its end. *ret_answer: the answer, which is a JSON object, or
 * NULL if it was a stream; written with OUTCOME_DONE only, and the caller frees it. ret_answer
 * may be NULL. */
enum outcome client_call(const struct cli *cli, const struct call *call,
                         yyjson_doc **ret_answer, struct error *err);

/* The plain case: GET, one answer. */
enum outcome client_get(const struct cli *cli, const char *path, yyjson_doc **ret_answer,
                        struct error *err);

/* Print the error, except with OUTCOME_DONE and OUTCOME_CANCELLED, and return the exit code of
 * the outcome. */
enum cli_exit client_fail(enum outcome outcome, const struct error *err);

/* The host to connect to: --host without "https://", with the loopback address for one that
 * means "any". */
const char *client_host(const struct cli *cli);
/* Is it this machine? */
bool client_is_local(const struct cli *cli);

/* "http://127.0.0.1:1234"; "https://..." if --host says so or a call has found TLS there. */
void client_base(const struct cli *cli, char base[300]);

/* Fill *err from an error body {"error":{"message","code","type"}}, or from the status if the
 * body is not one. Endpoints named in the message become commands: "GET /v1/models lists them"
 * is "`doze ls` lists them" here. */
void client_read_error(const struct cli *cli, const char *body, size_t len, long status,
                       struct error *err);

/* The same for a code and a message that came in another form. */
void client_read_refusal(const struct cli *cli, const char *code, const char *message,
                         struct error *err);

#endif
