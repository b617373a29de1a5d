/* SPDX-License-Identifier: MIT */
/* sandbox_files.h - the part of sandbox.h that is about files: Landlock, see landlock(7). */
#ifndef DOZE_ENGINE_SANDBOX_FILES_H
#define DOZE_ENGINE_SANDBOX_FILES_H

#include <stdbool.h>

#include "engine/sandbox.h"

/* From now on this thread, and those it begins, can open nothing but what the rights name. What
 * cannot be found is not allowed, either: make the prompts' folder before. False: the kernel
 * does not do this; nothing has changed. */
bool sandbox_files_limit(const struct sandbox_rights *rights)
    __attribute__((warn_unused_result));

#endif
