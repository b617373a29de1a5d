/* SPDX-License-Identifier: MIT */
/*
 * access.h - may this request drive the server? Pure.
 *
 * A web page can make a browser send requests to a local server, directly or, by DNS rebinding,
 * under a name of its own that resolves to this machine. Rebinding needs a name, so every
 * address literal is allowed as Host; a name must be one that only this machine has.
 */
#ifndef DOZE_HTTP_ACCESS_H
#define DOZE_HTTP_ACCESS_H

#include <stdbool.h>

#include "base/error.h"

struct access_names {
    const char *machine; /* gethostname() */
    const char *bound;   /* the --host listened on */
};

/* Does this Host header (name or address, with or without port) name this machine? True for
 * address literals, localhost and names below it, the machine's name (also its first label,
 * alone or with ".local"), the name listened on, and the names that containers use for their
 * host. */
bool access_host_is_own(const char *host, const struct access_names *names);

/* Is the Origin header a page of the server named by the Host header? */
bool access_origin_is_same(const char *origin, const char *host);

/* Check Host and Origin (NULL: absent) together. Fails with ERR_FORBIDDEN and a sentence that
 * says what to do. */
bool access_check(const char *host, const char *origin, const struct access_names *names,
                  struct error *err) __attribute__((warn_unused_result));

#endif
