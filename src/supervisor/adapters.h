/* SPDX-License-Identifier: MIT */
/*
 * adapters.h - finds the files of LoRA adapters by the names in load settings, and checks them
 * before a load. Headers may be long and disks slow, so threads of the pool read them; what
 * they say is remembered until a file changes, as every request asks.
 */
#ifndef DOZE_SUPERVISOR_ADAPTERS_H
#define DOZE_SUPERVISOR_ADAPTERS_H

#include <sys/stat.h>

#include "base/error.h"
#include "base/msec.h"
#include "catalog/catalog.h"
#include "load/load_adapters.h"

struct adapter_files;

struct adapter_files *adapter_files_new(void);
void adapter_files_free(struct adapter_files *files); /* accepts NULL */

/* The file that a name means for this model. The caller frees. */
char *adapter_path(const struct model *model, const char *name);

struct adapter_sum {
    nbytes size;    /* of all files */
    uint64_t stamp; /* changes with the size or the time of change of one of them */
};

/* An adapter's file that a load of a model names, and what its header says. */
struct adapter_look {
    char *path; /* NULL: nothing is here */
    struct stat st;
    char *model_path, *model_architecture;
    msec model_modified;
    char architecture[64]; /* that it is for */
    struct error fault;    /* ERR_NONE: it is an adapter, and fits if it is for this one */
};

void adapter_look_clear(struct adapter_look *look);
/* Look; on any thread. */
void adapter_look_read(struct adapter_look *look);

/* The files to look at before the model's load can be judged, without those that are missing or
 * no files. Returns how many; the caller clears them. */
size_t adapter_files_unknown(const struct adapter_files *files, const struct model *model,
                             const struct load_adapters *adapters,
                             struct adapter_look ret_looks[LOAD_MAX_ADAPTERS]);
/* Takes what was seen. */
void adapter_files_remember(struct adapter_files *files, struct adapter_look *look);

/* Can the model be loaded with all of them, as far as is known? ERR_INVALID_REQUEST with a
 * sentence about the first that it cannot have. */
bool adapter_files_check(const struct adapter_files *files, const struct model *model,
                         const struct load_adapters *adapters, struct adapter_sum *ret_sum,
                         struct error *err) __attribute__((warn_unused_result));

#endif
