/* SPDX-License-Identifier: MIT */
/* on_disk.h - the models on the disk by the names that they have on the hub. Pure. */
#ifndef DOZE_CLI_ON_DISK_H
#define DOZE_CLI_ON_DISK_H

#include "cli/inventory.h"

/* The model that is meant by "owner/repo", "owner/repo@q4_k_m", "owner/repo/file.gguf", a URL
 * of the hub, or its key; as in requests, another owner's model of that name is meant, too.
 * With a quantization only a model that has it. NULL: none. Borrowed from the inventory. */
const struct listed_model *on_disk_find(const struct inventory *inv, const char *name);

#endif
