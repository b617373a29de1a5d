/* SPDX-License-Identifier: MIT */
#include "fleet/published.h"

#include <math.h>
#include <nettle/base64.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "fleet/etcd_message.h"

/* ---- what this node says ---- */

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name,
                     const char *text) {
    if (text && *text)
        yyjson_mut_obj_add_str(doc, obj, name, text);
    else
        yyjson_mut_obj_add_null(doc, obj, name);
}

static void finish(yyjson_mut_doc *doc, struct buf *out) {
    (void)json_write(doc, out); /* out says whether it fits */
    yyjson_mut_doc_free(doc);
}

void published_format_node(const struct published_node *node, struct buf *out) {
    char boot[24];
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    (void)snprintf(boot, sizeof boot, "%llu", (unsigned long long)node->boot);
    add_text(doc, root, "url", node->url);
    add_text(doc, root, "version", node->version);
    add_text(doc, root, "boot_id", boot);
    yyjson_mut_obj_add_uint(doc, root, "memory_free_bytes", node->memory_free);
    yyjson_mut_obj_add_uint(doc, root, "memory_limit_bytes", node->memory_limit);
    yyjson_mut_obj_add_uint(doc, root, "device_memory_bytes", node->device_memory);
    yyjson_mut_obj_add_uint(doc, root, "parked_memory_bytes", node->parked);
    yyjson_mut_obj_add_uint(doc, root, "lend_free_bytes", node->lend_free);
    yyjson_mut_obj_add_uint(doc, root, "disk_free_bytes", node->disk_free);
    yyjson_mut_obj_add_int(doc, root, "cores", node->cores);
    add_text(doc, root, "key_fingerprint", node->key_fingerprint);
    add_text(doc, root, "proof", node->proof);
    add_text(doc, root, "auto_evict", node->auto_evict);
    yyjson_mut_obj_add_uint(doc, root, "jit_limit", node->jit_limit);
    finish(doc, out);
}

/* One file is the model; older nodes know no others. */
static void add_files(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                      const struct published_model *model) {
    const struct published_file *files = model->files;
    if (model->file_count == 1) yyjson_mut_obj_add_str(doc, obj, "path", files[0].path);
    if (model->file_count < 2) return;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, obj, "files");
    for (size_t i = 0; i < model->file_count; i++) {
        yyjson_mut_val *file = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_str(doc, file, "path", files[i].path);
        yyjson_mut_obj_add_uint(doc, file, "size_bytes", files[i].size);
        yyjson_mut_obj_add_str(doc, file, "sha256", files[i].sha256);
    }
}

static void add_model(yyjson_mut_doc *doc, yyjson_mut_val *list,
                      const struct published_model *model) {
    yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
    add_text(doc, obj, "key", model->key);
    add_text(doc, obj, "type", model_type_name(model->type));
    yyjson_mut_obj_add_uint(doc, obj, "size_bytes", model->size);
    add_text(doc, obj, "sha256", model->sha256);
    if (model->adapters) yyjson_mut_obj_add_str(doc, obj, "adapters", model->adapters);
    add_files(doc, obj, model);
}

static bool write_models(const struct published_model *models, size_t count, struct buf *out) {
    struct buf text = BUF_INIT(out->max - out->len);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "models");
    for (size_t i = 0; i < count; i++) add_model(doc, list, &models[i]);
    finish(doc, &text);
    bool fits = !text.overflowed && buf_add(out, text.data, text.len);
    buf_clear(&text);
    return fits;
}

void published_format_models(const struct published_model *models, size_t count,
                             struct buf *out) {
    while (!write_models(models, count, out) && count > 0) count -= count / 8 + 1;
}

static bool read_file(yyjson_val *obj, struct published_file *ret) {
    yyjson_val *size = yyjson_obj_get(obj, "size_bytes");
    *ret = (struct published_file){ .sha256 = json_find_str(obj, "sha256"),
                                    .path = json_find_str(obj, "path"),
                                    .size = yyjson_get_uint(size) };
    return ret->sha256 && ret->path && yyjson_is_uint(size);
}

size_t published_read_files(yyjson_val *model, struct published_file ret[PUBLISHED_FILES_MAX]) {
    yyjson_val *list = yyjson_obj_get(model, "files"), *file;
    size_t i, max;
    if (!list) return read_file(model, &ret[0]) ? 1 : 0;
    if (yyjson_arr_size(list) > PUBLISHED_FILES_MAX) return 0;
    yyjson_arr_foreach(list, i, max, file) {
        if (!read_file(file, &ret[i])) return 0;
    }
    return yyjson_arr_size(list);
}

/* With one digit: a speed changes all the time. */
static double rounded(double value) {
    return round(value * 10) / 10;
}

