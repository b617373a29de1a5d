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

/* Is the text one of the names of a list, "a.example, *.b.example", which has commas or spaces
 * between? A "*" stands for one or more letters, digits, "-" and "."; case does not matter. */
bool access_list_has(const char *list, const char *text);

/* Is the Origin one that no web site can have: of a desktop app, an editor's view, a file? */
bool access_origin_is_local(const char *origin);

/* What the owner allows beside this machine's own names and pages. */
struct access_rules {
    bool all;            /* every page and every name (setting cors) */
    const char *hosts;   /* lists as above; names without a port */
    const char *origins; /* with scheme and port, as browsers send them */
};

struct access_request {
    const char *host, *origin; /* the headers; NULL: absent */
    /* It carries a key that the server knows; a page that wants to attack has none. */
    bool has_key;
};

/* May the request come in? *ret_foreign: its page has another origin, so the answer has to say
 * that the page may read it. Fails with ERR_FORBIDDEN and a sentence that says what to do. */
bool access_check(const struct access_request *request, const struct access_names *names,
                  const struct access_rules *rules, bool *ret_foreign, struct error *err)
    __attribute__((warn_unused_result));

#endif
