/* SPDX-License-Identifier: MIT */
#include "fleet/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/etcd.h"
#include "fleet/fleet_table.h"

enum {
    VALUE_MAX = 512,
    RETRY_MS = 1000,
    RETRIES = 10 /* of a removal: the lease is over then */
};

/* CREATE is due --sent, answered--> HELD, FOREIGN. REMOVE is due --sent, answered--> freed.
 * What is removed is this claim, by its value: if the lease has ended meanwhile, the key may be
 * another node's. */
enum state { CREATE, HELD, FOREIGN, REMOVE };

struct claim {
    struct claims *owner; /* NULL: closed */
    struct claim *next;
    enum state state;
    bool sent;    /* the call of this state is under way */
    bool dropped; /* while CREATE was */
    int failures;
    int64_t lease;
    char *key, *value;
    struct claim_sink sink;
};

struct claims {
    struct etcd *etcd;
    char node[FLEET_NODE_SIZE];
    struct claim *first; /* in the order of arrival */
    uv_timer_t *retry;
};

static void claim_free(struct claim *claim) {
    struct claim **link = claim->owner ? &claim->owner->first : NULL;
    while (link && *link && *link != claim) link = &(*link)->next;
    if (link && *link) *link = claim->next;
    free(claim->key);
    free(claim->value);
    free(claim);
}

/* ---- calls ---- */

static struct claim *find(const struct claims *claims, bool sent) {
    for (struct claim *claim = claims->first; claim; claim = claim->next) {
        bool due = claim->state == CREATE || claim->state == REMOVE;
        if (due && claim->sent == sent) return claim;
    }
    return NULL;
}

static void send_next(struct claims *claims) {
    struct claim *claim = find(claims, true) ? NULL : find(claims, false);
    if (!claim) return;
    struct etcd_request request = { .call = claim->state == CREATE ? ETCD_CREATE : ETCD_REMOVE,
                                    .lease = claim->lease,
                                    .key = claim->key,
                                    .value = claim->value };
    claim->sent = true;
    etcd_send(claims->etcd, ETCD_WRITES, &request);
}

/* ---- answers ---- */

static void enter(struct claim *claim, enum state state) {
    claim->state = state;
    claim->sent = false;
}

/* holder NULL: this node's. */
static void claim_answered(struct claim *claim, const char *holder, bool created) {
    struct claim_sink sink = claim->sink;
    enter(claim, created ? HELD : FOREIGN);
    if (!claim->dropped) {
        sink.on_answer(sink.ctx, holder);
    } else if (created) {
        enter(claim, REMOVE);
    } else {
        claim_free(claim);
    }
}

/* The call that was sent is over. */
static void call_ended(struct claims *claims, const char *holder, bool created) {
    struct claim *claim = find(claims, true);
    if (claim && claim->state == REMOVE)
        claim_free(claim);
    else if (claim)
        claim_answered(claim, holder, created);
    send_next(claims);
}

static void claims_on_retry(uv_timer_t *timer) {
    send_next(timer->data);
}

/* A key that stays would keep the others from loading as long as this node lives. */
static bool removes_again(struct claims *claims, const struct error *err) {
    struct claim *claim = find(claims, true);
    if (!claim || claim->state != REMOVE || err->code != ERR_IO) return false;
    if (++claim->failures > RETRIES) return false;
    claim->sent = false;
    uv_timer_start(claims->retry, claims_on_retry, RETRY_MS, 0);
    return true;
}

/* The node that has the key; NULL: this one, or none that can be named. */
static const char *holder_of(const struct claims *claims, yyjson_doc *doc) {
    const char *node = json_find_str(yyjson_doc_get_root(doc), "node");
    bool other = node && fleet_node_is_name(node) && strcmp(node, claims->node) != 0;
    return other ? node : NULL;
}

