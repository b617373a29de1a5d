/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/size.h"
#include "cli/cli.h"
#include "cli/inventory.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/text.h"

struct ls_values {
    bool llm, embedding, json, quiet;
};

static const struct option_row ls_options[] = {
    FLAG(ls, llm, "llm", 0, "Only language models"),
    FLAG(ls, embedding, "embedding", 0, "Only embedding models"),
    FLAG(ls, json, "json", 0, "Print a JSON array"),
    FLAG(ls, quiet, "quiet", 'q', "Print the model keys only"),
};

/* Without a flag, and with both, both kinds are wanted. */
static bool ls_wants(const struct ls_values *v, const struct listed_model *model) {
    return v->llm == v->embedding || listed_model_embeds(model) == v->embedding;
}

static void ls_add_row(struct table *table, const struct listed_model *model) {
    char size[SIZE_TEXT], state[512] = "";
    size_format(model->size_bytes, size);
    if (*model->problem) {
        snprintf(state, sizeof state, "cannot be loaded: %s", model->problem);
    } else if (model->instance_count == 1) {
        snprintf(state, sizeof state, "✓ LOADED");
    } else if (model->instance_count > 1) {
        snprintf(state, sizeof state, "✓ LOADED (%zu)", model->instance_count);
    }
    table_add(table, model->key);
    table_add(table, model->params);
    table_add(table, model->architecture);
    table_add(table, model->quantization);
    table_add(table, size);
    table_add(table, state);
}

/* The models of one kind as a table with their heading; nothing if there are none. */
static void ls_print_kind(const struct inventory *inv, bool embedding) {
    const char *header[] = {
        embedding ? "EMBEDDING" : "LLM", "PARAMS", "ARCH", "QUANT", "SIZE", ""
    };
    struct table table;
    size_t columns = sizeof header / sizeof header[0];
    table_init(&table, header, columns);
    for (size_t i = 0; i < inv->model_count; i++) {
        if (listed_model_embeds(&inv->models[i]) == embedding)
            ls_add_row(&table, &inv->models[i]);
    }
    if (table.cells > columns) {
        putchar('\n');
        table_show(&table);
    } else {
        table_clear(&table);
    }
}

static void ls_print_tables(const struct ls_values *v, const struct inventory *inv) {
    nbytes total = 0;
    size_t count = 0;
    char size[SIZE_TEXT];
    for (size_t i = 0; i < inv->model_count; i++) {
        if (!ls_wants(v, &inv->models[i])) continue;
        total += inv->models[i].size_bytes;
        count++;
    }
    if (count == 0) {
        fprintf(stderr, "There are no models%s; put GGUF files into a models folder.\n",
                inv->model_count ? " of this kind" : "");
        return;
    }
    size_format(total, size);
    printf("You have %zu model%s, taking up %s of disk space.\n", count, count == 1 ? "" : "s",
           size);
    if (!v->embedding || v->llm) ls_print_kind(inv, false);
    if (!v->llm || v->embedding) ls_print_kind(inv, true);
}

/* The names that `lms ls --json` uses and, after these, what only doze has. */
static void ls_add_json(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct inventory *inv,
                        const struct listed_model *model) {
    yyjson_mut_val *obj = yyjson_mut_arr_add_obj(doc, list);
    yyjson_mut_obj_add_str(doc, obj, "type", model->type);
    yyjson_mut_obj_add_str(doc, obj, "modelKey", model->key);
    yyjson_mut_obj_add_str(doc, obj, "format", "gguf");
    yyjson_mut_obj_add_str(doc, obj, "displayName", model->display_name);
    yyjson_mut_obj_add_str(doc, obj, "publisher", model->publisher);
    yyjson_mut_obj_add_str(doc, obj, "path", model->path);
    yyjson_mut_obj_add_uint(doc, obj, "sizeBytes", model->size_bytes);
    yyjson_mut_obj_add_str(doc, obj, "paramsString", model->params);
    yyjson_mut_obj_add_str(doc, obj, "architecture", model->architecture);
    yyjson_mut_val *quantization = yyjson_mut_obj_add_obj(doc, obj, "quantization");
    yyjson_mut_obj_add_str(doc, quantization, "name", model->quantization);
    yyjson_mut_obj_add_int(doc, quantization, "bits", llround(model->bits_per_weight));
    yyjson_mut_obj_add_bool(doc, obj, "vision", model->vision);
    yyjson_mut_obj_add_bool(doc, obj, "trainedForToolUse", model->tool_use);
    yyjson_mut_obj_add_int(doc, obj, "maxContextLength", model->max_context_length);
    if (*model->problem) yyjson_mut_obj_add_str(doc, obj, "problem", model->problem);
    yyjson_mut_val *loaded = yyjson_mut_obj_add_arr(doc, obj, "loadedInstances");
    for (size_t i = 0; i < model->instance_count; i++) {
        yyjson_mut_arr_add_str(doc, loaded, inv->instances[model->first_instance + i].id);
    }
}

static void ls_print_json(const struct ls_values *v, const struct inventory *inv) {
    yyjson_mut_val *list;
    yyjson_mut_doc *doc = json_array_new(&list);
    for (size_t i = 0; i < inv->model_count; i++) {
        if (ls_wants(v, &inv->models[i])) ls_add_json(doc, list, inv, &inv->models[i]);
    }
    show_json(doc);
}

static enum cli_exit ls_run(const struct cli *cli, const void *values) {
    const struct ls_values *v = values;
    struct inventory inv;
    struct error err;
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    if (v->json) {
        ls_print_json(v, &inv);
    } else if (v->quiet) {
        for (size_t i = 0; i < inv.model_count; i++) {
            if (ls_wants(v, &inv.models[i])) puts(inv.models[i].key);
        }
    } else {
        ls_print_tables(v, &inv);
    }
    inventory_clear(&inv);
    return CLI_DONE;
}

const struct command command_ls = {
    COMMAND(ls, "ls", NULL, 0, 0),
    .summary = "List the models on disk",
};
