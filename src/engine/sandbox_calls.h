/* SPDX-License-Identifier: MIT */
/*
 * sandbox_calls.h - the part of sandbox.h that is about system calls: a seccomp filter.
 *
 * The filter is made here from a table, not by libseccomp: that would be one more library on
 * the user's machine, 10 KB more in each standby worker and 65 us more per stage, and it
 * cannot express "all calls newer than this".
 */
#ifndef DOZE_ENGINE_SANDBOX_CALLS_H
#define DOZE_ENGINE_SANDBOX_CALLS_H

#include <stdbool.h>

#include "engine/sandbox.h"

/* Deny all threads the calls that are not in the table. writes: files may be opened for
 * writing. False: the kernel cannot do this; nothing has changed. */
bool sandbox_calls_limit(enum sandbox_stage stage, bool writes)
    __attribute__((warn_unused_result));

/* The other way round, for the driver of a GPU: deny only a few calls. */
bool sandbox_calls_forbid(enum sandbox_stage stage) __attribute__((warn_unused_result));

#endif
