/* SPDX-License-Identifier: MIT */
#include "cli/show.h"

#include <unistd.h>

#include "base/duration.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/table.h"
#include "cli/text.h"

/* "4m12s / 5m": what is left, and the whole. While it works nothing has been used up. */
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

/* "3 (24 MB), 5 hits": what its prompt store has, and how often that was of use. */
static void prompts_format(const struct listed_instance *instance, char *text, size_t size) {
    char bytes[SIZE_TEXT];
    size_format(instance->prompt_bytes, bytes);
    snprintf(text, size, "%lld (%s), %lld %s", (long long)instance->prompts_kept, bytes,
             (long long)instance->prompt_hits, instance->prompt_hits == 1 ? "hit" : "hits");
}

static void add_row(struct table *table, const struct listed_instance *instance,
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

void show_instances(const struct inventory *inv) {
    static const char *const header[] = { "IDENTIFIER", "MODEL",    "STATUS", "SIZE",
                                          "CONTEXT",    "PARALLEL", "TTL",    "PROMPTS" };
    struct table table;
    table_init(&table, header, sizeof header / sizeof header[0]);
    for (size_t m = 0; m < inv->model_count; m++) {
        const struct listed_model *model = &inv->models[m];
        for (size_t i = 0; i < model->instance_count; i++) {
            const struct listed_instance *row = &inv->instances[model->first_instance + i];
            add_row(&table, row, model->size_bytes);
        }
    }
    table_print(&table, stdout);
    table_clear(&table);
}

void show_json(yyjson_mut_doc *doc) {
    struct buf text = BUF_INIT(CLIENT_MAX_BODY);
    if (json_write(doc, &text)) puts(buf_str(&text));
    buf_clear(&text);
    yyjson_mut_doc_free(doc);
}

void show_text(FILE *out, const char *text, size_t len) {
    if (!isatty(fileno(out))) {
        fwrite(text, 1, len, out);
        return;
    }
    struct buf safe = BUF_INIT(CLIENT_MAX_BODY);
    text_add_safe(&safe, text, len);
    fwrite(buf_str(&safe), 1, safe.len, out);
    buf_clear(&safe);
}
