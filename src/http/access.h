/* SPDX-License-Identifier: MIT */
/*
 * access.h - may this request drive the server? Pure.
 *
 * A web page can make a browser send requests to a local server, directly or, by DNS rebinding,
 * under a name of its own that resolves to this machine. Rebinding needs a name, so every
 * address literal is a good Host; names have to be ones that only this machine has.
 */
#ifndef DOZE_HTTP_ACCESS_H
#define DOZE_HTTP_ACCESS_H

#include <stdbool.h>

#include "base/error.h"

struct access_names {
    const char *machine; /* gethostname() */
    const char *bound;   /* the --host listened on */
};

/* Is this Host header (name or literal, with or without port) this machine? Good are address
 * literals, localhost and names below it, the machine's name (also its first label, and that
 * with
 * ".local"), the name listened on, and the names that containers have for their host. */
bool access_host_is_own(const char *host, const struct access_names *names);

/* Is the Origin header a page of the server named by the Host header? */
bool access_origin_is_same(const char *origin, const char *host);

/* Host and Origin (NULL: absent) together: ERR_FORBIDDEN with a sentence that says what to do.
 */
bool access_check(const char *host, const char *origin, const struct access_names *names,
                  struct error *err) __attribute__((warn_unused_result));

#endif
