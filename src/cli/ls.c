/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/no_model.h"
#include "base/size.h"
#include "base/xalloc.h"
#include "cli/cli.h"
#include "cli/inventory.h"
#include "cli/show.h"
#include "cli/table.h"

struct ls_values {
    bool llm, embedding, detailed, variants, json, quiet;
    const char *part; /* of the keys; NULL: all models */
};

static const struct option_row ls_options[] = {
    FLAG(ls, llm, "llm", 0, "Only language models"),
    FLAG(ls, embedding, "embedding", 0, "Only embedding models"),
    FLAG(ls, detailed, "detailed", 0, "Print all that is known, and where the files are"),
    FLAG(ls, variants, "variants", 0, "Group the quantizations of a model"),
    FLAG(ls, json, "json", 0, "Print a JSON array"),
    FLAG(ls, quiet, "quiet", 'q', "Print the model keys only"),
};

/* Without a flag, and with both, both kinds are wanted. */
static bool ls_wants(const struct ls_values *v, const struct listed_model *model) {
    if (v->part && !strcasestr(model->key, v->part)) return false;
    return v->llm == v->embedding || listed_model_embeds(model) == v->embedding;
}

enum { STATE_TEXT = 512 };

static void state_format(const struct listed_model *model, char text[STATE_TEXT]) {
    *text = '\0';
    if (*model->problem) {
        snprintf(text, STATE_TEXT, "cannot be loaded: %s", model->problem);
    } else if (model->instance_count == 1) {
        snprintf(text, STATE_TEXT, "✓ LOADED");
    } else if (model->instance_count > 1) {
        snprintf(text, STATE_TEXT, "✓ LOADED (%zu)", model->instance_count);
    }
}

static void ls_add_row(struct table *table, const struct listed_model *model) {
    char size[SIZE_TEXT], state[STATE_TEXT];
    size_format(model->size_bytes, size);
    state_format(model, state);
    table_add(table, model->key);
    table_add(table, model->params);
    table_add(table, model->architecture);
    table_add(table, model->quantization);
    table_add(table, size);
    table_add(table, state);
}

/* The models of one kind as a table with their heading; nothing if there are none. */
static void ls_print_kind(const struct ls_values *v, const struct inventory *inv,
                          bool embedding) {
    const char *header[] = {
        embedding ? "EMBEDDING" : "LLM", "PARAMS", "ARCH", "QUANT", "SIZE", ""
    };
    struct table table;
    size_t columns = sizeof header / sizeof header[0];
    table_init(&table, header, columns);
    for (size_t i = 0; i < inv->model_count; i++) {
        bool kind = listed_model_embeds(&inv->models[i]) == embedding;
        if (kind && ls_wants(v, &inv->models[i])) ls_add_row(&table, &inv->models[i]);
    }
    if (table.cells > columns) {
        putchar('\n');
        table_show(&table);
    } else {
        table_clear(&table);
    }
}

/* The quantizations of a model are neighbours: "key", "key@q4_0", "key@q8_0". */
static void ls_print_variants(const struct ls_values *v, const struct inventory *inv) {
    static const char *const header[] = { "MODEL", "VARIANT", "SIZE", "" };
    struct table table;
    const char *before = "";
    table_init(&table, header, sizeof header / sizeof header[0]);
    for (size_t i = 0; i < inv->model_count; i++) {
        const struct listed_model *model = &inv->models[i];
        char size[SIZE_TEXT], state[STATE_TEXT];
        size_t len = strcspn(model->key, "@");
        if (!ls_wants(v, model)) continue;
        bool same = strcspn(before, "@") == len && strncmp(before, model->key, len) == 0;
        char *name = xasprintf("%.*s", same ? 0 : (int)len, model->key);
        size_format(model->size_bytes, size);
        state_format(model, state);
        table_add(&table, name);
        table_add(&table, model->quantization);
        table_add(&table, size);
        table_add(&table, state);
        free(name);
        before = model->key;
    }
    putchar('\n');
    table_show(&table);
}

static void ls_print_details(const struct ls_values *v, const struct inventory *inv) {
    for (size_t i = 0; i < inv->model_count; i++) {
        const struct listed_model *model = &inv->models[i];
        char size[SIZE_TEXT], state[STATE_TEXT];
        if (!ls_wants(v, model)) continue;
        size_format(model->size_bytes, size);
        state_format(model, state);
        struct buf text = BUF_INIT(1 << 14);
        buf_addf(&text, "\n%s%s%s\n  %s by %s\n", model->key, *state ? "  " : "", state,
                 model->display_name, model->publisher);
        buf_addf(&text, "  %s, %s, %s, %s, context %lld%s%s%s\n  %s\n", model->architecture,
                 *model->params ? model->params : "size unknown",
                 *model->quantization ? model->quantization : "quantization unknown", size,
                 (long long)model->max_context_length, model->tool_use ? ", tools" : "",
                 model->reasoning ? ", reasoning" : "", model->vision ? ", images" : "",
                 model->path);
        show_text(stdout, buf_str(&text), text.len);
        buf_clear(&text);
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
        struct error none;
        error_no_models(&none);
        fprintf(stderr, "%s\n",
                inv->model_count ? "No model matches; `doze ls` lists all." : none.text);
        return;
    }
    size_format(total, size);
    printf("You have %zu model%s, taking up %s of disk space.\n", count, count == 1 ? "" : "s",
           size);
    if (v->variants) {
        ls_print_variants(v, inv);
    } else if (v->detailed) {
        ls_print_details(v, inv);
    } else {
        ls_print_kind(v, inv, false);
        ls_print_kind(v, inv, true);
    }
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
    struct ls_values chosen = *(const struct ls_values *)values, *v = &chosen;
    if (cli->arg_count > 0) chosen.part = cli->args[0];
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
    COMMAND(ls, "ls", "[<model>]", 0, 1),
    .summary = "List the models on disk",
    .details = "With a part of a name: the models whose keys have it.",
};
