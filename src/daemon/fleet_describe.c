/* SPDX-License-Identifier: MIT */
/* fleet_describe.c - what a node says of the fleet: GET /api/v1/fleet, the page's state, the
 * metrics. */
#include "base/clock.h"
#include "base/json.h"
#include "daemon/fleet_facts.h"
#include "daemon/fleet_node_own.h"
#include "fleet/published.h"

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
    fleet_node_fill(node, &table);
    add_nodes(node, &table, doc, root);
    fleet_table_clear(&table);
}

void fleet_node_format_state(const struct fleet_node *node, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    bool on = fleet_node_is_on(node);
    yyjson_mut_obj_add_bool(doc, root, "on", on);
    add_text(doc, root, "node", node->name);
    yyjson_mut_obj_add_uint(doc, root, "nodes", on ? fleet_node_count(node) : 1);
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
    fleet_node_publish(node);
    add_etcd(node, doc, root);
    add_nodes(node, membership_table(fleet_membership(node->fleet)), doc, root);
}

/* ---- GET /metrics ---- */

void fleet_node_format_metrics(const struct fleet_node *node, struct buf *out) {
    if (!fleet_node_is_on(node)) return;
    fleet_counts_format(&node->counts, fleet_node_count(node),
                        membership_status(fleet_membership(node->fleet)).reached, out);
}
