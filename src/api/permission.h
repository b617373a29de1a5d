/* SPDX-License-Identifier: MIT */
/* permission.h - what an API key lets its bearer do. Pure. */
#ifndef DOZE_API_PERMISSION_H
#define DOZE_API_PERMISSION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum permission {
    PERMISSION_ADMIN,     /* everything, and the keys themselves */
    PERMISSION_ANY,       /* any key has it: lists */
    PERMISSION_INFERENCE, /* answers of models, which loads them */
    PERMISSION_MODELS,    /* load, unload, download, remove */
    PERMISSION_SETTINGS,
    PERMISSION_EVENTS, /* events, log, history, metrics */
    PERMISSION_COUNT,
};

/* "admin", "inference", ...; NULL for PERMISSION_ANY, which clients cannot name. */
const char *permission_name(enum permission permission);
/* False, and nothing written, if the word is not a permission. */
bool permission_parse(const char *word, enum permission *ret_permission);

/* A set, as bits 1 << permission: does it have the permission? Admin has all. */
bool permission_in(unsigned set, enum permission permission);
/* Fail with ERR_FORBIDDEN and a sentence if it does not. */
bool permission_require(unsigned set, enum permission permission, struct error *err)
    __attribute__((warn_unused_result));

#endif
