/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static void copy(char to[WORLD_TEXT], const char *text) {
    assert(strlen(text) < WORLD_TEXT);
    (void)snprintf(to, WORLD_TEXT, "%s", text);
}

/* ---- the store ---- */

static struct world_pair *find(struct world *w, const char *key) {
    for (size_t i = 0; i < w->pair_count; i++) {
        if (strcmp(w->pairs[i].key, key) == 0) return &w->pairs[i];
    }
    return NULL;
}

static struct world_lease *find_lease(struct world *w, int64_t id) {
    for (size_t i = 0; i < w->lease_count; i++) {
        if (w->leases[i].id == id) return &w->leases[i];
    }
    return NULL;
}

static void note_change(struct world *w, const struct world_pair *pair, bool removed) {
    assert(w->change_count < WORLD_LIST);
    struct world_pair *note = &w->changes[w->change_count++];
    *note = *pair;
    note->removed = removed;
    note->revision = ++w->revision;
}

static void put(struct world *w, const char *key, const char *value, int64_t lease) {
    struct world_pair *pair = find(w, key);
    if (!pair) {
        assert(w->pair_count < WORLD_LIST);
        pair = &w->pairs[w->pair_count++];
    }
    copy(pair->key, key);
    copy(pair->value, value);
    pair->lease = lease;
    note_change(w, pair, false);
}

static void drop(struct world *w, const char *key) {
    struct world_pair *pair = find(w, key);
    if (!pair) return;
    note_change(w, pair, true);
    *pair = w->pairs[--w->pair_count];
}

static void end_lease(struct world *w, struct world_lease *lease) {
    int64_t id = lease->id;
    *lease = w->leases[--w->lease_count];
    for (size_t i = w->pair_count; i-- > 0;) {
        if (w->pairs[i].lease == id) drop(w, w->pairs[i].key);
    }
}

static void expire(struct world *w) {
    for (size_t i = w->lease_count; i-- > 0 && !w->down;) {
        if (w->leases[i].expires <= w->now) end_lease(w, &w->leases[i]);
    }
}

/* ---- answers ---- */

static struct etcd_answer answer_of(const struct world *w) {
    return (struct etcd_answer){ .cluster = w->cluster, .revision = w->revision };
}

static void add_pair(struct etcd_answer *answer, const struct world_pair *pair) {
    size_t size = (answer->count + 1) * sizeof *answer->pairs;
    answer->pairs = xrealloc(answer->pairs, size);
    answer->pairs[answer->count++] =
        (struct etcd_pair){ xstrdup(pair->key), pair->removed ? NULL : xstrdup(pair->value) };
}

static struct etcd_answer grant(struct world *w, const struct etcd_request *request) {
    struct etcd_answer answer = answer_of(w);
    struct world_lease *lease = &w->leases[w->lease_count++];
    *lease = (struct world_lease){ ++w->next_lease, w->now + request->ttl * 1000 };
    answer.lease = lease->id;
    answer.ttl = request->ttl;
    return answer;
}

static struct etcd_answer keep_alive(struct world *w, const struct etcd_request *request) {
    struct etcd_answer answer = answer_of(w);
    struct world_lease *lease = find_lease(w, request->lease);
    answer.lease = request->lease;
    if (!lease) return answer;
    lease->expires = w->now + 10000;
    answer.ttl = 10;
    return answer;
}

static struct etcd_answer range(struct world *w, const struct etcd_request *request) {
    struct etcd_answer answer = answer_of(w);
    for (size_t i = 0; i < w->pair_count; i++) {
        if (strncmp(w->pairs[i].key, request->key, strlen(request->key)) == 0)
            add_pair(&answer, &w->pairs[i]);
    }
    return answer;
}

/* False: its lease is dead. */
static bool change(struct world *w, const struct etcd_request *request,
                   struct etcd_answer *answer) {
    struct world_pair *pair = find(w, request->key);
    if (request->call == ETCD_REMOVE) {
        drop(w, request->key);
    } else if (!find_lease(w, request->lease)) {
        return false;
    } else if (request->call == ETCD_CREATE && pair) {
        add_pair(answer, pair);
        return true;
    } else {
        put(w, request->key, request->value, request->lease);
        answer->created = true;
    }
    answer->revision = w->revision;
    return true;
}

/* What the node's watch has not told yet. */
static void tell(struct world *w, struct world_node *node) {
    struct etcd_answer answer = answer_of(w);
    if (!node->watch || node->deaf || node->cut || w->down) return;
    for (size_t i = 0; i < w->change_count; i++) {
        if (w->changes[i].revision >= node->watch) add_pair(&answer, &w->changes[i]);
    }
    if (answer.count > 0) {
        node->watch = w->revision + 1;
        membership_answer(node->m, ETCD_WATCHES, &answer, w->now);
    }
    etcd_answer_clear(&answer);
}

static void fail(struct world *w, struct world_node *node, enum etcd_lane lane,
                 enum err_code code) {
    struct error err;
    error_set(&err, code, "etcd is away");
    membership_failure(node->m, lane, &err, w->now);
}

