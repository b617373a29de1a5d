/* SPDX-License-Identifier: MIT */
#include "cli/show.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/table.h"
#include "cli/text.h"

enum { MAX_OUTPUT = 64 << 20 };

/* "4m12s / 5m": what is left of how much. All is left while the instance works. */
static void ttl_format(const struct listed_instance *instance, char *text, size_t size) {
    char left[DURATION_TEXT], whole[DURATION_TEXT];
    if (instance->ttl == MSEC_NEVER) {
        snprintf(text, size, "none");
        return;
    }
    duration_format(instance->expires_in == MSEC_NEVER ? instance->ttl : instance->expires_in,
                    left);
    duration_format(instance->ttl, whole);
    snprintf(text, size, "%s / %s", left, whole);
}

/* "3 (24.00 MB), 5 hits": what its prompt store has, and how often that was used, if it was. */
static void prompts_format(const struct listed_instance *instance, char *text, size_t size) {
    char bytes[SIZE_TEXT];
    long long hits = instance->prompt_hits;
    size_format(instance->prompt_bytes, bytes);
    int len = snprintf(text, size, "%lld (%s)", (long long)instance->prompts_kept, bytes);
    if (hits > 0)
        snprintf(text + len, size - (size_t)len, ", %lld %s", hits, hits == 1 ? "hit" : "hits");
}

static void show_add_row(struct table *table, const struct listed_instance *instance,
                         nbytes model_bytes) {
    char status[STATUS_TEXT], size[SIZE_TEXT], number[24], ttl[2 * DURATION_TEXT + 4];
    char prompts[SIZE_TEXT + 64];
    instance_status(instance, status);
    size_format(instance->memory_bytes ? instance->memory_bytes : model_bytes, size);
    ttl_format(instance, ttl, sizeof ttl);
    prompts_format(instance, prompts, sizeof prompts);
    table_add(table, instance->id);
    table_add(table, instance->model_key);
    table_add(table, status);
    table_add(table, size);
    snprintf(number, sizeof number, "%lld", (long long)instance->context_length);
    table_add(table, instance->context_length ? number : "");
    snprintf(number, sizeof number, "%lld", (long long)instance->parallel);
    table_add(table, instance->parallel ? number : "");
    table_add(table, ttl);
    table_add(table, instance->prompts_kept || instance->prompt_hits ? prompts : "");
}

/* The last column, which only a machine with a graphics card has. */
static void add_device(struct table *table, const struct listed_instance *instance) {
    char size[SIZE_TEXT], text[200] = "";
    size_format(instance->device_memory_bytes, size);
    if (instance->device_memory_bytes > 0)
        snprintf(text, sizeof text, "%.120s (%s)", instance->device, size);
    table_add(table, text);
}

static bool any_on_device(const struct inventory *inv) {
    for (size_t i = 0; i < inv->instance_count; i++) {
        if (inv->instances[i].device_memory_bytes > 0) return true;
    }
    return false;
}

/* TTL: until its worker ends, too. */
static void add_parked_row(struct table *table, const struct listed_parked *parked,
                           bool devices) {
    char size[SIZE_TEXT], left[DURATION_TEXT];
    msec span = parked->expires_at - clock_unix();
    size_format(parked->memory_bytes, size);
    duration_format(span > 0 ? span : 0, left);
    table_add(table, parked->model_key);
    table_add(table, parked->model_key);
    table_add(table, "PARKED");
    table_add(table, size);
    table_add(table, "");
    table_add(table, "");
    table_add(table, parked->expires_at ? left : "none");
    table_add(table, "");
    if (devices) table_add(table, "");
}

void show_instances(const struct inventory *inv) {
    static const char *const header[] = { "IDENTIFIER", "MODEL", "STATUS",  "SIZE",  "CONTEXT",
                                          "PARALLEL",   "TTL",   "PROMPTS", "DEVICE" };
    struct table table;
    bool devices = any_on_device(inv);
    table_init(&table, header, sizeof header / sizeof header[0] - !devices);
    for (size_t m = 0; m < inv->model_count; m++) {
        const struct listed_model *model = &inv->models[m];
        for (size_t i = 0; i < model->instance_count; i++) {
            const struct listed_instance *row = &inv->instances[model->first_instance + i];
            show_add_row(&table, row, model->size_bytes);
            if (devices) add_device(&table, row);
        }
    }
    for (size_t i = 0; i < inv->parked_count; i++)
        add_parked_row(&table, &inv->parked[i], devices);
    table_show(&table);
}

