/* SPDX-License-Identifier: MIT */
/*
 * xalloc.h - small allocations that cannot fail: without memory the process ends with a line on
 * stderr. A size that comes from outside must be capped first.
 */
#ifndef DOZE_BASE_XALLOC_H
#define DOZE_BASE_XALLOC_H

#include <stddef.h>

/* Zeroed; the caller frees with free(). */
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *text, size_t len) __attribute__((malloc, returns_nonnull));

/* Formatted, heap allocated. */
char *xasprintf(const char *fmt, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

#endif
