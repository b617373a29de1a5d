/* SPDX-License-Identifier: MIT */
/* sandbox_attempts.h - what a worker may try inside its sandbox: each returns 0, or the errno
 * with which it failed. */
#ifndef TESTS_ENGINE_SANDBOX_ATTEMPTS_H
#define TESTS_ENGINE_SANDBOX_ATTEMPTS_H

#include <errno.h>
#include <stddef.h>

/* A folder of models, with a stranger, and one of prompts; the process works in the first. */
#define MODEL "m-00001-of-00002.gguf"
#define PART "m-00002-of-00002.gguf"

/* Sanitizers read files that no right names, and start processes: sandbox_files.c, _calls.c. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { UNNAMED = 0, NO_STORE = EPERM, OF_CHECKER = 0 };
#else
enum { UNNAMED = EACCES, NO_STORE = EACCES, OF_CHECKER = EPERM };
#endif

enum { LOADS, STORES, SERVES, STAGES }; /* the last: without a store of prompts */

struct attempt {
    const char *name;
    int (*fn)(void);
    int wanted[STAGES]; /* what it returns in each stage */
};
extern const struct attempt attempts[];
extern const size_t attempt_count;

/* Those that other tests try, too. */
int internet(void);
int write_beside_model(void);
int delete_model(void);
int move_out(void);
int store_prompt(void);
int read_passwords(void);
int talk(void);
int thread(void);
/* Connects; returns ctx. */
void *dial_on_thread(void *ctx);

/* 0, or errno if the result of a call is below that. */
int errno_of(long result);

#endif
