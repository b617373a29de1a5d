/* SPDX-License-Identifier: MIT */
/*
 * sandbox_denied.h - counts the system calls that the sandbox denies, so that the log can
 * report them: a library that has changed, or a model's file that does what it should not.
 *
 * The kernel raises SIGSYS in the thread that made the call (seccomp(2), SECCOMP_RET_TRAP); the
 * handler counts and lets the call fail with EPERM. Files that Landlock denies (EACCES) are
 * not seen.
 */
#ifndef DOZE_ENGINE_SANDBOX_DENIED_H
#define DOZE_ENGINE_SANDBOX_DENIED_H

#include <stdbool.h>

/* Begin to count. SIGSYS must not be blocked in any thread. */
void sandbox_denied_watch(void);

/* The number of a call (syscalls(2)) that has been denied, each once; false: there is no new
 * one. One thread only. Cheap while nothing was denied. */
bool sandbox_denied_take(int *ret_number);

/* How often the call was denied so far. Numbers beyond the kernel's table, such as the 32-bit
 * calls of x86, are counted together. */
unsigned sandbox_denied_count(int number);

#endif
