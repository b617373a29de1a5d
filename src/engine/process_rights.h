/* SPDX-License-Identifier: MIT */
/*
 * process_rights.h - what the process as a whole gives up, besides the sandbox: rights that
 * only root has, and what would let a worker harm the machine.
 */
#ifndef DOZE_ENGINE_PROCESS_RIGHTS_H
#define DOZE_ENGINE_PROCESS_RIGHTS_H

#include <stdint.h>

#include "engine/sandbox.h"

/* At the start: stdout goes where stderr goes; no core file, which would hold what clients
 * wrote; and when memory runs out, the kernel ends the worker before the daemon and the user's
 * other programs. A right that the system does not grant is done without. */
void process_rights_start(void);

/* No file may grow beyond this many bytes: a write fails with EFBIG. For good.
 * A lower limit that is in force stays as it is. */
void process_rights_limit_files(uint64_t bytes);

/* Give up root's capabilities for good. Those to read and write other users' files are kept
 * only if a file that the rights name cannot be read or their folder not be written to without
 * them: a daemon that root runs may serve a user's models. Does nothing for other users than
 * root. */
void process_rights_drop_capabilities(const struct sandbox_rights *rights);

#endif
