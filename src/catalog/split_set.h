/* SPDX-License-Identifier: MIT */
/*
 * split_set.h - names of the parts of a split model: <base>-00001-of-00003.gguf. Pure.
 */
#ifndef DOZE_CATALOG_SPLIT_SET_H
#define DOZE_CATALOG_SPLIT_SET_H

#include <stdbool.h>
#include <stddef.h>

struct split_name {
    size_t base_len; /* of what stands before "-00001-of-00003.gguf" */
    unsigned part;   /* 1 ... count */
    unsigned count;  /* 1 ... 99999 */
};

/* False if the file's name (or path) is not one of a part. */
bool split_name_parse(const char *name, struct split_name *ret_split);

#endif