static void add_instance(yyjson_mut_doc *doc, yyjson_mut_val *list,
                         const struct published_instance *instance) {
    const struct instance_view *view = instance->view;
    yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
    add_text(doc, obj, "id", view->identifier);
    add_text(doc, obj, "type", model_type_name(view->type));
    add_text(doc, obj, "state", instance_state_name(view->state));
    add_text(doc, obj, "origin", instance_origin_name(view->origin));
    yyjson_mut_obj_add_uint(doc, obj, "running", view->running);
    yyjson_mut_obj_add_uint(doc, obj, "waiting", view->waiting);
    if (view->ttl == MSEC_NEVER)
        yyjson_mut_obj_add_null(doc, obj, "ttl");
    else
        yyjson_mut_obj_add_real(doc, obj, "ttl", (double)view->ttl / 1000);
    if (view->idle_expires_at)
        yyjson_mut_obj_add_int(doc, obj, "idle_expires_at", view->idle_expires_at);
    else
        yyjson_mut_obj_add_null(doc, obj, "idle_expires_at");
    yyjson_mut_obj_add_int(doc, obj, "context_length", view->settings->context_length);
    yyjson_mut_obj_add_int(doc, obj, "parallel", view->settings->parallel);
    yyjson_mut_obj_add_real(doc, obj, "tokens_per_second",
                            rounded(instance->tokens_per_second));
    yyjson_mut_obj_add_real(doc, obj, "load_time_seconds", rounded(view->load_time_seconds));
    yyjson_mut_obj_add_uint(doc, obj, "memory_bytes", view->memory_bytes);
}

void published_format_instances(const struct published_instance *instances, size_t count,
                                bool parked, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "instances");
    for (size_t i = 0; i < count; i++) add_instance(doc, list, &instances[i]);
    if (parked) yyjson_mut_obj_add_bool(doc, root, "parked", true);
    finish(doc, out);
}

bool published_is_parked(yyjson_val *value) {
    return yyjson_is_true(yyjson_obj_get(value, "parked"));
}

/* ---- prompts: eight bytes of each, the highest first, in base64 ---- */

enum {
    HEAD_BYTES = 8,
    HEADS_BYTES = HEAD_BYTES * HELD_PROMPTS_MAX,
    HEADS_TEXT = BASE64_ENCODE_RAW_LENGTH(HEADS_BYTES)
};

/* 64 nodes that publish all theirs each second send 2.8 MB/s to each; 1,000 would send 44. */
static size_t count_published(const struct held_prompts *held, size_t nodes) {
    bool all = nodes < PUBLISHED_MANY_NODES || held->count < PUBLISHED_PROMPTS_OF_MANY;
    return all ? held->count : PUBLISHED_PROMPTS_OF_MANY;
}

void published_format_prefixes(const struct held_prompts *held, size_t nodes, struct buf *out) {
    uint8_t bytes[HEADS_BYTES];
    char text[HEADS_TEXT];
    size_t len = count_published(held, nodes) * HEAD_BYTES;
    for (size_t i = 0; i < len; i++) {
        uint64_t head = held->list[i / HEAD_BYTES].head;
        bytes[i] = (uint8_t)(head >> (56 - 8 * (i % HEAD_BYTES)));
    }
    base64_encode_raw(text, len, bytes);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_strn(doc, root, "heads", text, BASE64_ENCODE_RAW_LENGTH(len));
    finish(doc, out);
}

size_t published_read_prefixes(yyjson_val *value, uint64_t ret_heads[HELD_PROMPTS_MAX]) {
    uint8_t bytes[BASE64_DECODE_LENGTH(HEADS_TEXT)];
    struct base64_decode_ctx ctx;
    yyjson_val *heads = yyjson_obj_get(value, "heads");
    const char *text = yyjson_get_str(heads);
    size_t len = sizeof bytes, text_len = yyjson_get_len(heads);
    if (!text || text_len > HEADS_TEXT) return 0;
    base64_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &len, bytes, text_len, text)) return 0;
    size_t count = len / HEAD_BYTES;
    for (size_t i = 0; i < count; i++) {
        ret_heads[i] = 0;
        for (size_t k = 0; k < HEAD_BYTES; k++)
            ret_heads[i] = ret_heads[i] << 8 | bytes[HEAD_BYTES * i + k];
    }
    return count;
}

/* ---- what all nodes say ---- */

enum kind { TEXT, NUMBER };
struct field {
    const char *name;
    enum kind kind;
};

