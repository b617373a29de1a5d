/* SPDX-License-Identifier: MIT */
/* fleet_peers.c - what requests between nodes need of this one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "daemon/fleet_entries.h"
#include "daemon/fleet_models.h"
#include "daemon/fleet_node_own.h"
#include "fleet/forward.h"
#include "fleet/node_proof.h"

enum { MARK_LEN = 8 };

bool fleet_node_is_on(const struct fleet_node *node) {
    return node && node->fleet && !node->left;
}

const char *fleet_node_name(const struct fleet_node *node) {
    return node->name;
}

const char *fleet_node_key(const struct fleet_node *node) {
    return node->settings.key;
}

const struct fleet_table *fleet_node_table(const struct fleet_node *node) {
    return membership_table(fleet_membership(node->fleet));
}

bool fleet_node_knows_others(const struct fleet_node *node) {
    return membership_status(fleet_membership(node->fleet)).valid_until != 0;
}

bool fleet_node_has(const struct fleet_node *node, const char *name) {
    char key[FLEET_NODE_SIZE + 8];
    if (!fleet_node_is_on(node)) return false;
    if (!fleet_node_knows_others(node)) return true;
    (void)snprintf(key, sizeof key, "nodes/%s", name);
    return fleet_table_find(fleet_node_table(node), key) != NULL;
}

bool fleet_node_reaches_etcd(const struct fleet_node *node) {
    return membership_status(fleet_membership(node->fleet)).reached;
}

void fleet_node_ask(const struct fleet_node *node, struct fleet_question *ret) {
    ret->here = node->name;
    ret->secret = node->settings.key;
    ret->sent = node->sent;
    ret->now = clock_boottime();
    ret->unix_now = clock_unix();
}

void fleet_node_note(struct fleet_node *node, const char *to) {
    struct fleet_sent *sent = &node->sent[node->sent_next];
    node->sent_next = (node->sent_next + 1) % FLEET_SENT_MAX;
    (void)snprintf(sent->node, sizeof sent->node, "%s", to);
    sent->at = clock_boottime();
}

void fleet_node_tally(struct fleet_node *node, enum fleet_event event, const char *peer) {
    fleet_counts_add(&node->counts, event, peer);
}

void fleet_node_count_relay(struct fleet_node *node, int change) {
    node->relays += change;
}

bool fleet_node_is_relaying(const struct fleet_node *node) {
    return node && node->relays > 0;
}

/* Eight digits: the other 24 of an id are still to be guessed. */
static void make_mark(const char *name, char ret[MARK_LEN + 1]) {
    uint64_t hash = hash_add(HASH_BEGIN, name, strlen(name));
    (void)snprintf(ret, MARK_LEN + 1, "%08" PRIx32, (uint32_t)(hash ^ (hash >> 32)));
}

void fleet_node_mark(const struct fleet_node *node, char *id) {
    char mark[MARK_LEN + 1];
    if (!fleet_node_is_on(node)) return;
    make_mark(node->name, mark);
    memcpy(id, mark, MARK_LEN);
}

const char *fleet_node_of_mark(const struct fleet_node *node, const char *id) {
    char mark[MARK_LEN + 1];
    if (!fleet_node_is_on(node)) return NULL;
    const struct fleet_table *table = fleet_node_table(node);
    for (size_t i = fleet_table_from(table, "nodes/"); i < table->count; i++) {
        const char *name = table->list[i].key + sizeof "nodes/" - 1;
        if (strncmp(table->list[i].key, "nodes/", 6) != 0) break;
        make_mark(name, mark);
        if (strcmp(name, node->name) != 0 && strncmp(id, mark, MARK_LEN) == 0) return name;
    }
    return NULL;
}

struct claim *fleet_node_claim(struct fleet_node *node, const char *model,
                               struct claim_sink sink) {
    if (!fleet_node_is_on(node) || !node->claims || strlen(model) > FLEET_MODEL_KEY_MAX)
        return NULL;
    struct membership_status status = membership_status(fleet_membership(node->fleet));
    if (!status.reached || !status.lease) return NULL;
    return claims_take(node->claims, model, status.lease, clock_unix(), sink);
}

char *fleet_node_file(const struct fleet_node *node, const char *sha256) {
    return fleet_models_file(*node->config.catalog, sha256);
}

struct forwarder *fleet_node_forwarder(struct fleet_node *node, struct error *err) {
    if (!node->forwarder) node->forwarder = forwarder_new(node->config.loop, err);
    return node->forwarder;
}

char *fleet_node_make_pass(const struct fleet_node *node, const char *to, const char *method,
                           const char *path) {
    struct node_pass pass = {
        .from = node->name, .to = to, .method = method, .path = path, .at = clock_unix()
    };
    char text[NODE_PASS_SIZE];
    if (!node->settings.key[0]) return NULL;
    node_pass_format(node->settings.key, &pass, text);
    return xstrdup(text);
}

bool fleet_node_check_pass(const struct fleet_node *node, const char *pass, const char *method,
                           const char *path, struct error *err) {
    struct node_pass asked = {
        .to = node->name, .method = method, .path = path, .at = clock_unix()
    };
    return node_pass_check(node->settings.key, pass, &asked, err);
}
