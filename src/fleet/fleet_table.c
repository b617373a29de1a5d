/* SPDX-License-Identifier: MIT */
#include "fleet/fleet_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"

static const char models_prefix[] = "models/";

static void drop_findings(struct fleet_entry *entry) {
    if (!entry->findings) return;
    model_index_clear(&entry->findings->models);
    free(entry->findings->heads);
    free(entry->findings->instances);
    free(entry->findings);
    entry->findings = NULL;
}

struct fleet_findings *fleet_entry_findings(struct fleet_entry *entry) {
    if (!entry->findings) entry->findings = xcalloc(1, sizeof *entry->findings);
    return entry->findings;
}

/* Takes the document. */
static void entry_set(struct fleet_entry *entry, yyjson_doc *doc) {
    drop_findings(entry);
    yyjson_doc_free(entry->doc);
    entry->doc = doc;
    if (strncmp(entry->key, models_prefix, sizeof models_prefix - 1) == 0)
        model_index_make(&fleet_entry_findings(entry)->models, yyjson_doc_get_root(doc));
}

static void entry_clear(struct fleet_entry *entry) {
    drop_findings(entry);
    free(entry->key);
    yyjson_doc_free(entry->doc);
}

void fleet_table_clear(struct fleet_table *table) {
    for (size_t i = 0; i < table->count; i++) entry_clear(&table->list[i]);
    free(table->list);
    *table = (struct fleet_table){ 0 };
}

size_t fleet_table_from(const struct fleet_table *table, const char *key) {
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(table->list[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool fleet_table_begins(const struct fleet_table *table, size_t i, const char *with) {
    return i < table->count && strncmp(table->list[i].key, with, strlen(with)) == 0;
}

static bool is_at(const struct fleet_table *table, size_t i, const char *key) {
    return i < table->count && strcmp(table->list[i].key, key) == 0;
}

struct fleet_entry *fleet_table_entry(const struct fleet_table *table, const char *key) {
    size_t i = fleet_table_from(table, key);
    return is_at(table, i, key) ? &table->list[i] : NULL;
}

yyjson_val *fleet_table_find(const struct fleet_table *table, const char *key) {
    const struct fleet_entry *entry = fleet_table_entry(table, key);
    return entry ? yyjson_doc_get_root(entry->doc) : NULL;
}

yyjson_val *fleet_table_find_model(const struct fleet_table *table, const char *node,
                                   const char *key, size_t len) {
    char name[sizeof models_prefix + FLEET_NODE_SIZE];
    (void)snprintf(name, sizeof name, "%s%s", models_prefix, node);
    const struct fleet_entry *entry = fleet_table_entry(table, name);
    return entry ? model_index_find(&entry->findings->models, key, len) : NULL;
}

static void remove_at(struct fleet_table *table, size_t i) {
    entry_clear(&table->list[i]);
    table->count--;
    table->changes++;
    memmove(&table->list[i], &table->list[i + 1], (table->count - i) * sizeof *table->list);
}

static void insert_at(struct fleet_table *table, size_t i, const char *key, yyjson_doc *doc) {
    if (table->count == table->cap) {
        table->cap = table->cap ? 2 * table->cap : 16;
        table->list = xrealloc(table->list, table->cap * sizeof *table->list);
    }
    memmove(&table->list[i + 1], &table->list[i], (table->count - i) * sizeof *table->list);
    table->list[i] = (struct fleet_entry){ .key = xstrdup(key) };
    entry_set(&table->list[i], doc);
    table->count++;
    table->changes++;
}

void fleet_table_put(struct fleet_table *table, const char *key, const char *value) {
    struct error ignored;
    size_t i = fleet_table_from(table, key);
    yyjson_doc *doc = value ? json_parse_object(value, strlen(value), &ignored) : NULL;
    if (is_at(table, i, key)) {
        if (!doc) {
            remove_at(table, i);
            return;
        }
        entry_set(&table->list[i], doc);
        table->changes++;
    } else if (doc && table->count < FLEET_ENTRIES_MAX) {
        insert_at(table, i, key, doc);
    } else {
        yyjson_doc_free(doc);
    }
}

size_t fleet_table_nodes(const struct fleet_table *table) {
    return fleet_table_from(table, "nodes0") - fleet_table_from(table, "nodes/");
}

const char *fleet_key_node(const char *key) {
    const char *slash = strrchr(key, '/');
    return !slash || strncmp(key, "claim/", 6) == 0 ? "" : slash + 1;
}

bool fleet_node_is_name(const char *name) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789.-_";
    size_t len = strlen(name);
    return len > 0 && len < FLEET_NODE_SIZE && strspn(name, allowed) == len;
}
