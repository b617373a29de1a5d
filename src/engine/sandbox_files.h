/* SPDX-License-Identifier: MIT */
/* sandbox_files.h - the part of sandbox.h that is about files: Landlock, see landlock(7). */
#ifndef DOZE_ENGINE_SANDBOX_FILES_H
#define DOZE_ENGINE_SANDBOX_FILES_H

#include <stdbool.h>

#include "engine/sandbox.h"

/* Let this thread, and those it starts, open only what the rights name. What does not exist
 * yet stays forbidden: make the prompts' folder before. False: the kernel cannot do this;
 * nothing has changed. */
bool sandbox_files_limit(const struct sandbox_rights *rights)
    __attribute__((warn_unused_result));

#endif