static void answer_call(struct world *w, struct world_node *node, enum etcd_lane lane,
                        const struct etcd_request *request) {
    struct etcd_answer answer = answer_of(w);
    bool ok = true;
    switch (request->call) {
    case ETCD_GRANT:
        answer = grant(w, request);
        break;
    case ETCD_KEEPALIVE:
        answer = keep_alive(w, request);
        break;
    case ETCD_PUT:
    case ETCD_CREATE:
    case ETCD_REMOVE:
        ok = change(w, request, &answer);
        break;
    case ETCD_RANGE:
        answer = range(w, request);
        break;
    case ETCD_WATCH:
        node->watch = request->revision;
        answer.created = true;
        break;
    case ETCD_REVOKE:
        assert(!"no node revokes a lease that it holds");
    }
    if (ok)
        membership_answer(node->m, lane, &answer, w->now);
    else
        fail(w, node, lane, ERR_NOT_FOUND);
    etcd_answer_clear(&answer);
}

/* ---- nodes ---- */

static void note_call(struct world *w, int node, const struct etcd_request *request) {
    assert(w->call_count < WORLD_LIST);
    struct world_call *call = &w->calls[w->call_count++];
    *call = (struct world_call){ .at = w->now, .node = node, .request = *request };
    copy(call->key, request->key ? request->key : "");
}

static void note_news(struct world_node *node) {
    unsigned news = membership_take_news(node->m);
    node->joined += (news & MEMBERSHIP_JOINED) != 0;
    node->alone += (news & MEMBERSHIP_ALONE) != 0;
    node->taken += (news & MEMBERSHIP_NAME_TAKEN) != 0;
}

static bool pump(struct world *w, int i) {
    struct world_node *node = &w->nodes[i];
    enum etcd_lane lane;
    struct etcd_request request;
    bool any = false;
    while (node->m && membership_next(node->m, w->now, &lane, &request)) {
        any = true;
        note_call(w, i, &request);
        if (w->down || node->cut)
            fail(w, node, lane, ERR_IO);
        else
            answer_call(w, node, lane, &request);
    }
    if (node->m) note_news(node);
    return any;
}

static void settle(struct world *w) {
    bool any = true;
    expire(w);
    while (any) {
        any = false;
        for (int i = 0; i < WORLD_NODES; i++) any = pump(w, i) || any;
        for (int i = 0; i < WORLD_NODES; i++) {
            if (w->nodes[i].m) tell(w, &w->nodes[i]);
        }
    }
}

static msec next_event(const struct world *w, msec end) {
    msec next = end;
    for (int i = 0; i < WORLD_NODES; i++) {
        msec due = w->nodes[i].m ? membership_deadline(w->nodes[i].m) : MSEC_NEVER;
        if (due < next) next = due;
    }
    for (size_t i = 0; i < w->lease_count && !w->down; i++) {
        if (w->leases[i].expires < next) next = w->leases[i].expires;
    }
    return next > w->now ? next : w->now + 1;
}

void world_run(struct world *w, msec span) {
    msec end = w->now + span;
    settle(w);
    while (w->now < end) {
        w->now = next_event(w, end);
        settle(w);
    }
}

struct world *world_new(void) {
    struct world *w = xcalloc(1, sizeof *w);
    w->now = 1000;
    w->cluster = 7;
    return w;
}

void world_free(struct world *w) {
    for (int i = 0; i < WORLD_NODES; i++) membership_free(w->nodes[i].m);
    free(w);
}

void world_start(struct world *w, int node, const char *name, const char *url) {
    char key[WORLD_TEXT], value[WORLD_TEXT];
    struct membership *m = membership_new(name, (uint64_t)node + 1, w->now);
    w->nodes[node] = (struct world_node){ .m = m };
    (void)snprintf(key, sizeof key, "nodes/%s", name);
    (void)snprintf(value, sizeof value, "{\"url\":\"%s\"}", url);
    membership_set(m, key, value);
    (void)snprintf(key, sizeof key, "models/%s", name);
    membership_set(m, key, "{\"models\":[]}");
}

void world_kill(struct world *w, int node) {
    membership_free(w->nodes[node].m);
    w->nodes[node] = (struct world_node){ 0 };
}

void world_wipe(struct world *w) {
    w->cluster++;
    w->revision = 1;
    w->pair_count = w->change_count = w->lease_count = 0;
}

void world_revoke(struct world *w, int node) {
    int64_t id = membership_status(w->nodes[node].m).lease;
    end_lease(w, find_lease(w, id));
}

void world_put(struct world *w, const char *key, const char *value) {
    if (value)
        put(w, key, value, 0);
    else
        drop(w, key);
}

void world_compact(struct world *w, int node) {
    struct etcd_answer answer = answer_of(w);
    answer.canceled = true;
    w->nodes[node].watch = 0;
    membership_answer(w->nodes[node].m, ETCD_WATCHES, &answer, w->now);
}

/* ---- questions ---- */

bool world_knows(const struct world *w, int node, const char *key) {
    return fleet_table_find(membership_table(w->nodes[node].m), key) != NULL;
}

bool world_has(const struct world *w, const char *key) {
    return find((struct world *)w, key) != NULL;
}

int world_calls(const struct world *w, int node, enum etcd_call call, const char *key,
                msec since) {
    int count = 0;
    for (size_t i = 0; i < w->call_count; i++) {
        const struct world_call *c = &w->calls[i];
        count += c->node == node && c->request.call == call && c->at >= since &&
                 (!*key || strcmp(c->key, key) == 0);
    }
    return count;
}
