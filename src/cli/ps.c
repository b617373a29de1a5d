/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/inventory.h"
#include "cli/show.h"

struct ps_values {
    bool json, quiet;
};

static const struct option_row ps_options[] = {
    FLAG(ps, json, "json", 0, "Print a JSON array"),
    FLAG(ps, quiet, "quiet", 'q', "Print the identifiers only"),
};

/* The word that `lms ps --json` has. */
static const char *status_word(const struct listed_instance *instance) {
    return strcmp(instance->state, "busy") == 0 ? "generating" : instance->state;
}

static void add_span(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name, msec span) {
    if (span == MSEC_NEVER) {
        yyjson_mut_obj_add_null(doc, obj, name);
    } else {
        yyjson_mut_obj_add_int(doc, obj, name, span);
    }
}

/* The names that `lms ps --json` has, and after them what only doze knows. */
static void add_json(yyjson_mut_doc *doc, yyjson_mut_val *list,
                     const struct listed_model *model, const struct listed_instance *instance) {
    yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
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
    yyjson_mut_obj_add_str(doc, obj, "status", status_word(instance));
    yyjson_mut_obj_add_int(doc, obj, "queued", instance->waiting);
    yyjson_mut_obj_add_int(doc, obj, "parallel", instance->parallel);
    add_span(doc, obj, "ttlMs", instance->ttl);
    yyjson_mut_obj_add_int(doc, obj, "lastUsedTime", instance->last_used_at);
    yyjson_mut_obj_add_str(doc, obj, "origin", instance->origin);
    yyjson_mut_obj_add_int(doc, obj, "running", instance->running);
    add_span(doc, obj, "idleExpiresInMs", instance->expires_in);
    yyjson_mut_obj_add_real(doc, obj, "loadProgress", instance->progress);
    yyjson_mut_obj_add_real(doc, obj, "loadTimeSeconds", instance->load_time_seconds);
    yyjson_mut_obj_add_uint(doc, obj, "memoryBytes", instance->memory_bytes);
    yyjson_mut_obj_add_int(doc, obj, "pid", instance->pid);
    yyjson_mut_obj_add_int(doc, obj, "cachedPrompts", instance->prompts_kept);
    yyjson_mut_obj_add_uint(doc, obj, "cachedPromptBytes", instance->prompt_bytes);
    yyjson_mut_obj_add_int(doc, obj, "cachedPromptHits", instance->prompt_hits);
}

static void print_json(const struct inventory *inv) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    yyjson_mut_doc_set_root(doc, list);
    for (size_t m = 0; m < inv->model_count; m++) {
        const struct listed_model *model = &inv->models[m];
        for (size_t i = 0; i < model->instance_count; i++) {
            add_json(doc, list, model, &inv->instances[model->first_instance + i]);
        }
    }
    show_json(doc);
}

static enum cli_exit ps_run(const struct cli *cli, const void *values) {
    const struct ps_values *v = values;
    struct inventory inv;
    struct error err;
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (v->json) {
        print_json(&inv);
    } else if (v->quiet) {
        for (size_t i = 0; i < inv.instance_count; i++) puts(inv.instances[i].id);
    } else if (inv.instance_count == 0) {
        fprintf(stderr, "No models are currently loaded.\n");
    } else {
        show_instances(&inv);
    }
    inventory_clear(&inv);
    return CLI_DONE;
}

const struct command command_ps = {
    .name = "ps",
    .summary = "List the loaded models",
    .details = "TTL shows what is left of the idle time and the whole: `4m12s / 5m`.\n"
               "PROMPTS shows the processed prompts its store has, their size, and how many "
               "requests\ngot one back: `3 (24 MB), 5 hits`.",
    COMMAND_OPTIONS(ps),
    .run = ps_run,
};
