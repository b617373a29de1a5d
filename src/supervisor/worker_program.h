/* SPDX-License-Identifier: MIT */
/* worker_program.h - what a worker is started from. */
#ifndef DOZE_SUPERVISOR_WORKER_PROGRAM_H
#define DOZE_SUPERVISOR_WORKER_PROGRAM_H

struct worker_program {
    const char *path;
    const char *libraries; /* the folder of the engine's variant; NULL: its own libraries */
};

#endif
