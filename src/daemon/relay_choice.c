/* SPDX-License-Identifier: MIT */
#include "daemon/relay_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "daemon/fleet_files.h"
#include "daemon/fleet_node.h"
#include "fleet/fleet_view.h"
#include "http/server.h"

enum { BYTES_PER_TOKEN = 4 };

/* ---- the table ---- */

static bool view_of(const struct relay_choice *choice, struct fleet_view *ret) {
    const struct relay_request *q = choice->q;
    struct fleet_question question = {
        .name = q->parsed ? q->parsed->options.model : "",
        .key = choice->key,
        .type = q->op == OP_EMBEDDING || q->op == OP_RERANK ? PLACEMENT_EMBEDDING
                                                            : PLACEMENT_LANGUAGE,
        .prompt = choice->prompt,
        .lot = choice->lot,
        .marks = q->marks,
        .forwarded = q->forwarded,
        .tried = (const char *const *)choice->tried,
        .tried_count = choice->tried_count,
    };
    fleet_node_ask(choice->node, &question);
    return fleet_view_make(fleet_node_table(choice->node), &question, ret);
}

/* The node that is known to load the model, though the table may not say so yet. */
static bool choose_loader(struct relay_choice *choice, const struct fleet_view *view,
                          struct placement *ret) {
    char loader[FLEET_NODE_SIZE];
    (void)snprintf(loader, sizeof loader, "%s",
                   choice->only[0] ? choice->only : choice->loader);
    choice->loader[0] = '\0';
    for (uint32_t n = 0; loader[0] && n < view->table.count; n++) {
        const struct placement_node *node = &view->nodes[n];
        if (strcmp(node->name, loader) != 0 || node->tried) continue;
        bool here = n == view->table.here;
        *ret = (struct placement){ .where = here ? PLACEMENT_HERE : PLACEMENT_NODE, .node = n };
        return true;
    }
    *ret = (struct placement){ .where = PLACEMENT_REFUSE };
    return choice->only[0] != '\0';
}

/* A node and etcd do not answer: it may be this one that is cut off. If it has the model, it
 * does not wait for one node after the other. */
static bool serves_alone(const struct relay_choice *choice) {
    return choice->tried_count > 0 && choice->key && !fleet_node_reaches_etcd(choice->node);
}

static void place_here(struct fleet_view *view, struct placement *ret) {
    bool forwarded = view->request.forwarded;
    view->request.forwarded = true;
    fleet_view_choose(view, clock_boottime(), ret);
    view->request.forwarded = forwarded;
}

/* By the others only if this one cannot, or is not to be asked first. */
static void place(const struct relay_choice *choice, struct fleet_view *view,
                  struct placement *ret) {
    bool enough = choice->tried_count == RELAY_TRIES;
    *ret = (struct placement){ .where = PLACEMENT_REFUSE };
    if (enough || serves_alone(choice)) place_here(view, ret);
    if (!enough && ret->where == PLACEMENT_REFUSE)
        fleet_view_choose(view, clock_boottime(), ret);
}

/* ---- what follows from it ---- */

static enum relay_step fetch_file(const struct relay_choice *choice,
                                  const struct fleet_view *view, struct relay_next *ret,
                                  struct error *ret_err) {
    if (!allowed_models_require(&choice->allowed, view->model, ret_err)) return RELAY_FAIL;
    if (!choice->q->downloads) return RELAY_HERE;
    return fleet_files_find(choice->node, view, &ret->model, ret_err) ? RELAY_FETCH
                                                                      : RELAY_FAIL;
}

static enum relay_step send_to(const struct relay_choice *choice, const struct fleet_view *view,
                               uint32_t n, struct relay_next *ret, struct error *ret_err) {
    if (!allowed_models_require(&choice->allowed, view->model, ret_err)) return RELAY_FAIL;
    ret->forwarder = fleet_node_forwarder(choice->node, ret_err);
    if (!ret->forwarder) return choice->key ? RELAY_HERE : RELAY_FAIL;
    ret->url = view->urls[n];
    (void)snprintf(ret->node, sizeof ret->node, "%s", view->nodes[n].name);
    fleet_node_note(choice->node, ret->node);
    fleet_node_tally(choice->node, FLEET_FORWARDED, ret->node);
    return RELAY_SEND;
}

static enum relay_step step_of(const struct relay_choice *choice, const struct fleet_view *view,
                               const struct placement *p, struct relay_next *ret,
                               struct error *ret_err) {
    switch (p->where) {
    case PLACEMENT_REFUSE:
        return choice->tried_count > 0 ? RELAY_NOBODY : RELAY_HERE;
    case PLACEMENT_HERE:
        if (p->rule == PLACEMENT_RULE_FETCH) return fetch_file(choice, view, ret, ret_err);
        fleet_node_note(choice->node, fleet_node_name(choice->node));
        return RELAY_HERE;
    case PLACEMENT_NODE:
    case PLACEMENT_WAIT:
        if (view->nodes[p->node].tried) return RELAY_WAIT;
        return send_to(choice, view, p->node, ret, ret_err);
    }
    return RELAY_NOBODY;
}

enum relay_step relay_choose(struct relay_choice *choice, struct relay_next *ret,
                             struct error *ret_err) {
    struct fleet_view view = { 0 };
    struct placement p;
    enum relay_step step = RELAY_HERE;
    *ret = (struct relay_next){ 0 };
    if (fleet_node_is_on(choice->node) && view_of(choice, &view)) {
        if (!choose_loader(choice, &view, &p)) place(choice, &view, &p);
        step = step_of(choice, &view, &p, ret, ret_err);
    }
    fleet_view_clear(&view);
    return step == RELAY_HERE && choice->only[0] ? RELAY_NOBODY : step;
}

/* ---- what has become of it ---- */

void relay_choice_failed(struct relay_choice *choice, const char *node) {
    fleet_node_tally(choice->node, FLEET_RETRIED, node);
    if (choice->tried_count < RELAY_TRIES) choice->tried[choice->tried_count++] = xstrdup(node);
}

bool relay_choice_refer(struct relay_choice *choice, const char *loader) {
    if (choice->referrals++ >= RELAY_TRIES) return false;
    (void)snprintf(choice->loader, sizeof choice->loader, "%s", loader);
    return true;
}

/* ---- the beginning and the end ---- */

/* A request outside any conversation has a lot of its own. */
static uint64_t lot_of(const struct relay_request *q) {
    uint64_t now = uv_hrtime();
    return q->marks && q->marks->lot ? q->marks->lot : hash_add(HASH_BEGIN, &now, sizeof now);
}

void relay_choice_init(struct relay_choice *choice, struct fleet_node *node,
                       const struct relay_request *request, const char *only) {
    size_t len;
    (void)exchange_body(request->x, &len);
    *choice = (struct relay_choice){ .node = node, .q = request, .lot = lot_of(request) };
    choice->key = request->key ? xstrdup(request->key) : NULL;
    choice->allowed = allowed_models_copy(request->allowed);
    choice->prompt = (uint32_t)(len / BYTES_PER_TOKEN);
    (void)snprintf(choice->only, sizeof choice->only, "%s", only);
    (void)snprintf(choice->loader, sizeof choice->loader, "%s",
                   request->loader ? request->loader : "");
}

void relay_choice_clear(struct relay_choice *choice) {
    for (size_t i = 0; i < choice->tried_count; i++) free(choice->tried[i]);
    allowed_models_clear(&choice->allowed);
    free(choice->key);
}
