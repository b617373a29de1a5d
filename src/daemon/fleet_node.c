/* SPDX-License-Identifier: MIT */
#include "daemon/fleet_node_own.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/fleet_entries.h"
#include "daemon/fleet_facts.h"
#include "daemon/listeners.h"
#include "fleet/forward.h"

enum {
    GATHER_MS = 20, /* changes that come together are published together */
    LOOK_MS = 3000, /* at the free memory */
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

void fleet_node_publish(struct fleet_node *node) {
    struct fleet_entries entries = entries_of(node, NULL);
    fleet_entries_put(&entries, node->models_changed);
    node->models_changed = false;
}

void fleet_node_fill(struct fleet_node *node, struct fleet_table *table) {
    struct fleet_entries entries = entries_of(node, table);
    fleet_entries_put(&entries, true);
}

static void node_on_timer(uv_timer_t *timer) {
    struct fleet_node *node = timer->data;
    if (!node->fleet) return;
    fleet_node_publish(node);
    fleet_node_save_prompts(node, false);
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

size_t fleet_node_count(const struct fleet_node *node) {
    return fleet_table_nodes(membership_table(fleet_membership(node->fleet)));
}

static void node_on_news(void *ctx, unsigned news) {
    const struct fleet_node *node = ctx;
    struct membership_status status = membership_status(fleet_membership(node->fleet));
    size_t count = fleet_node_count(node);
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
    fleet_node_publish(node);
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
    /* With another key prompts have other hashes. */
    if (node->fleet && strcmp(next->key, node->settings.key) != 0)
        fleet_node_forget_prompts(node, NULL);
    node->settings = *next;
    node->models_changed = true; /* their adapters are settings */
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
    fleet_node_read_prompts(node);
    return node;
}

/* ---- the end ---- */

void fleet_node_leave(struct fleet_node *node) {
    if (!node || node->left) return;
    node->left = true;
    uv_timer_stop(&node->gather);
    uv_timer_stop(&node->look);
    if (!node->fleet) return;
    fleet_node_save_prompts(node, true);
    fleet_leave(node->fleet);
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
