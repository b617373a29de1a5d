/* SPDX-License-Identifier: MIT */
#include "fleet/fleet_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/etcd_message.h"
#include "fleet/node_proof.h"
#include "fleet/prefix_chain.h"
#include "fleet/published.h"

enum { KEY_SIZE = ETCD_KEY_MAX + 16 };
#define OVERHEAD ((nbytes)128 << 20) /* of a loaded model, beside its weights */

/* ---- what is published ---- */

static uint64_t read_uint(yyjson_val *obj, const char *name) {
    yyjson_val *value = yyjson_obj_get(obj, name);
    if (yyjson_is_uint(value)) return yyjson_get_uint(value);
    double number = yyjson_get_num(value);
    return number > 0 && number < 1e18 ? (uint64_t)number : 0;
}

static uint32_t read_u32(yyjson_val *obj, const char *name) {
    uint64_t number = read_uint(obj, name);
    return number < UINT32_MAX ? (uint32_t)number : UINT32_MAX;
}

/* Ollama's listings give a name a tag. */
#define LATEST ":latest"
static bool is_named(const char *key, const char *name) {
    size_t len = key ? strlen(key) : 0;
    if (!key || strncmp(key, name, len) != 0) return false;
    return !name[len] || strcmp(name + len, LATEST) == 0;
}

/* The entry of a model in what a node says of its disk, by its name (is_named); NULL. */
static yyjson_val *find_model(const struct fleet_table *table, const char *node,
                              const char *name) {
    size_t len = strlen(name), tag = sizeof LATEST - 1;
    yyjson_val *model = fleet_table_find_model(table, node, name, len);
    if (model || len <= tag || strcmp(name + len - tag, LATEST) != 0) return model;
    return fleet_table_find_model(table, node, name, len - tag);
}

/* With other adapters a model gives other answers. */
static bool has_same_adapters(yyjson_val *a, yyjson_val *b) {
    const char *own = json_find_str(a, "adapters"), *other = json_find_str(b, "adapters");
    return own && other ? strcmp(own, other) == 0 : own == other;
}

static bool is_same_model(yyjson_val *a, yyjson_val *b) {
    const char *sum = json_find_str(a, "sha256"), *other = json_find_str(b, "sha256");
    if (!has_same_adapters(a, b)) return false;
    if (sum && other) return strcmp(sum, other) == 0;
    return read_uint(a, "size_bytes") == read_uint(b, "size_bytes");
}

/* ---- nodes ---- */

/* Asked with every request, and answered once for each value. */
static bool proof_fits(const struct fleet_question *q, struct fleet_entry *entry,
                       const char *name, const char *url, const char *proof) {
    struct fleet_findings *findings = fleet_entry_findings(entry);
    uint64_t key = hash_add(HASH_BEGIN, q->secret, strlen(q->secret));
    if (findings->proof_known && findings->proof_key == key) return findings->proof_fits;
    findings->proof_known = true;
    findings->proof_key = key;
    findings->proof_fits = node_proof_fits(q->secret, name, url, proof);
    return findings->proof_fits;
}

static bool is_allowed(const struct fleet_question *q, const char *name,
                       struct fleet_entry *entry) {
    yyjson_val *value = yyjson_doc_get_root(entry->doc);
    const char *url = json_find_str(value, "url"), *proof = json_find_str(value, "proof");
    if (!fleet_node_is_name(name) || !url) return false;
    if (strcmp(name, q->here) == 0) return true;
    if (!q->secret[0]) return !proof;
    return proof && proof_fits(q, entry, name, url, proof);
}

static bool was_tried(const struct fleet_question *q, const char *name) {
    for (size_t i = 0; i < q->tried_count; i++) {
        if (strcmp(q->tried[i], name) == 0) return true;
    }
    return false;
}

static uint32_t count_sent(const struct fleet_question *q, const char *name) {
    msec span = strcmp(name, q->here) == 0 ? FLEET_SENT_SPAN_HERE : FLEET_SENT_SPAN;
    uint32_t count = 0;
    for (size_t i = 0; q->sent && i < FLEET_SENT_MAX; i++)
        count += q->sent[i].at > q->now - span && strcmp(q->sent[i].node, name) == 0;
    return count;
}