static void add_span(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name, msec span) {
    if (span == MSEC_NEVER) {
        yyjson_mut_obj_add_null(doc, obj, name);
    } else {
        yyjson_mut_obj_add_int(doc, obj, name, span);
    }
}

/* The fields that LM Studio's `lms ps --json` has. */
static void add_lms_fields(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                           const struct listed_model *model,
                           const struct listed_instance *instance) {
    bool busy = strcmp(instance->state, "busy") == 0;
    yyjson_mut_obj_add_str(doc, obj, "type", model->type);
    yyjson_mut_obj_add_str(doc, obj, "modelKey", model->key);
    yyjson_mut_obj_add_str(doc, obj, "identifier", instance->id);
    yyjson_mut_obj_add_str(doc, obj, "displayName", model->display_name);
    yyjson_mut_obj_add_str(doc, obj, "publisher", model->publisher);
    yyjson_mut_obj_add_str(doc, obj, "path", model->path);
    yyjson_mut_obj_add_str(doc, obj, "architecture", model->architecture);
    yyjson_mut_obj_add_uint(doc, obj, "sizeBytes", model->size_bytes);
    yyjson_mut_obj_add_int(doc, obj, "contextLength", instance->context_length);
    yyjson_mut_obj_add_int(doc, obj, "maxContextLength", model->max_context_length);
    yyjson_mut_obj_add_str(doc, obj, "status", busy ? "generating" : instance->state);
    yyjson_mut_obj_add_int(doc, obj, "queued", instance->waiting);
    yyjson_mut_obj_add_int(doc, obj, "parallel", instance->parallel);
    add_span(doc, obj, "ttlMs", instance->ttl);
    yyjson_mut_obj_add_int(doc, obj, "lastUsedTime", instance->last_used_at);
}

static void add_own_fields(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                           const struct listed_instance *instance) {
    yyjson_mut_obj_add_str(doc, obj, "origin", instance->origin);
    yyjson_mut_obj_add_int(doc, obj, "running", instance->running);
    add_span(doc, obj, "idleExpiresInMs", instance->expires_in);
    yyjson_mut_obj_add_real(doc, obj, "loadProgress", instance->progress);
    yyjson_mut_obj_add_real(doc, obj, "loadTimeSeconds", instance->load_time_seconds);
    yyjson_mut_obj_add_uint(doc, obj, "memoryBytes", instance->memory_bytes);
    if (*instance->device) {
        yyjson_mut_obj_add_str(doc, obj, "device", instance->device);
        yyjson_mut_obj_add_uint(doc, obj, "deviceMemoryBytes", instance->device_memory_bytes);
    }
    if (instance->adapters) {
        yyjson_mut_obj_add_val(doc, obj, "adapters",
                               yyjson_val_mut_copy(doc, instance->adapters));
    }
    if (*instance->draft_model)
        yyjson_mut_obj_add_str(doc, obj, "draftModel", instance->draft_model);
    yyjson_mut_obj_add_int(doc, obj, "pid", instance->pid);
    yyjson_mut_obj_add_int(doc, obj, "cachedPrompts", instance->prompts_kept);
    yyjson_mut_obj_add_uint(doc, obj, "cachedPromptBytes", instance->prompt_bytes);
    yyjson_mut_obj_add_int(doc, obj, "cachedPromptHits", instance->prompt_hits);
}

void show_add_instances(yyjson_mut_doc *doc, yyjson_mut_val *list,
                        const struct inventory *inv) {
    for (size_t m = 0; m < inv->model_count; m++) {
        const struct listed_model *model = &inv->models[m];
        for (size_t i = 0; i < model->instance_count; i++) {
            const struct listed_instance *instance = &inv->instances[model->first_instance + i];
            yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
            add_lms_fields(doc, obj, model, instance);
            add_own_fields(doc, obj, instance);
        }
    }
}

static void print_and_clear(struct buf *text) {
    puts(buf_str(text));
    buf_clear(text);
}

void show_json(yyjson_mut_doc *doc) {
    struct buf text = BUF_INIT(MAX_OUTPUT);
    json_write(doc, &text);
    print_and_clear(&text);
    yyjson_mut_doc_free(doc);
}

void show_value(const yyjson_val *val) {
    struct buf text = BUF_INIT(MAX_OUTPUT);
    json_write_val(val, &text);
    print_and_clear(&text);
}

void show_text(FILE *out, const char *text, size_t len) {
    if (!isatty(fileno(out))) {
        fwrite(text, 1, len, out);
        return;
    }
    struct buf safe = BUF_INIT(MAX_OUTPUT);
    text_add_safe(&safe, text, len);
    fwrite(buf_str(&safe), 1, safe.len, out);
    buf_clear(&safe);
}
