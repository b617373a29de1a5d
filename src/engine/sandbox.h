/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - what a worker may still do once it reads a model's file, which may be hostile.
 *
 * Two kernel features, each useful without the other: a filter of system calls (seccomp,
 * sandbox_calls.h) and of files (Landlock, sandbox_files.h). Both last until the process ends,
 * apply to threads started later, and can only be narrowed. So the first stage grants all that
 * either stage needs, and the second takes back what only loading needs.
 *
 * A process that prepares requests (preparers.h) is started while loading and enters a stage
 * of its own: no files, no processes, no daemon. It uses no GPU, so it has this sandbox even
 * beside one.
 *
 * What is forbidden fails with EPERM (a call) or EACCES (a file) and ends nothing: libraries
 * try calls that they can do without. Where the kernel or a container lacks one of the
 * features, the worker runs without it and says so.
 *
 * GPU drivers differ in what they open and call, so that cannot be listed here. With one the
 * sandbox is the other way round: files can be read and calls made, except for what no driver
 * needs: changing files, using the network, starting programs and touching other processes.
 */
#ifndef DOZE_ENGINE_SANDBOX_H
#define DOZE_ENGINE_SANDBOX_H

#include <stdbool.h>

#include "load/load_adapters.h"

enum sandbox_stage { SANDBOX_LOADING, SANDBOX_SERVING, SANDBOX_PREPARING };

/* Rights besides the socket and a few files of /proc, /sys and the time zone
 * (sandbox_files.c). */
struct sandbox_rights {
    const char *model;     /* may be read, with all parts of a split set; NULL: none */
    const char *projector; /* may be read; NULL: none */
    const struct load_adapters *adapters; /* may be read; NULL: none */
    const char *draft;                    /* a second model; the same */
    const char
        *prompts; /* folder in which files may be made, changed and deleted; NULL: none */
    bool driver;  /* the process uses a GPU; in both stages */
};

struct sandbox {
    bool calls, files;   /* what is enforced, in every stage entered so far */
    bool driver;         /* less of both is enforced, because a GPU is used */
    const char *missing; /* a sentence for the log; NULL: nothing is missing */
};

/* Enter the stage; LOADING first, then one of the others. Call it from the only thread, or
 * others keep their rights to files. */
void sandbox_enter(struct sandbox *sandbox, enum sandbox_stage stage,
                   const struct sandbox_rights *rights);

/* May files be written where the rights say so? Not where the kernel limits calls but not
 * files: there nothing may be written, because it could be anywhere. */
bool sandbox_writes(const struct sandbox *sandbox);

/* "full", "driver" (all that is possible with a GPU driver), "calls", "files", "none". */
const char *sandbox_word(const struct sandbox *sandbox);

#endif
