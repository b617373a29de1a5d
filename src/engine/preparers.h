/* SPDX-License-Identifier: MIT */
/*
 * preparers.h - the processes that work on what clients send, and the worker's ends of their
 * sockets.
 *
 * Chat templates, schemas, grammars and tokenizers are library code that recurses as deep,
 * allocates as much and takes as long as its input makes it, and no caller can interrupt it. A
 * thread that is stuck in it cannot be ended, and its crash ends the whole process. So it runs
 * in processes: the kernel ends one at its deadline and bounds its memory, and its death costs
 * one request.
 *
 *   worker --fork, when the model is open--> starter --fork, for each--> preparer
 *
 * A preparer starts about a millisecond after it is asked for, with the model's vocabulary and
 * templates in pages that it shares with the worker. It works for one request after the other,
 * but for none after one that was slow or brought its own template or grammar. It reads no
 * file and knows no daemon. What it answers is not trusted (prepared.h). Starter and preparers
 * end by themselves when the worker is gone.
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

/* A message type that no preparer knows, which makes it end. */
enum { PREPARER_END = 0 };

enum preparer_state { PREPARER_NONE, PREPARER_STARTING, PREPARER_ALIVE };

struct preparer {
    enum preparer_state state;
    int fd;
    int status;  /* how the last one ended, as of waitpid() */
    bool taken;  /* a request has it */
    bool busy;   /* and it owes an answer, maybe to a request that is gone */
    bool ending; /* it will send no more */
    struct buf in, out;
    size_t in_used; /* bytes of `in` that were given out already */
    struct preparer_shared *shared;
};

struct preparers {
    int count, control;              /* 0: there are none */
    pid_t pid;                       /* of the starter */
    bool warm;                       /* later ones start with what they share */
    int fds[PREPARERS_MAX], starter; /* the other ends, until the starter has them */
    struct preparer all[PREPARERS_MAX];
};

/* Make the sockets; before the sandbox, which allows no new ones. */
bool preparers_open(struct preparers *preparers, int count, struct error *err);

/* Start the starter and the first preparer. worker_fd: of the socket to the daemon, which they
 * must not keep. fn and ctx: what each does; warm: preparers_warm(). */
bool preparers_start(struct preparers *preparers, int worker_fd, preparer_fn fn,
                     preparer_warm_fn warm, void *ctx, struct error *err);

/* Have the starter make what preparers share, once; idle ones end and make room for others. */
void preparers_warm(struct preparers *preparers);

/* End all of them and wait for that: a tenth of a second if one is at work. */
void preparers_end(struct preparers *preparers);

/* Take a preparer, to be given back; one is started if none is idle. NULL: none is available
 * now. */
struct preparer *preparers_take(struct preparers *preparers);
/* Give it back. If it owes an answer, that is dropped. */
void preparer_give_back(struct preparer *preparer);

/* Send it work; never waits. answered: it owes an answer for this. */
void preparer_send(struct preparer *preparer, int type, bool answered, const void *payload,
                   size_t len);

/* Read what all of them have sent. waited: the caller has waited for news since the last call;
 * otherwise this costs next to nothing while none works. False: the starter is gone, so no
 * preparer can be started. */
bool preparers_look(struct preparers *preparers, bool waited)
    __attribute__((warn_unused_result));

/* Its answer, once; borrowed until the next call about it. False: not yet. */
bool preparer_answer(struct preparer *preparer, struct frame *ret);
/* Does it owe an answer, but has died or sent something invalid? */
bool preparer_is_lost(const struct preparer *preparer);
/* Milliseconds that it has computed for its current work, in steps of PREPARER_TICK_MS, as it
 * says. That is not trusted: only the choice of the one that is given up first depends on
 * it. */
int preparer_computed_ms(const struct preparer *preparer);
/* Wait for bytes from this one, at most timeout_ms. */
void preparer_wait(struct preparer *preparer, int timeout_ms);

/* What to wait for; at most PREPARERS_MAX + 1. */
size_t preparers_polls(const struct preparers *preparers, struct pollfd *ret);

#endif
