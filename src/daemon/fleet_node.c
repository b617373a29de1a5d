/* SPDX-License-Identifier: MIT */
#include "daemon/fleet_node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/fleet_entries.h"
#include "daemon/fleet_facts.h"
#include "daemon/fleet_models.h"
#include "daemon/listeners.h"
#include "daemon/settings_store.h"
#include "fleet/fleet.h"
#include "fleet/fleet_view.h"
#include "fleet/forward.h"
#include "fleet/node_proof.h"
#include "fleet/prefix_text.h"
#include "fleet/published.h"

enum {
    GATHER_MS = 20, /* changes that come together are published together */
    LOOK_MS = 3000, /* at the free memory */
    MARK_LEN = 8,
};

struct fleet_node {
    struct fleet_node_config config;
    struct fleet_settings settings; /* in force */
    char name[FLEET_NODE_SIZE];
    struct fleet *fleet;   /* NULL: no fleet */
    struct claims *claims; /* likewise */
    uv_timer_t gather, look;
    nbytes memory_free; /* as published */
    bool models_changed, warned, left;
    struct forwarder *forwarder; /* NULL: not needed yet */
    struct fleet_sent sent[FLEET_SENT_MAX];
    size_t sent_next; /* in a ring */
    struct fleet_counts counts;
    int relays;
    struct held_prompts held;
};

/* ---- what this node publishes ---- */

/* table: NULL if it goes to the fleet. */
static struct fleet_entries entries_of(struct fleet_node *node, struct fleet_table *table) {
    return (struct fleet_entries){ .config = &node->config,
                                   .node = node->name,
                                   .fleet = table ? NULL : node->fleet,
                                   .table = table,
                                   .memory_free = &node->memory_free,
                                   .held = &node->held };
}

static void publish(struct fleet_node *node) {
    struct fleet_entries entries = entries_of(node, NULL);
    fleet_entries_put(&entries, node->models_changed);
    node->models_changed = false;
}

static void node_on_timer(uv_timer_t *timer) {
    struct fleet_node *node = timer->data;
    if (node->fleet) publish(node);
}

void fleet_node_touch(struct fleet_node *node) {
    if (!node || !node->fleet || node->left) return;
    if (!uv_is_active((uv_handle_t *)&node->gather))
        uv_timer_start(&node->gather, node_on_timer, GATHER_MS, 0);
}

void fleet_node_catalog_changed(struct fleet_node *node) {
    if (!node) return;
    node->models_changed = true;
    fleet_node_touch(node);
}

/* ---- news ---- */

static size_t count_nodes(const struct fleet_node *node) {
    const struct fleet_table *table = membership_table(fleet_membership(node->fleet));
    return fleet_table_from(table, "nodes0") - fleet_table_from(table, "nodes/");
}

static void node_on_news(void *ctx, unsigned news) {
    const struct fleet_node *node = ctx;
    struct membership_status status = membership_status(fleet_membership(node->fleet));
    size_t count = count_nodes(node);
    if (news & MEMBERSHIP_JOINED) {
        log_info("fleet: '%s' is one of %zu node%s, by etcd at %s", node->name, count,
                 count == 1 ? "" : "s", fleet_endpoint(node->fleet));
    }
    if (news & MEMBERSHIP_ALONE) {
        log_warn("fleet: no etcd answers (%s); '%s' serves alone and keeps trying", status.why,
                 node->name);
    }
    if (news & MEMBERSHIP_NAME_TAKEN) {
        log_warn("fleet: the server at %s has the node name '%s', so the others do not see "
                 "this one; give it another name with `doze settings set fleet "
                 "'{\"node\":\"...\"}'`",
                 status.rival, node->name);
    }
}

static void node_on_change(void *ctx) {
    const struct fleet_node *node = ctx;
    node->config.on_change(node->config.ctx);
}

/* ---- on and off ---- */

static size_t list_urls(char *urls, const char *list[FLEET_ETCD_MAX]) {
    size_t count = 0;
    char *rest = NULL;
    for (char *url = strtok_r(urls, " ", &rest); url && count < FLEET_ETCD_MAX;
         url = strtok_r(NULL, " ", &rest))
        list[count++] = url;
    return count;
}

