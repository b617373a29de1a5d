/* SPDX-License-Identifier: MIT */
/*
 * stored_responses.h - the door to the response store: its work is done on a pool thread, one
 * piece after the other in the order of the calls.
 *
 * So a client that has seen a response end can continue it at once. An answer never waits
 * for its storing; a failing disk is one warning. If the disk is slower than the answers,
 * those past 64 MiB are not stored. 10 s after the last work the file is closed, and no timer
 * runs until the next. Loop's thread only.
 */
#ifndef DOZE_DAEMON_STORED_RESPONSES_H
#define DOZE_DAEMON_STORED_RESPONSES_H

#include <uv.h>

#include "daemon/response_store.h"

struct stored_responses;
struct response_task;

enum response_wish {
    RESPONSE_ADD,    /* nobody waits for it */
    RESPONSE_READ,   /* json: the response */
    RESPONSE_INPUT,  /* json: a page of the items before it */
    RESPONSE_FIND,   /* json: what past_join takes */
    RESPONSE_REMOVE, /* json: empty */
};

struct response_sink {
    /* Once, from the loop; json is NULL if error says why. Both borrowed, but the bytes may be
     * taken out of json. */
    void (*on_end)(void *ctx, struct buf *json, const struct error *error);
    void *ctx;
};

/* Touches no file. */
struct stored_responses *stored_responses_new(uv_loop_t *loop, const char *path);
/* Write the rest and end; the loop runs until that is done. Sinks are no longer called. */
void stored_responses_close(struct stored_responses *s);
/* After the loop has ended. Accepts NULL. */
void stored_responses_free(struct stored_responses *s);

/* Also removes what is too much, if there is anything. */
void stored_responses_limit(struct stored_responses *s, const struct response_limits *limits);
/* Is anything stored at all? */
bool stored_responses_on(const struct stored_responses *s);

/* Takes *response (clears it). */
void stored_responses_add(struct stored_responses *s, struct stored_response *response);

/* READ or REMOVE the response `id`. owner: the key that asks, as in response_store.h; copied.
 * NULL, and the sink is not called, if 256 already wait. */
struct response_task *stored_responses_ask(struct stored_responses *s, enum response_wish wish,
                                           const char *id, const char *owner,
                                           struct response_sink sink);
/* RESPONSE_INPUT; copies the page. */
struct response_task *stored_responses_list(struct stored_responses *s, const char *id,
                                            const char *owner, const struct past_page *page,
                                            struct response_sink sink);
/* RESPONSE_FIND. Takes *wanted (clears it) if it returns a task. */
struct response_task *stored_responses_find(struct stored_responses *s,
                                            struct past_wanted *wanted, const char *owner,
                                            struct response_sink sink);
/* Do not call its sink. Must not be used after the sink was called. */
void response_task_forget(struct response_task *task);

#endif
