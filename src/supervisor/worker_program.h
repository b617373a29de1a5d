/* SPDX-License-Identifier: MIT */
/* worker_program.h - what a worker is started from. */
#ifndef DOZE_SUPERVISOR_WORKER_PROGRAM_H
#define DOZE_SUPERVISOR_WORKER_PROGRAM_H

#include "base/msec.h"

struct worker_program {
    const char *path;
    const char *libraries; /* the folder of the engine's variant; NULL: its own libraries */
    nbytes device;         /* memory of its devices that models may have; 0: it has none */
};

#endif
