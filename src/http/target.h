/* SPDX-License-Identifier: MIT */
/*
 * target.h - takes a request target apart (RFC 9112, 3.2). Pure.
 */
#ifndef DOZE_HTTP_TARGET_H
#define DOZE_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

struct target {
    const char *path;      /* decoded, begins with '/'; or "*" */
    const char *authority; /* of the absolute form "http://host:port/path", else NULL */
    struct buf query;      /* decoded pairs, each name NUL value NUL */
};

/* Parse and decode text in place; path and authority point into it. Fails with
 * ERR_INVALID_REQUEST on forms other than origin, absolute http and "*", on a bad percent
 * escape and on an encoded NUL. Clear with target_clear, also after a failure. */
bool target_parse(struct target *t, char *text, struct error *err)
    __attribute__((warn_unused_result));
void target_clear(struct target *t);

/* Value of the first query field of that name; NULL if absent. "+" stands for a space. */
const char *target_query(const struct target *t, const char *name);

#endif
