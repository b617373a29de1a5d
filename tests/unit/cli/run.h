/* SPDX-License-Identifier: MIT */
/* run.h - run the command line under test, through pipes or on a pseudo terminal. */
#ifndef DOZE_TESTS_RUN_H
#define DOZE_TESTS_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/types.h>

#include "base/buf.h"

/* The fake server every test talks to: a fresh one for each. Setup and teardown for cmocka. */
int server_begin(void **state);
int server_end(void **state);
int server_port(void);

/* What a finished command left. */
struct result {
    int code; /* exit code, or -signal */
    struct buf out, err;
};

/* Run `doze --port <the server's> args...` with the text as stdin (NULL: /dev/null). */
struct result run(const char *input, const char *const *args);
/* The same as another program name and without --port. */
struct result run_as(const char *name, const char *input, const char *const *args);
/* As run, but nobody reads its stdout. */
struct result run_into_closed_pipe(const char *const *args);
void result_clear(struct result *r);

#define RUN(input, ...) run(input, (const char *const[]){ __VA_ARGS__, NULL })

/* Fail the test, with everything that was printed, unless the text is in the buffer. */
void assert_has(const struct buf *text, const char *part);
void assert_has_not(const struct buf *text, const char *part);

/* Where commands on a terminal keep their files; empty at first, gone after the test. */
const char *terminal_folder(void);

/* A command on a terminal of its own. */
struct terminal {
    pid_t pid;
    int fd;
    struct buf seen; /* what it has printed and no terminal_expect has passed yet */
};
struct terminal terminal_open(const char *const *args);
/* Read until the text has been printed; fails the test after 30 s or at the program's end. */
void terminal_expect(struct terminal *t, const char *text);
void terminal_type(struct terminal *t, const char *keys);
/* Read to the end and give the exit code, or -signal. */
int terminal_close(struct terminal *t);

/* GET a path of the fake server; the body. Caller frees. */
char *server_get(const char *path);

#endif
