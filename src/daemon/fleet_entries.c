/* SPDX-License-Identifier: MIT */
#include "daemon/fleet_entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "daemon/fleet_facts.h"
#include "daemon/fleet_models.h"
#include "daemon/settings_store.h"
#include "fleet/prefix_text.h"
#include "fleet/published.h"
#include "supervisor/park_rules.h"

/* The models that are loaded or parked. */
struct loaded {
    const struct fleet_entries *entries;
    char keys[LC_MAX_SLOTS + PARKED_MAX][ETCD_KEY_MAX]; /* of their entries */
    size_t key_count;
    uint64_t models[LC_MAX_SLOTS]; /* prefix_model of those that are loaded */
    size_t count;
};

/* value NULL: the entry goes. */
static void put(const struct fleet_entries *e, const char *key, const char *value) {
    if (e->table)
        fleet_table_put(e->table, key, value);
    else
        fleet_set(e->fleet, key, value);
}

/* A value that is too long stays as it was. Takes it. */
static void put_own(const struct fleet_entries *e, const char *kind, struct buf *value) {
    char key[FLEET_NODE_SIZE + 16];
    (void)snprintf(key, sizeof key, "%s/%s", kind, e->node);
    if (!value->overflowed) put(e, key, buf_str(value));
    buf_clear(value);
}

static void put_node(const struct fleet_entries *e) {
    struct buf value = BUF_INIT(ETCD_VALUE_MAX);
    fleet_facts_node(e->config, e->memory_free, &value);
    put_own(e, "nodes", &value);
}

static void put_models(const struct fleet_entries *e) {
    struct buf value = BUF_INIT(ETCD_VALUE_MAX);
    fleet_models_format(*e->config->catalog, settings_store_get(e->config->settings), &value);
    put_own(e, "models", &value);
}

/* ---- what is loaded ---- */

static void put_model(void *ctx, const char *model, bool resident, const char *value) {
    struct loaded *loaded = ctx;
    if (strlen(model) > FLEET_MODEL_KEY_MAX) return;
    if (resident) loaded->models[loaded->count++] = prefix_model(model, strlen(model));
    char *key = loaded->keys[loaded->key_count++];
    (void)snprintf(key, ETCD_KEY_MAX, "resident/%s/%s", model, loaded->entries->node);
    put(loaded->entries, key, value);
}

static bool is_loaded(const struct loaded *loaded, const char *key) {
    for (size_t i = 0; i < loaded->key_count; i++) {
        if (strcmp(loaded->keys[i], key) == 0) return true;
    }
    return false;
}

/* This node's entries of models that are no longer in memory. */
static void withdraw_others(const struct loaded *loaded) {
    const struct fleet_entries *e = loaded->entries;
    const struct fleet_table *table = membership_table(fleet_membership(e->fleet));
    for (size_t i = table->count; i-- > 0;) {
        const char *key = table->list[i].key;
        if (strncmp(key, "resident/", 9) != 0 || is_loaded(loaded, key)) continue;
        if (strcmp(fleet_key_node(key), e->node) != 0) continue;
        char *gone = xstrdup(key);
        put(e, gone, NULL);
        free(gone);
    }
}

/* ---- prompts ---- */

/* Without files a prompt goes with the instance that processed it. */
static void put_prefixes(const struct loaded *loaded) {
    const struct fleet_entries *e = loaded->entries;
    const struct fleet_table *table = membership_table(fleet_membership(e->fleet));
    bool stored = settings_store_get(e->config->settings)->prompt_store == PROMPT_STORE_ON;
    char key[FLEET_NODE_SIZE + 16];
    struct buf value = BUF_INIT(ETCD_VALUE_MAX);
    if (!stored) held_prompts_keep(e->held, loaded->models, loaded->count);
    if (e->held->count > 0) {
        published_format_prefixes(e->held, fleet_table_nodes(table), &value);
        put_own(e, "prefixes", &value);
        return;
    }
    (void)snprintf(key, sizeof key, "prefixes/%s", e->node);
    put(e, key, NULL);
}

void fleet_entries_put(const struct fleet_entries *entries, bool models) {
    struct loaded *loaded = xcalloc(1, sizeof *loaded);
    loaded->entries = entries;
    put_node(entries);
    if (models) put_models(entries);
    fleet_facts_instances(entries->config, put_model, loaded);
    if (!entries->table) {
        withdraw_others(loaded);
        put_prefixes(loaded);
    }
    free(loaded);
}
