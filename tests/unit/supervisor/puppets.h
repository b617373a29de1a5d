/* SPDX-License-Identifier: MIT */
/*
 * puppets.h - workers that say what the test lets them say: daemon/worker.h without processes.
 *
 * A program that links this has no real workers. A puppet says HELLO when it is started, hears
 * what it is sent, and lives until puppet_die; a kill is only remembered.
 */
#ifndef DOZE_TESTS_UNIT_DAEMON_PUPPETS_H
#define DOZE_TESTS_UNIT_DAEMON_PUPPETS_H

#include <stdbool.h>

#include "supervisor/worker.h"

/* Whether worker_spawn works; true at first. */
void puppets_start(bool works);
/* Private memory of each; 0 at first. */
void puppets_take(uint64_t bytes);
/* How many were started so far, and the nth of them, from 0; NULL once it is dead. */
int puppet_count(void);
struct worker *puppet(int n);

/* The payload of the last frame of this type that it was sent; NULL: none came. */
const char *puppet_heard(const struct worker *worker, enum message_type type);
/* The request which that frame was about. */
uint64_t puppet_heard_request(const struct worker *worker, enum message_type type);
bool puppet_was_killed(const struct worker *worker);

void puppet_say(struct worker *worker, enum message_type type, uint64_t request,
                const char *payload);
/* Frees it. how: as worker_owner.on_gone says it; a kill if it is not given. */
void puppet_die(struct worker *worker);
void puppet_die_of(struct worker *worker, const char *how);
/* All that live; the count starts again. */
void puppets_clear(void);

#endif