static void claims_on_answer(void *ctx, enum etcd_lane lane, const struct etcd_answer *answer) {
    struct claims *claims = ctx;
    struct error ignored;
    const char *value = answer->count > 0 ? answer->pairs[0].value : NULL;
    yyjson_doc *doc = value ? json_parse_object(value, strlen(value), &ignored) : NULL;
    (void)lane;
    call_ended(claims, answer->created ? NULL : holder_of(claims, doc), answer->created);
    yyjson_doc_free(doc);
}

/* etcd does not answer: a claim that waits for its own call does not wait for that, too. */
static void pass_over(struct claims *claims) {
    struct claim *claim = claims->first;
    size_t count = 0;
    for (; claim; claim = claim->next) count += claim->state == CREATE && !claim->sent;
    while (count-- > 0) {
        claim = claims->first;
        while (claim && (claim->state != CREATE || claim->sent)) claim = claim->next;
        if (claim) claim_answered(claim, NULL, false);
    }
}

static void claims_on_failure(void *ctx, enum etcd_lane lane, const struct error *err) {
    bool unknown = err->code == ERR_IO; /* it may have been created */
    (void)lane;
    if (unknown) pass_over(ctx);
    if (removes_again(ctx, err)) return;
    call_ended(ctx, NULL, unknown);
}

/* ---- claims ---- */

static char *make_value(const struct claims *claims, msec since) {
    struct buf text = BUF_INIT(VALUE_MAX);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "node", claims->node);
    yyjson_mut_obj_add_bool(doc, root, "cold", true);
    yyjson_mut_obj_add_int(doc, root, "since", since);
    (void)json_write(doc, &text);
    yyjson_mut_doc_free(doc);
    return buf_take(&text);
}

struct claim *claims_take(struct claims *claims, const char *model, int64_t lease, msec since,
                          struct claim_sink sink) {
    struct claim *claim = xcalloc(1, sizeof *claim);
    struct claim **last = &claims->first;
    while (*last) last = &(*last)->next;
    *last = claim;
    claim->owner = claims;
    claim->lease = lease;
    claim->key = xasprintf("/doze/claim/%s", model);
    claim->value = make_value(claims, since);
    claim->sink = sink;
    send_next(claims);
    return claim;
}

void claim_drop(struct claim *claim) {
    if (!claim) return;
    if (claim->owner && claim->state == CREATE && claim->sent) {
        claim->dropped = true; /* it may still be created */
    } else if (claim->owner && claim->state == HELD) {
        enter(claim, REMOVE);
        send_next(claim->owner);
    } else {
        claim_free(claim);
    }
}

struct claims *claims_new(const struct claims_config *config, struct error *err) {
    struct claims *claims = xcalloc(1, sizeof *claims);
    struct etcd_sink sink = { claims_on_answer, claims_on_failure, claims };
    (void)snprintf(claims->node, sizeof claims->node, "%s", config->node);
    claims->etcd = etcd_new(config->loop, config->endpoints, config->endpoint_count, sink, err);
    if (!claims->etcd) {
        free(claims);
        return NULL;
    }
    claims->retry = xcalloc(1, sizeof *claims->retry);
    uv_timer_init(config->loop, claims->retry);
    claims->retry->data = claims;
    return claims;
}

static void retry_on_closed(uv_handle_t *handle) {
    free(handle);
}

void claims_close(struct claims *claims) {
    if (!claims) return;
    while (claims->first) {
        struct claim *claim = claims->first;
        struct claim_sink sink = claim->sink;
        bool ours = claim->dropped || claim->state == REMOVE, waits = claim->state == CREATE;
        claims->first = claim->next;
        claim->owner = NULL;
        enter(claim, ours ? REMOVE : FOREIGN);
        if (ours)
            claim_free(claim);
        else if (waits)
            sink.on_answer(sink.ctx, NULL);
    }
    etcd_close(claims->etcd);
    uv_close((uv_handle_t *)claims->retry, retry_on_closed);
    free(claims);
}
