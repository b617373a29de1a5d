/* SPDX-License-Identifier: MIT */
#include "daemon/routes/inference_fleet.h"

#include "daemon/fleet_node.h"
#include "daemon/relay.h"
#include "daemon/routes/route.h"
#include "fleet/fleet_view.h"
#include "http/server.h"
#include "supervisor/supervisor.h"

bool parsing_is_forwarded(const struct parsing *p) {
    return exchange_header(p->x, FLEET_HOP_HEADER) != NULL;
}

static void serve(void *ctx);

/* The client has left, or another node has answered. */
static void parsing_on_gone(void *ctx) {
    parsing_free(ctx);
}

/* True: another node may answer, and has the exchange. loader: the node that loads the model;
 * NULL: not known. */
static bool relay(struct parsing *p, const char *key, const char *loader,
                  const struct bearer *bearer) {
    struct relay_request request = { .x = p->x,
                                     .dialect = p->inference.dialect,
                                     .op = p->inference.op,
                                     .id = p->inference.id,
                                     .parsed = &p->parsed,
                                     .marks = &p->marks,
                                     .key = key,
                                     .forwarded = parsing_is_forwarded(p),
                                     .downloads = p->r->downloads,
                                     .loader = loader,
                                     .client = client_of(p->x, bearer),
                                     .owner = bearer_owner(p->x, bearer),
                                     .allowed = bearer->allowed };
    struct relay_sink sink = { serve, parsing_on_gone, p };
    return relay_begin(p->r->loop, p->r->fleet, &request, sink);
}

/* ---- one cold load in the whole fleet ---- */

/* The node that has sent the request asks that one then. */
static void refer(struct parsing *p, const char *loader) {
    error_set(&p->err, ERR_BACK_OFF, "The node '%s' of the fleet loads the model; ask it.",
              loader);
    p->err.retry_after = 1;
    exchange_add_header(p->x, FLEET_LOADER_HEADER, loader);
    parsing_fail(p);
}

static void follow(struct parsing *p, const char *loader) {
    struct bearer bearer;
    bool one;
    const char *key = supervisor_meaning(p->r->supervisor, p->parsed.options.model, &one);
    claim_drop(p->claim);
    p->claim = NULL;
    if (!bearer_of_exchange(p->r, p->x, &bearer, &p->err))
        parsing_fail(p);
    else if (!relay(p, key, loader, &bearer))
        parsing_begin(p);
}

/* Does it load another model under the name that this request means here? */
static bool loads_other(const struct parsing *p, const char *holder) {
    bool one;
    const char *key = supervisor_meaning(p->r->supervisor, p->parsed.options.model, &one);
    const struct fleet_node *fleet = p->r->fleet;
    return key && fleet_node_is_on(fleet) &&
           fleet_view_has_other(fleet_node_table(fleet), fleet_node_name(fleet), key, holder);
}

static void parsing_on_claimed(void *ctx, const char *holder) {
    struct parsing *p = ctx;
    if (holder && loads_other(p, holder)) holder = NULL;
    fleet_node_tally(p->r->fleet, holder ? FLEET_CLAIM_LOST : FLEET_CLAIM_WON, NULL);
    exchange_on_gone(p->x, NULL, NULL);
    if (!holder || exchange_is_gone(p->x))
        parsing_begin(p);
    else if (parsing_is_forwarded(p))
        refer(p, holder);
    else
        follow(p, holder);
}

/* This node answers. If it has to load the model, it claims that first. */
static void serve(void *ctx) {
    struct parsing *p = ctx;
    bool one;
    const char *name = p->parsed.options.model, *key = NULL;
    struct claim_sink sink = { parsing_on_claimed, p };
    if (fleet_node_is_on(p->r->fleet) && !p->parsed.options.unload)
        key = supervisor_meaning(p->r->supervisor, name, &one);
    if (key && !supervisor_is_resident(p->r->supervisor, key))
        p->claim = fleet_node_claim(p->r->fleet, key, sink);
    if (p->claim)
        exchange_on_gone(p->x, parsing_on_gone, p);
    else
        parsing_begin(p);
}

/* ---- here or elsewhere ---- */

/* Was it sent here by a node that knows that this one can fetch the model? */
static bool may_fetch(const struct parsing *p) {
    const char *name = p->parsed.options.model;
    bool one;
    return fleet_node_is_on(p->r->fleet) && parsing_is_forwarded(p) && *name &&
           !p->inference.bound && !p->parsed.options.unload &&
           !supervisor_meaning(p->r->supervisor, name, &one);
}

/* May another node answer it? Not what came from one, nor what is for something of this node's:
 * an instance, or what is stored. */
static bool may_travel(const struct parsing *p, const char **ret_key) {
    const char *name = p->parsed.options.model;
    bool one;
    if (!fleet_node_is_on(p->r->fleet) || parsing_is_forwarded(p)) return false;
    if (!*name || p->parsed.options.unload || p->inference.bound) return false;
    *ret_key = supervisor_meaning(p->r->supervisor, name, &one);
    return !one;
}

static void travel(struct parsing *p, const char *key) {
    struct bearer bearer;
    bool admitted = bearer_of_exchange(p->r, p->x, &bearer, &p->err) &&
                    permission_require(bearer.permissions, PERMISSION_INFERENCE, &p->err);
    if (!admitted)
        parsing_fail(p);
    else if (!relay(p, key, NULL, &bearer))
        serve(p);
}

void parsing_place(struct parsing *p) {
    const char *key;
    if (may_travel(p, &key))
        travel(p, key);
    else if (may_fetch(p))
        travel(p, NULL);
    else
        serve(p);
}
