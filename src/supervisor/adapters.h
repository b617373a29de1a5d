/* SPDX-License-Identifier: MIT */
/*
 * adapters.h - the files of LoRA adapters: found by the names that load settings have, and
 * looked at before a load costs anything. What a header says is remembered until its file
 * changes, as every request asks.
 */
#ifndef DOZE_SUPERVISOR_ADAPTERS_H
#define DOZE_SUPERVISOR_ADAPTERS_H

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

/* Can the model be loaded with all of them? ERR_INVALID_REQUEST with a sentence about the first
 * that it cannot have. */
bool adapter_files_check(struct adapter_files *files, const struct model *model,
                         const struct load_adapters *adapters, struct adapter_sum *ret_sum,
                         struct error *err) __attribute__((warn_unused_result));

#endif
