/* SPDX-License-Identifier: MIT */
/*
 * fixture.h - a real server in a child process, and raw sockets to talk to it.
 *
 * The child tells what happens in lines ("held", "gone", "pressure 1", ...) and does what it is
 * told by single letters, so that tests wait for events and never for time.
 *
 * Routes: GET /quick; GET /things/{id}, which tells what it was asked; POST /echo (up to 1,000
 * bytes); POST /count (up to 64 MB, answers the length); GET and POST /hold, whose exchange is
 * kept for commands; POST /open, which may bring any body and is answered "open"; GET /big (8
 * MB at once, given to the server or, with ?copied, copied by it); GET /fields (more headers of
 * others than there is room for; tells how many were taken); GET /upgrade (raw echo); GET /ws
 * (messages: on_ws_message of child.c); POST /locked, which is /count for those who bring an
 * X-Key, and GET /locked/open for all.
 */
#ifndef DOZE_TEST_HTTP_FIXTURE_H
#define DOZE_TEST_HTTP_FIXTURE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/buf.h"
#include "http/limits.h"

enum {
    BIG_SIZE = 8 << 20,
    ECHO_MAX = 1000,
    PIECE_SIZE = 32 << 10, /* of command 'w' */
};

struct fixture {
    int port;
    int pid;
    int events;   /* lines from the child */
    int commands; /* letters to it */
};

/* Start and stop; stopping closes the server and checks that the child ends well, with nothing
 * leaked where a sanitizer looks. */
struct fixture *fixture_start(const struct http_limits *limits, bool cors);
void fixture_stop(struct fixture *f);
/* Limits with which the bodies of all clients together have this much room, and no reserve. */
struct http_limits limits_of_bodies(size_t total);
/* The second half of stopping, after command q: waits for the end and checks it. */
void fixture_join(struct fixture *f);

/* cmocka's set-up and tear-down: one with the usual limits, for all tests of a program. */
extern struct fixture *shared;
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* r: reply "held", b: begin a stream, s: send "data: tick", w: write 32 KB, e: end,
 * g: ask for on_gone (only "late" exchanges lack it); of the exchange held longest.
 * d: close the first port, v: move it to all addresses ("moved"), l: listen on one more port
 * and tell its number; q: close the server, n: tell "active N", f: use up all descriptors, F:
 * free them, c: close the upgraded stream, W: write 32 KB to it, t: speak TLS with the files in
 * fixture_tls from now on ("tls"). What a client without TLS is told comes as "no tls: why". */
void fixture_command(struct fixture *f, const char *letters);
/* Certificate and key in one file; set before fixture_start. */
extern const char *fixture_tls;
/* The next line must be this one. */
void fixture_expect(struct fixture *f, const char *line);
/* The next line, whatever it is. The caller frees. */
char *fixture_next(struct fixture *f);

/* ---- a client ---- */
int client_connect(const struct fixture *f);
void client_send(int fd, const char *text);
void client_send_bytes(int fd, const void *bytes, size_t len);
/* Send until the server has had enough of it. */
void client_send_anyway(int fd, const void *bytes, size_t len);
/* Read until the text has come; everything read is in out. Fails the test at the end of it. */
void client_read_until(int fd, struct buf *out, const char *text);
/* Read to the end; false if that was a reset. */
bool client_read_end(int fd, struct buf *out);
/* Connect, send, read to the end, which must be clean. The caller frees. */
char *client_talk(const struct fixture *f, const char *request);
/* client_talk, and the answer must begin and contain. */
void client_check(const struct fixture *f, const char *request, const char *begin,
                  const char *contain);

/* The byte at this place of the long message of a WebSocket. */
static inline char ws_letter(size_t at) {
    return (char)('a' + at % 23);
}

/* text, count times. The caller frees. */
char *repeat(const char *text, size_t count);

#endif