static enum placement_evict read_evict(yyjson_val *entry) {
    static const struct {
        const char *word;
        enum placement_evict evict;
    } words[] = { { "on", PLACEMENT_EVICT_ON },
                  { "off", PLACEMENT_EVICT_OFF },
                  { "per_type", PLACEMENT_EVICT_PER_TYPE } };
    const char *word = json_find_str(entry, "auto_evict");
    for (size_t i = 0; word && i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i].word) == 0) return words[i].evict;
    }
    return PLACEMENT_EVICT_FIT;
}

/* Without a fleet key nobody lends. */
static nbytes read_lent(const struct fleet_question *q, yyjson_val *entry) {
    return q->secret[0] ? read_uint(entry, "lend_free_bytes") : 0;
}

static struct placement_node read_node(const char *name, yyjson_val *entry) {
    return (struct placement_node){ .name = name,
                                    .id = hash_add(HASH_BEGIN, name, strlen(name)),
                                    .alive_until = MSEC_NEVER,
                                    .memory_limit = read_uint(entry, "memory_limit_bytes"),
                                    .memory_free = read_uint(entry, "memory_free_bytes"),
                                    .cores = read_u32(entry, "cores"),
                                    .gpu_memory = read_uint(entry, "device_memory_bytes"),
                                    .evict = read_evict(entry),
                                    .jit_limit = read_u32(entry, "jit_limit"),
                                    .claimed = MSEC_NEVER };
}

/* False: this node is not among them. */
static bool read_nodes(const struct fleet_table *table, const struct fleet_question *q,
                       struct fleet_view *view) {
    size_t first = fleet_table_from(table, "nodes/"), end = fleet_table_from(table, "nodes0");
    bool found = false;
    view->nodes = xcalloc(end - first + 1, sizeof *view->nodes);
    view->urls = xcalloc(end - first + 1, sizeof *view->urls);
    for (size_t i = first; i < end; i++) {
        yyjson_val *entry = yyjson_doc_get_root(table->list[i].doc);
        const char *name = table->list[i].key + sizeof "nodes/" - 1;
        uint32_t n = view->table.count;
        if (!is_allowed(q, name, &table->list[i])) continue;
        view->nodes[n] = read_node(name, entry);
        view->nodes[n].tried = was_tried(q, name);
        view->nodes[n].sent = count_sent(q, name);
        view->nodes[n].lend_free = read_lent(q, entry);
        view->urls[n] = json_find_str(entry, "url");
        if (strcmp(name, q->here) == 0) view->table.here = n;
        found = found || strcmp(name, q->here) == 0;
        view->table.count++;
    }
    view->table.nodes = view->nodes;
    return found;
}

static int compare_name(const void *name, const void *node) {
    return strcmp(name, ((const struct placement_node *)node)->name);
}

static struct placement_node *find_node(const struct fleet_view *view, const char *name) {
    return bsearch(name, view->nodes, view->table.count, sizeof *view->nodes, compare_name);
}

/* ---- instances ---- */

static enum placement_state read_state(yyjson_val *obj) {
    const char *word = json_find_str(obj, "state");
    if (word && (strcmp(word, "idle") == 0 || strcmp(word, "busy") == 0))
        return PLACEMENT_LOADED;
    return word && strcmp(word, "loading") == 0 ? PLACEMENT_LOADING : PLACEMENT_LEAVING;
}

static bool is_word(yyjson_val *obj, const char *name, const char *word) {
    const char *text = json_find_str(obj, name);
    return text && strcmp(text, word) == 0;
}

/* `expires` in Unix ms. */
static struct placement_instance read_instance(uint64_t model, yyjson_val *obj) {
    uint64_t expires = read_uint(obj, "idle_expires_at");
    double load = yyjson_get_num(yyjson_obj_get(obj, "load_time_seconds"));
    return (struct placement_instance){
        .model = model,
        .state = read_state(obj),
        .type = is_word(obj, "type", "embeddings") ? PLACEMENT_EMBEDDING : PLACEMENT_LANGUAGE,
        .pinned = is_word(obj, "origin", "explicit"),
        .bytes = read_uint(obj, "memory_bytes"),
        .slots = read_u32(obj, "parallel"),
        .running = read_u32(obj, "running"),
        .waiting = read_u32(obj, "waiting"),
        .answer_speed = read_u32(obj, "tokens_per_second"),
        .load = load > 0 && load < 1e6 ? (msec)(load * 1000) : 0,
        .expires = expires > 0 && expires < INT64_MAX / 2 ? (msec)expires : MSEC_NEVER,
    };
}