static void warn_of_loopback(struct fleet_node *node) {
    const char *host;
    (void)listeners_named_port(node->config.listeners, &host);
    if (node->settings.url[0] || !listeners_is_loopback(host) || node->warned) return;
    node->warned = true;
    log_warn(
        "fleet: the server listens on loopback, where nodes on other machines cannot reach "
        "it; serve with --host, and set fleet.url if they reach it by another address");
}

static void open_fleet(struct fleet_node *node) {
    struct error err;
    const char *endpoints[FLEET_ETCD_MAX];
    char *urls = xstrdup(node->settings.etcd);
    struct fleet_config config = {
        .loop = node->config.loop,
        .node = node->name,
        .endpoints = endpoints,
        .endpoint_count = list_urls(urls, endpoints),
        .seed = hash_add(node->config.boot, node->name, strlen(node->name)),
        .on_news = node_on_news,
        .on_change = node_on_change,
        .ctx = node,
    };
    struct claims_config claims = { .loop = config.loop,
                                    .node = node->name,
                                    .endpoints = endpoints,
                                    .endpoint_count = config.endpoint_count };
    node->fleet = fleet_new(&config, &err);
    node->claims = node->fleet ? claims_new(&claims, &err) : NULL;
    free(urls);
    if (!node->fleet) {
        log_warn("fleet: %s", err.text);
        return;
    }
    warn_of_loopback(node);
    node->models_changed = true;
    publish(node);
    uv_timer_start(&node->look, node_on_timer, LOOK_MS, LOOK_MS);
}

static void close_fleet(struct fleet_node *node) {
    uv_timer_stop(&node->gather);
    uv_timer_stop(&node->look);
    claims_close(node->claims);
    fleet_close(node->fleet);
    node->fleet = NULL;
    node->claims = NULL;
}

void fleet_node_settings_changed(struct fleet_node *node) {
    if (!node) return;
    const struct fleet_settings *next = &settings_store_get(node->config.settings)->fleet;
    bool same = strcmp(next->etcd, node->settings.etcd) == 0 &&
                strcmp(next->node, node->settings.node) == 0;
    node->settings = *next;
    if (same) {
        fleet_node_touch(node);
        return;
    }
    close_fleet(node);
    fleet_facts_name(&node->config, node->name, sizeof node->name);
    if (next->etcd[0]) open_fleet(node);
    node->config.on_change(node->config.ctx);
}

struct fleet_node *fleet_node_new(const struct fleet_node_config *config) {
    struct fleet_node *node = xcalloc(1, sizeof *node);
    node->config = *config;
    uv_timer_init(config->loop, &node->gather);
    uv_timer_init(config->loop, &node->look);
    node->gather.data = node->look.data = node;
    fleet_facts_name(config, node->name, sizeof node->name);
    fleet_node_settings_changed(node);
    return node;
}

/* ---- requests between nodes ---- */

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

/* Eight digits: who guesses an id has the other 24 to guess. */
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

const char *fleet_node_secret(const struct fleet_node *node) {
    return fleet_node_is_on(node) ? node->settings.key : NULL;
}

struct held_prompt fleet_node_prompt(const char *model, const struct prefix_marks *marks) {
    uint64_t number = prefix_model(model, strlen(model));
    return (struct held_prompt){
        .model = number, .head = prefix_mark_of(marks->hashes[marks->count - 1], number)
    };
}

void fleet_node_hold(struct fleet_node *node, struct held_prompt prompt) {
    if (prompt.head == 0 || !fleet_node_is_on(node)) return;
    held_prompts_add(&node->held, prompt);
    fleet_node_touch(node);
}

