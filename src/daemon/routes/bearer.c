/* SPDX-License-Identifier: MIT */
#include "daemon/routes/bearer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "daemon/fleet_node.h"
#include "http/server.h"

/* The key that a client sends, in OpenAI's, Anthropic's or Azure's header; NULL: none. */
static const char *key_given(const struct exchange *x) {
    static const char *const headers[] = { "x-api-key", "api-key" };
    const char *given = exchange_header(x, "Authorization");
    if (given && strncasecmp(given, "Bearer ", 7) == 0) return given + 7;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        given = exchange_header(x, headers[i]);
        if (given && *given) return given; /* Continue sends an empty one */
    }
    return NULL;
}

static bool admit_node(const struct routes *r, const struct exchange *x, const char *pass,
                       struct bearer *ret_bearer, struct error *err) {
    char peer[HTTP_PEER_SIZE];
    exchange_peer(x, peer);
    bool ok = fleet_node_check_pass(r->fleet, pass, exchange_method(x), exchange_path(x), err);
    if (ok)
        *ret_bearer = gate_admit_node();
    else
        gate_refuse_node(r->gate, peer, err);
    return ok;
}

bool bearer_of_exchange(const struct routes *r, const struct exchange *x,
                        struct bearer *ret_bearer, struct error *err) {
    const char *pass = exchange_header(x, FLEET_PASS_HEADER);
    char peer[HTTP_PEER_SIZE];
    if (pass) return admit_node(r, x, pass, ret_bearer, err);
    exchange_peer(x, peer);
    return gate_admit(r->gate, key_given(x), peer, ret_bearer, err);
}

const char *bearer_owner(const struct exchange *x, const struct bearer *bearer) {
    if (bearer->is_node) return exchange_header(x, FLEET_OWNER_HEADER);
    return bearer->key ? bearer->key->id : NULL;
}

static bool is_node(const struct routes *r, const struct exchange *x) {
    const char *pass = exchange_header(x, FLEET_PASS_HEADER);
    struct error ignored;
    return pass && fleet_node_check_pass(r->fleet, pass, exchange_method(x), exchange_path(x),
                                         &ignored);
}

bool exchange_has_key(void *ctx, const struct exchange *x, bool preflight) {
    const struct routes *r = ctx;
    const char *given = key_given(x);
    if (is_node(r, x)) return true;
    if (!gate_needs_key(r->gate)) return false;
    return preflight || (given && gate_knows(r->gate, given));
}

uint64_t client_of(const struct exchange *x, const struct bearer *bearer) {
    static const char *const names[] = { "authorization", "x-api-key", "user-agent" };
    const char *told = bearer->is_node ? exchange_header(x, FLEET_CLIENT_HEADER) : NULL;
    uint64_t hash = HASH_BEGIN;
    bool known = false;
    if (told) return strtoull(told, NULL, 16);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = exchange_header(x, names[i]);
        if (value) hash = hash_add(hash, value, strlen(value) + 1);
        known = known || value;
    }
    return known ? hash : 0;
}