/* The model's key in "resident/<model>/<node>"; NULL: it has no node. */
static const char *model_of_entry(const struct fleet_entry *entry, size_t *ret_len) {
    const char *model = entry->key + sizeof "resident/" - 1;
    const char *name = fleet_key_node(entry->key);
    *ret_len = name > model ? (size_t)(name - model) - 1 : 0;
    return name > model ? model : NULL;
}

/* Read once for each value. */
static const struct fleet_findings *instances_of(struct fleet_entry *entry) {
    struct fleet_findings *findings = fleet_entry_findings(entry);
    yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(entry->doc), "instances"), *obj;
    size_t i, max, len;
    const char *model = model_of_entry(entry, &len);
    if (findings->instances_known || !model) return findings;
    findings->instances_known = true;
    findings->instances = xcalloc(yyjson_arr_size(list) + 1, sizeof *findings->instances);
    uint64_t hash = prefix_model(model, len);
    yyjson_arr_foreach(list, i, max, obj) {
        findings->instances[findings->instance_count++] = read_instance(hash, obj);
    }
    return findings;
}

static struct placement_node *node_of_entry(const struct fleet_view *view,
                                            const struct fleet_entry *entry) {
    return find_node(view, fleet_key_node(entry->key));
}

/* The entries of what is in memory. */
struct residents {
    struct fleet_entry *list; /* of the table */
    size_t count;
    struct placement_node **nodes; /* of each; NULL: its node is none */
};

static struct residents find_residents(const struct fleet_table *table,
                                       const struct fleet_view *view) {
    size_t first = fleet_table_from(table, "resident/");
    struct residents r = { .count = fleet_table_from(table, "resident0") - first };
    r.list = r.count > 0 ? &table->list[first] : NULL;
    r.nodes = xcalloc(r.count + 1, sizeof(struct placement_node *));
    for (size_t i = 0; i < r.count; i++) r.nodes[i] = node_of_entry(view, &r.list[i]);
    return r;
}

/* How many each node has, and where in the list its first one will be. */
static void make_room(const struct residents *r, struct fleet_view *view) {
    size_t total = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (!r->nodes[i]) continue;
        r->nodes[i]->instance_count += (uint32_t)instances_of(&r->list[i])->instance_count;
    }
    for (uint32_t n = 0; n < view->table.count; n++) total += view->nodes[n].instance_count;
    view->instances = xcalloc(total + 1, sizeof *view->instances);
    for (uint32_t n = view->table.count; n-- > 0;) {
        total -= view->nodes[n].instance_count;
        view->nodes[n].instances = &view->instances[total];
        view->nodes[n].instance_count = 0;
    }
}

/* By the other clock. */
static struct placement_instance at_question(const struct fleet_question *q,
                                             struct placement_instance instance) {
    if (instance.expires != MSEC_NEVER)
        instance.expires = q->now + (instance.expires - q->unix_now);
    return instance;
}

static void read_instances(const struct fleet_table *table, const struct fleet_question *q,
                           struct fleet_view *view) {
    struct residents r = find_residents(table, view);
    make_room(&r, view);
    for (size_t i = 0; i < r.count; i++) {
        struct placement_node *node = r.nodes[i];
        const struct fleet_findings *found = node ? instances_of(&r.list[i]) : NULL;
        size_t begin = node ? (size_t)(node->instances - view->instances) : 0;
        for (size_t k = 0; found && k < found->instance_count; k++)
            view->instances[begin + node->instance_count++] = at_question(q,
                                                                          found->instances[k]);
    }
    free(r.nodes);
}

/* ---- the model ---- */

/* With what is beside the model's own parts. */
static nbytes bytes_to_fetch(const struct fleet_view *view) {
    nbytes sum = 0;
    for (size_t i = 0; i < view->file_count; i++) {
        nbytes size = view->files[i].size;
        sum = size > UINT64_MAX - sum ? UINT64_MAX : sum + size;
    }
    return sum;
}

/* Which nodes have the file that the name means: the first such entry says what it is. */
static void find_files(const struct fleet_table *table, const struct fleet_question *q,
                       struct fleet_view *view) {
    const char *name = q->key ? q->key : q->name;
    yyjson_val *first = q->key ? find_model(table, q->here, name) : NULL;
    for (uint32_t n = 0; n < view->table.count; n++) {
        yyjson_val *model = find_model(table, view->nodes[n].name, name);
        bool here = n == view->table.here;
        if (!model && !(here && q->key)) continue;
        if (here && !q->key) continue; /* the name means nothing here */
        if (!first) first = model;
        view->nodes[n].has_file = !model || is_same_model(first, model);
    }
    view->model = first ? json_find_str(first, "key") : name;
    view->has_adapters = json_find_str(first, "adapters") != NULL;
    view->request.file = read_uint(first, "size_bytes");
    if (q->secret[0]) view->file_count = published_read_files(first, view->files);
    if (bytes_to_fetch(view) > view->request.file) view->request.file = bytes_to_fetch(view);
}

