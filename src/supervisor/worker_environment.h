/* SPDX-License-Identifier: MIT */
/*
 * worker_environment.h - the environment of a worker. The daemon's own may hold keys and
 * tokens, and a hostile model that takes over the worker could read them; so only variables on
 * a list are passed on: those of the C library, the dynamic linker, threads, GPU drivers and
 * sanitizers.
 */
#ifndef DOZE_SUPERVISOR_WORKER_ENVIRONMENT_H
#define DOZE_SUPERVISOR_WORKER_ENVIRONMENT_H

/* A new array for execve, ended by NULL: the entries ("NAME=value") of `daemons` that a worker
 * may have, borrowed, and GLIBC_TUNABLES for huge pages unless it is among them: a vocabulary
 * is a heap of small strings in hash tables (measured: a tenth of a load with one of 152,000
 * tokens). libraries: a folder that the dynamic linker looks into first; NULL: none. The caller
 * frees the array. */
char **worker_environment(char *const *daemons, const char *libraries);

#endif
