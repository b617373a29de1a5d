/* SPDX-License-Identifier: MIT */
/* import_place.h - puts the files of a plan into the models folder. */
#ifndef DOZE_CLI_IMPORT_PLACE_H
#define DOZE_CLI_IMPORT_PLACE_H

#include "cli/import_plan.h"

/* Place all files, or none: what was done is undone if one fails. A copy is seen by the server
 * only when it is whole and on the disk. on_copied is told how many bytes of all files are
 * copied; it is not called for links and moves within a disk. */
bool import_place(const struct import_plan *plan, void (*on_copied)(void *ctx, nbytes bytes),
                  void *ctx, struct error *err);

#endif