bool fleet_view_is_source(const struct fleet_table *table, const struct fleet_view *view,
                          uint32_t node) {
    struct published_file files[PUBLISHED_FILES_MAX];
    yyjson_val *model = find_model(table, view->nodes[node].name, view->model);
    size_t count = node != view->table.here ? published_read_files(model, files) : 0;
    for (size_t i = 0; i < count && i < view->file_count; i++) {
        if (strcmp(files[i].sha256, view->files[i].sha256) != 0) return false;
    }
    return count > 0 && count == view->file_count;
}

/* The rule FETCH is for nodes with room on the disk. One that has another model by this name
 * keeps that. */
static void read_disks(const struct fleet_table *table, struct fleet_view *view) {
    char key[KEY_SIZE];
    for (uint32_t n = 0; view->file_count > 0 && n < view->table.count; n++) {
        struct placement_node *node = &view->nodes[n];
        (void)snprintf(key, sizeof key, "nodes/%s", node->name);
        if (!find_model(table, node->name, view->model))
            node->disk_free = read_uint(fleet_table_find(table, key), "disk_free_bytes");
    }
}

/* The identifier of an instance elsewhere, which means that one only. */
static void find_identifier(const struct fleet_table *table, const struct fleet_question *q,
                            struct fleet_view *view) {
    size_t len, i, max;
    yyjson_val *obj;
    for (size_t e = fleet_table_from(table, "resident/");
         fleet_table_begins(table, e, "resident/"); e++) {
        const struct fleet_entry *entry = &table->list[e];
        const char *model = model_of_entry(entry, &len);
        struct placement_node *node = node_of_entry(view, entry);
        yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(entry->doc), "instances");
        if (!node || !model) continue;
        yyjson_arr_foreach(list, i, max, obj) {
            if (!is_named(json_find_str(obj, "id"), q->name)) continue;
            node->has_file = true;
            view->request.model = prefix_model(model, len);
        }
    }
}

static bool has_file(const struct fleet_view *view) {
    for (uint32_t n = 0; n < view->table.count; n++) {
        if (view->nodes[n].has_file) return true;
    }
    return false;
}

/* Loaded it takes what it takes elsewhere. */
static nbytes need_of(const struct fleet_view *view) {
    nbytes need = 0, file = view->request.file;
    for (uint32_t n = 0; n < view->table.count; n++) {
        const struct placement_node *node = &view->nodes[n];
        for (uint32_t i = 0; i < node->instance_count; i++) {
            if (node->instances[i].model != view->request.model) continue;
            if (node->instances[i].bytes > need) need = node->instances[i].bytes;
        }
    }
    if (need > 0 || file > UINT64_MAX / 2) return need > 0 ? need : file;
    return file + file / 8 + OVERHEAD;
}

/* A node that has another model by this name, or none, is not where it is loaded. */
static void forget_strangers(struct fleet_view *view) {
    for (uint32_t n = 0; n < view->table.count; n++) {
        const struct placement_node *node = &view->nodes[n];
        if (node->has_file) continue;
        size_t begin = (size_t)(node->instances - view->instances);
        for (uint32_t i = 0; i < node->instance_count; i++) {
            if (node->instances[i].model == view->request.model)
                view->instances[begin + i].model = ~view->request.model;
        }
    }
}

bool fleet_view_has_other(const struct fleet_table *table, const char *here, const char *key,
                          const char *node) {
    yyjson_val *own = find_model(table, here, key), *other = find_model(table, node, key);
    return own && other && !is_same_model(own, other);
}

/* A claim of a node that has another model by this name does not concern the request. */
static void read_claim(const struct fleet_table *table, const struct fleet_question *q,
                       struct fleet_view *view) {
    char key[KEY_SIZE];
    (void)snprintf(key, sizeof key, "claim/%s", view->model);
    yyjson_val *claim = fleet_table_find(table, key);
    const char *name = json_find_str(claim, "node");
    struct placement_node *node = name ? find_node(view, name) : NULL;
    uint64_t since = read_uint(claim, "since");
    if (!node || (!node->has_file && find_model(table, node->name, view->model))) return;
    msec age = since < INT64_MAX / 2 ? q->unix_now - (msec)since : 0;
    node->claimed = age > 0 ? q->now - age : q->now;
}

