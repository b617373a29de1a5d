/* SPDX-License-Identifier: MIT */
/*
 * fake.h - a small server that answers as doze does, for the tests of the command line: a
 * thread per connection, one request per connection.
 *
 * It obeys words in the request: identifiers "slow", "fails", "cut" of a load and prompts with
 * "hang", "fail", "cut", "think". GET /fake/last gives the body of the last POST or PATCH, GET
 * /fake/gone waits until a client has left in the middle of an answer.
 */
#ifndef DOZE_TESTS_FAKE_H
#define DOZE_TESTS_FAKE_H

#include <stdbool.h>

#include "base/json.h"

struct fake_request {
    int fd; /* of the connection */
    char method[8], path[256];
    char key[64]; /* "Bearer <key>" sent, without the first word; "" if none */
    struct buf body;
};

int fake_serve(int argc, char **argv);

/* Answer at once. */
void fake_reply(const struct fake_request *r, int status, const char *json);
void fake_reply_error(const struct fake_request *r, int status, const char *code,
                      const char *message);

/* Begin an event stream and send text of it; the connection's end ends it. */
void fake_stream_begin(const struct fake_request *r);
void fake_send(const struct fake_request *r, const char *text);

/* Wait until the client leaves, and let GET /fake/gone know. */
void fake_wait_gone(const struct fake_request *r);
/* Wait for such a client. */
void fake_await_gone(void);

/* Answer the request if its path is one of these. */
bool fake_routes(const struct fake_request *r);
bool fake_chat(const struct fake_request *r);

#endif
