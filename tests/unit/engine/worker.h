/* SPDX-License-Identifier: MIT */
/*
 * worker.h - a real doze-engine at the other end of a socket pair, spoken to as the daemon
 * does.
 *
 * Everything waits for frames; nothing waits for time. A worker that says nothing for a minute
 * fails the test.
 */
#ifndef DOZE_TEST_ENGINE_WORKER_H
#define DOZE_TEST_ENGINE_WORKER_H

#include <stdbool.h>
#include <sys/types.h>
#include <yyjson.h>

#include "ipc/growth_message.h"
#include "ipc/message.h"
#include "outcome.h"

enum { WORKER_MAX_REQUESTS = 64 };

struct worker {
    pid_t pid;
    int fd;
    struct buf in;
    bool gone;         /* end of file was seen */
    yyjson_doc *facts; /* READY's or FAILED's payload */
    yyjson_doc *store; /* the newest STORE's payload */
    int logs;
    bool failed;
    int progress; /* PROGRESS frames seen; they never go back */
    int heartbeats;
    int resized;    /* MEMORY frames seen */
    int64_t memory; /* what the last of them said */
    bool repacked, repack_ended;
    int asks;                  /* GROW frames seen */
    struct grow_message asked; /* the last of them */
    int64_t limit;             /* of the LOAD; what the worker is granted in all */
    bool mute;                 /* GROW is not answered */
    int64_t parked;            /* bytes, as PARKED said; 0: it is not */
    int permille;
    struct outcome outcomes[WORKER_MAX_REQUESTS]; /* by request number; 0 is not used */
    int requests;
};

/* Start one and wait for its HELLO. */
struct worker *worker_start(void);

/* The same with this socket as LENT_FD; the caller keeps fd. */
struct worker *worker_start_lent(int fd);

/* Options: threads, pieces of prompts and the kernels are the same whatever else the machine
 * does, and so is the rounding: for those that compare texts. As a daemon's `reproducible`. */
#define WORKER_STEADY "\"reproducible\":true,\"flash_attention\":false"

/* Start one that has loaded the model. options: more fields of LOAD, as JSON members, or "". */
struct worker *worker_load(const char *path, const char *options);

/* LOAD, then wait for READY or FAILED. options as above. */
void worker_say_load(struct worker *w, const char *path, const char *options);

/* PARK, then wait for PARKED; worker_say_load() follows. */
void worker_park(struct worker *w);

/* STOP, if it lives; wait until it is gone and free everything. Its exit status must be
 * `status`. */
void worker_stop(struct worker *w, int status);

void worker_send(struct worker *w, enum message_type type, int request, const char *payload);

/* Send a request (printf-like JSON); its number. */
int worker_ask(struct worker *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* GRANT; ask: 0 if the limit has changed. */
void worker_grant(struct worker *w, int64_t ask, int64_t bytes);

/* Read one frame and put it where it belongs. False: end of file. */
bool worker_pump(struct worker *w);

/* Stop the process and read what it has said; nothing more comes before it is let go. */
void worker_hold(struct worker *w);
void worker_let_go(struct worker *w);

/* Read until the request has ended, or has given this many deltas. */
struct outcome *worker_end(struct worker *w, int request);
void worker_until_deltas(struct worker *w, int request, int deltas);

/* Ask and read until the end. */
#define worker_run(w, ...) worker_end(w, worker_ask(w, __VA_ARGS__))

/* A field of READY or FAILED. */
yyjson_val *worker_fact(const struct worker *w, const char *name);

/* Wait for the process; its exit status (128 + signal if killed). */
int worker_wait(struct worker *w);

#endif
