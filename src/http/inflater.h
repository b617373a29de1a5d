/* SPDX-License-Identifier: MIT */
/*
 * inflater.h - undoes the Content-Encoding of a request's body while it arrives: gzip and
 * deflate (RFC 9110, 8.4.1), by zlib. Pure.
 */
#ifndef DOZE_HTTP_INFLATER_H
#define DOZE_HTTP_INFLATER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct inflater;

enum inflater_step {
    INFLATER_OK,
    INFLATER_TOO_LARGE, /* out is full */
    INFLATER_BROKEN,    /* these are not bytes of gzip or zlib */
};

struct inflater *inflater_new(void);
/* Accepts NULL. */
void inflater_free(struct inflater *inflater);

/* Append to out, up to its maximum, what the next bytes hold. Not after a step but OK. */
enum inflater_step inflater_feed(struct inflater *inflater, const char *bytes, size_t len,
                                 struct buf *out);

/* Has all of it come, with the checksum at its end? */
bool inflater_ended(const struct inflater *inflater);

#endif
