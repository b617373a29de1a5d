/* SPDX-License-Identifier: MIT */
/*
 * preparers.h - processes that work on what clients send, and the worker's ends of the sockets.
 *
 * Chat templates, schemas, grammars and tokenizers are code of libraries that recurses as
 * deep, allocates as much and takes as long as its input says, and no caller can interrupt it.
 * A thread that is stuck in it cannot be ended, and its crash is the crash of all. So it runs
 * in processes: the kernel ends one at its deadline and bounds its memory, and its death costs
 * one request.
 *
 *   worker --fork, when the model is open--> starter --fork, for each--> preparer
 *
 * A preparer begins with the model's vocabulary and templates as they are in the worker's
 * memory, whose pages they share, about a millisecond after it is asked for. It works for one
 * request after the other, but for none after one that was slow or brought a template or a
 * grammar of its own. It reads no file and knows no daemon. What it answers is not trusted
 * (prepared.h). Starter and preparers end by themselves when the worker is gone.
 */
#ifndef DOZE_ENGINE_PREPARERS_H
#define DOZE_ENGINE_PREPARERS_H

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "engine/preparer.h"
#include "ipc/frame.h"
#include "load/load_settings.h"

/* One for each answer that has a grammar, and those for requests that are being prepared. */
enum { PREPARING_MAX = 4, PREPARERS_MAX = LOAD_MAX_PARALLEL + PREPARING_MAX };

/* A message that none of them knows, after which it ends. */
enum { PREPARER_END = 0 };

enum preparer_state { PREPARER_NONE, PREPARER_STARTING, PREPARER_ALIVE };

struct preparer {
    enum preparer_state state;
    int fd;
    int status;  /* how the last one ended, as of waitpid() */
    bool taken;  /* it works for somebody */
    bool busy;   /* and owes an answer; maybe to somebody who has gone */
    bool ending; /* it has said its last word */
    struct buf in, out;
    size_t in_used; /* bytes of `in` that were given out already */
    struct preparer_shared *shared;
};

struct preparers {
    int count, control;              /* 0: there are none */
    pid_t pid;                       /* of the starter */
    bool warm;                       /* those to come have what they share */
    int fds[PREPARERS_MAX], starter; /* the other ends, until the starter has them */
    struct preparer all[PREPARERS_MAX];
};

/* Make the sockets; before the sandbox, which allows no new ones. */
bool preparers_open(struct preparers *preparers, int count, struct error *err);

/* Begin the starter and the first preparer. worker_fd: of the socket to the daemon, which is
 * nobody else's. fn and ctx: what each does; warm: preparers_warm(). */
bool preparers_start(struct preparers *preparers, int worker_fd, preparer_fn fn,
                     preparer_warm_fn warm, void *ctx, struct error *err);

/* Have the starter make what preparers share, once; idle ones end and make room for others. */
void preparers_warm(struct preparers *preparers);

/* End all of them and wait for that: a tenth of a second if one is at work. */
void preparers_end(struct preparers *preparers);

/* A preparer for somebody, who gives it back; one is started if none is idle. NULL: none can be
 * had now. */
struct preparer *preparers_take(struct preparers *preparers);
/* If it owes an answer, that is no longer wanted. */
void preparer_give_back(struct preparer *preparer);

/* Send it work; never waits. It owes an answer then, if `answered`. */
void preparer_send(struct preparer *preparer, int type, bool answered, const void *payload,
                   size_t len);

/* Read what has come from all. waited: it has been waited for news since the last look; else it
 * costs next to nothing when nobody works. False: the starter is gone, and with it all hope. */
bool preparers_look(struct preparers *preparers, bool waited)
    __attribute__((warn_unused_result));

/* Its answer, once; borrowed until the next call about it. False: not yet. */
bool preparer_answer(struct preparer *preparer, struct frame *ret);
/* It owes an answer but has died, or has sent what is none. */
bool preparer_is_lost(const struct preparer *preparer);
/* Milliseconds that it has computed for what it does now, in steps of PREPARER_TICK_MS. What it
 * says is not trusted, only who is given up first depends on it. */
int preparer_computed_ms(const struct preparer *preparer);
/* Wait for bytes from this one, no longer than that. */
void preparer_wait(struct preparer *preparer, int timeout_ms);

/* What to wait for; at most PREPARERS_MAX + 1. */
size_t preparers_polls(const struct preparers *preparers, struct pollfd *ret);

#endif