/* Of the same file: what is parked with another one does not wake for this. */
static void read_parked(const struct fleet_table *table, struct fleet_view *view) {
    char key[ETCD_KEY_MAX + KEY_SIZE];
    for (uint32_t n = 0; n < view->table.count; n++) {
        struct placement_node *node = &view->nodes[n];
        if (!node->has_file) continue;
        (void)snprintf(key, sizeof key, "resident/%s/%s", view->model, node->name);
        node->parked = published_is_parked(fleet_table_find(table, key));
    }
}

/* ---- the prompt ---- */

/* Decoded and sorted once for each value. */
static const struct fleet_findings *heads_of(struct fleet_entry *entry) {
    struct fleet_findings *findings = fleet_entry_findings(entry);
    if (findings->heads_known) return findings;
    findings->heads_known = true;
    findings->heads = xcalloc(HELD_PROMPTS_MAX, sizeof *findings->heads);
    findings->head_count = published_read_prefixes(yyjson_doc_get_root(entry->doc),
                                                   findings->heads);
    findings->heads = xrealloc(findings->heads,
                               (findings->head_count + 1) * sizeof *findings->heads);
    prefix_list_sort(findings->heads, findings->head_count);
    return findings;
}

static void read_held_at(const struct fleet_table *table, const struct prefix_marks *marks,
                         struct placement_node *node) {
    char key[KEY_SIZE];
    (void)snprintf(key, sizeof key, "prefixes/%s", node->name);
    struct fleet_entry *entry = fleet_table_entry(table, key);
    if (!entry) return;
    const struct fleet_findings *held = heads_of(entry);
    node->held = prefix_list_match(held->heads, held->head_count, marks->hashes, marks->count);
}

/* How much of it each node has. */
static void read_held(const struct fleet_table *table, const struct fleet_question *q,
                      struct fleet_view *view) {
    if (!q->marks || q->marks->count == 0) return;
    if (!fleet_table_begins(table, fleet_table_from(table, "prefixes/"), "prefixes/")) return;
    struct prefix_marks own = { .count = q->marks->count };
    own.hashes = xcalloc(own.count, sizeof *own.hashes);
    for (uint32_t i = 0; i < own.count; i++)
        own.hashes[i] = prefix_mark_of(q->marks->hashes[i], view->request.model);
    for (uint32_t n = 0; n < view->table.count; n++) {
        if (view->nodes[n].has_file) read_held_at(table, &own, &view->nodes[n]);
    }
    prefix_marks_clear(&own);
}

bool fleet_view_make(const struct fleet_table *table, const struct fleet_question *q,
                     struct fleet_view *ret) {
    *ret = (struct fleet_view){ 0 };
    if (!read_nodes(table, q, ret)) return false;
    read_instances(table, q, ret);
    ret->request =
        (struct placement_request){ .type = q->type, .prompt = q->prompt, .key = q->lot };
    ret->request.forwarded = q->forwarded;
    find_files(table, q, ret);
    read_disks(table, ret);
    ret->request.model = prefix_model(ret->model, strlen(ret->model));
    if (!has_file(ret)) find_identifier(table, q, ret);
    if (ret->request.file == 0) ret->request.file = 1;
    ret->request.need = need_of(ret);
    forget_strangers(ret);
    read_claim(table, q, ret);
    read_parked(table, ret);
    read_held(table, q, ret);
    return true;
}

void fleet_view_clear(struct fleet_view *view) {
    free(view->nodes);
    free(view->urls);
    free(view->instances);
    *view = (struct fleet_view){ 0 };
}

void fleet_view_choose(struct fleet_view *view, msec now, struct placement *ret) {
    placement_choose(&view->table, &view->request, now, ret);
    bool memory = ret->refusal == PLACEMENT_TOO_LARGE || ret->refusal == PLACEMENT_NO_ROOM;
    if (ret->where != PLACEMENT_REFUSE || !memory) return;
    view->request.need = 0;
    for (uint32_t n = 0; n < view->table.count; n++) view->nodes[n].evict = PLACEMENT_EVICT_FIT;
    placement_choose(&view->table, &view->request, now, ret);
}
