/* SPDX-License-Identifier: MIT */
/*
 * import_plan.h - which files an import brings into the models folder, and where to.
 *
 * Everything is checked while the plan is made; nothing on the disk changes.
 */
#ifndef DOZE_CLI_IMPORT_PLAN_H
#define DOZE_CLI_IMPORT_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/msec.h"

enum import_mode { IMPORT_MOVE, IMPORT_COPY, IMPORT_HARD_LINK, IMPORT_SYMBOLIC_LINK };

struct import_file {
    char *from, *to; /* absolute */
    nbytes size;
    bool there; /* `to` is this very file already */
};

struct import_plan {
    enum import_mode mode;
    const char *folder;    /* of the models; borrowed */
    const char *user_repo; /* "owner/name"; NULL: by the file. Borrowed */
    struct import_file *files;
    size_t count;
};

/* Add the model that the file belongs to: all parts of a split set, and the projectors beside
 * it in a folder that has no other model. Fails if a part is missing or is not a whole GGUF
 * file, if another file is in the way, or if the mode cannot be used with the file. */
bool import_plan_add(struct import_plan *plan, const char *path, struct error *err);

/* Can the models folder be written, and has its disk room for what must be copied? */
bool import_plan_check(const struct import_plan *plan, struct error *err);

void import_plan_clear(struct import_plan *plan);

/* "owner/name", each of which can be a folder. Pure. */
bool import_user_repo_ok(const char *text);

#endif