static const struct field node_fields[] = {
    { "url", TEXT },
    { "version", TEXT },
    { "boot_id", TEXT },
    { "memory_free_bytes", NUMBER },
    { "memory_limit_bytes", NUMBER },
    { "device_memory_bytes", NUMBER },
    { "parked_memory_bytes", NUMBER },
    { "lend_free_bytes", NUMBER },
    { "disk_free_bytes", NUMBER },
    { "cores", NUMBER },
};
static const struct field model_fields[] = {
    { "key", TEXT }, { "type", TEXT }, { "size_bytes", NUMBER }, { "sha256", TEXT }
};
static const struct field instance_fields[] = {
    { "id", TEXT },
    { "state", TEXT },
    { "origin", TEXT },
    { "running", NUMBER },
    { "waiting", NUMBER },
    { "ttl", NUMBER },
    { "idle_expires_at", NUMBER },
    { "context_length", NUMBER },
    { "parallel", NUMBER },
    { "tokens_per_second", NUMBER },
    { "load_time_seconds", NUMBER },
    { "memory_bytes", NUMBER },
};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void copy_fields(yyjson_mut_doc *doc, yyjson_mut_val *to, yyjson_val *from,
                        const struct field *fields, size_t count) {
    for (size_t i = 0; i < count; i++) {
        yyjson_val *value = yyjson_obj_get(from, fields[i].name);
        bool fits = fields[i].kind == TEXT ? yyjson_is_str(value) : yyjson_is_num(value);
        yyjson_mut_val *copy = fits ? yyjson_val_mut_copy(doc, value) : yyjson_mut_null(doc);
        yyjson_mut_obj_add_val(doc, to, fields[i].name, copy);
    }
}

static void add_models(yyjson_mut_doc *doc, yyjson_mut_val *node, yyjson_val *published) {
    size_t i, max;
    yyjson_val *model;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, node, "models");
    yyjson_arr_foreach(yyjson_obj_get(published, "models"), i, max, model) {
        copy_fields(doc, yyjson_mut_arr_add_obj(doc, list), model, model_fields,
                    COUNT(model_fields));
    }
}

/* A node in the making, and where its instances go. */
struct shown {
    const char *name;
    yyjson_mut_val *resident, *parked;
};

/* null: neither has a key. */
static void add_same_key(yyjson_mut_doc *doc, yyjson_mut_val *node, yyjson_val *published,
                         const char *fingerprint) {
    const char *other = json_find_str(published, "key_fingerprint");
    if (!other && !fingerprint)
        yyjson_mut_obj_add_null(doc, node, "same_key");
    else
        yyjson_mut_obj_add_bool(doc, node, "same_key",
                                other && fingerprint && strcmp(other, fingerprint) == 0);
}

static struct shown add_node(const struct fleet_table *table, const struct fleet_entry *entry,
                             const char *fingerprint, yyjson_mut_doc *doc,
                             yyjson_mut_val *list) {
    char key[ETCD_KEY_MAX + 16];
    yyjson_val *published = yyjson_doc_get_root(entry->doc);
    yyjson_mut_val *node = yyjson_mut_arr_add_obj(doc, list);
    const char *name = fleet_key_node(entry->key);
    (void)snprintf(key, sizeof key, "models/%s", name);
    yyjson_mut_obj_add_strcpy(doc, node, "node", name);
    copy_fields(doc, node, published, node_fields, COUNT(node_fields));
    add_same_key(doc, node, published, fingerprint);
    add_models(doc, node, fleet_table_find(table, key));
    return (struct shown){ name, yyjson_mut_obj_add_arr(doc, node, "resident"),
                           yyjson_mut_obj_add_arr(doc, node, "parked") };
}

static int compare_name(const void *name, const void *shown) {
    return strcmp(name, ((const struct shown *)shown)->name);
}

/* "resident/<model>/<node>" */
static void add_resident(yyjson_mut_doc *doc, const struct fleet_entry *entry,
                         const struct shown *nodes, size_t count) {
    static const size_t skip = sizeof "resident/" - 1;
    const char *name = fleet_key_node(entry->key), *model = entry->key + skip;
    struct shown *node = bsearch(name, nodes, count, sizeof *nodes, compare_name);
    if (!node || name <= model) return;
    size_t i, max, len = (size_t)(name - model) - 1;
    yyjson_val *instance;
    yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(entry->doc), "instances");
    yyjson_arr_foreach(list, i, max, instance) {
        yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, node->resident);
        yyjson_mut_obj_add_strncpy(doc, obj, "model", model, len);
        copy_fields(doc, obj, instance, instance_fields, COUNT(instance_fields));
    }
    if (published_is_parked(yyjson_doc_get_root(entry->doc)))
        yyjson_mut_arr_add_strncpy(doc, node->parked, model, len);
}

yyjson_mut_val *published_list(const struct fleet_table *table, const char *key_fingerprint,
                               yyjson_mut_doc *doc) {
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    struct shown *nodes = xcalloc(table->count + 1, sizeof *nodes);
    size_t count = 0;
    for (size_t i = fleet_table_from(table, "nodes/"); fleet_table_begins(table, i, "nodes/");
         i++) {
        if (!fleet_node_is_name(table->list[i].key + sizeof "nodes/" - 1)) continue;
        nodes[count++] = add_node(table, &table->list[i], key_fingerprint, doc, list);
    }
    for (size_t i = fleet_table_from(table, "resident/");
         fleet_table_begins(table, i, "resident/"); i++)
        add_resident(doc, &table->list[i], nodes, count);
    free(nodes);
    return list;
}