void fleet_node_forget_prompts(struct fleet_node *node, const char *model) {
    if (!node) return;
    if (model)
        held_prompts_drop(&node->held, prefix_model(model, strlen(model)));
    else
        node->held.count = 0;
    fleet_node_touch(node);
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

/* ---- the end ---- */

void fleet_node_leave(struct fleet_node *node) {
    if (!node || node->left) return;
    node->left = true;
    uv_timer_stop(&node->gather);
    uv_timer_stop(&node->look);
    if (node->fleet) fleet_leave(node->fleet);
}

static void node_on_look_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void node_on_gather_closed(uv_handle_t *handle) {
    struct fleet_node *node = handle->data;
    uv_close((uv_handle_t *)&node->look, node_on_look_closed);
}

void fleet_node_close(struct fleet_node *node) {
    if (!node) return;
    close_fleet(node);
    forwarder_close(node->forwarder);
    uv_close((uv_handle_t *)&node->gather, node_on_gather_closed);
}

/* ---- GET /api/v1/fleet ---- */

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name,
                     const char *text) {
    if (text && *text)
        yyjson_mut_obj_add_strcpy(doc, obj, name, text);
    else
        yyjson_mut_obj_add_null(doc, obj, name);
}

/* Unix ms of a time on the other clock. */
static msec unix_of(msec at) {
    return clock_unix() - (clock_boottime() - at);
}

static void add_etcd(const struct fleet_node *node, yyjson_mut_doc *doc, yyjson_mut_val *root) {
    struct membership_status status = membership_status(fleet_membership(node->fleet));
    yyjson_mut_val *etcd = yyjson_mut_obj_add_obj(doc, root, "etcd");
    add_text(doc, etcd, "url", fleet_endpoint(node->fleet));
    yyjson_mut_obj_add_bool(doc, etcd, "reached", status.reached);
    yyjson_mut_obj_add_int(doc, etcd, "since", unix_of(status.since));
    if (status.valid_until)
        yyjson_mut_obj_add_int(doc, etcd, "valid_until", unix_of(status.valid_until));
    else
        yyjson_mut_obj_add_null(doc, etcd, "valid_until");
    add_text(doc, etcd, "problem", status.why);
    add_text(doc, etcd, "name_taken_by", status.rival);
}

static void add_nodes(struct fleet_node *node, const struct fleet_table *table,
                      yyjson_mut_doc *doc, yyjson_mut_val *root) {
    char fingerprint[FLEET_FINGERPRINT_SIZE];
    const char *key = settings_store_get(node->config.settings)->fleet.key;
    fleet_fingerprint(key, fingerprint);
    yyjson_mut_obj_add_val(doc, root, "nodes",
                           published_list(table, *key ? fingerprint : NULL, doc));
}

/* Without a fleet, what this node would publish. */
static void add_only_node(struct fleet_node *node, yyjson_mut_doc *doc, yyjson_mut_val *root) {
    struct fleet_table table = { 0 };
    struct fleet_entries entries = entries_of(node, &table);
    fleet_entries_put(&entries, true);
    add_nodes(node, &table, doc, root);
    fleet_table_clear(&table);
}

void fleet_node_format_state(const struct fleet_node *node, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    bool on = fleet_node_is_on(node);
    yyjson_mut_obj_add_bool(doc, root, "on", on);
    add_text(doc, root, "node", node->name);
    yyjson_mut_obj_add_uint(doc, root, "nodes", on ? count_nodes(node) : 1);
    yyjson_mut_obj_add_bool(doc, root, "reached",
                            on && membership_status(fleet_membership(node->fleet)).reached);
    (void)json_write(doc, out);
    yyjson_mut_doc_free(doc);
}

void fleet_node_describe(struct fleet_node *node, yyjson_mut_doc *doc, yyjson_mut_val *root) {
    add_text(doc, root, "node", node->name);
    if (!node->fleet) {
        yyjson_mut_obj_add_null(doc, root, "etcd");
        add_only_node(node, doc, root);
        return;
    }
    publish(node);
    add_etcd(node, doc, root);
    add_nodes(node, membership_table(fleet_membership(node->fleet)), doc, root);
}

/* ---- GET /metrics ---- */

void fleet_node_format_metrics(const struct fleet_node *node, struct buf *out) {
    if (!fleet_node_is_on(node)) return;
    fleet_counts_format(&node->counts, count_nodes(node),
                        membership_status(fleet_membership(node->fleet)).reached, out);
}
