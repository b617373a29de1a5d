/* SPDX-License-Identifier: MIT */
/* show_command.c - `doze show`: all that is known of a model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/json.h"
#include "base/percent.h"
#include "base/size.h"
#include "cli/fields.h"
#include "cli/model_choice.h"
#include "cli/show.h"

struct show_values {
    bool json;
};

static const struct option_row show_options[] = {
    FLAG(show, json, "json", 0, "Print JSON"),
};

/* --- lines --- */

static void print_line(const char *name, const char *text) {
    printf("%-14s", name);
    show_text(stdout, text, strlen(text));
    putchar('\n');
}

static void print_fact(const char *name, const char *text) {
    if (*text) print_line(name, text);
}

/* "32768" as "32,768". */
static void number_format(int64_t number, char text[32]) {
    char digits[24];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number), n = 0;
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) text[n++] = ',';
        text[n++] = digits[i];
    }
    text[n] = '\0';
}

static void print_abilities(const struct listed_model *model) {
    char text[128];
    snprintf(text, sizeof text, "%s%s%s%s",
             model->ranks                 ? "reranking"
             : listed_model_embeds(model) ? "embeddings"
             : model->chat_template       ? "chat"
                                          : "text (no chat template)",
             model->tool_use ? ", tools" : "", model->reasoning ? ", reasoning" : "",
             model->vision ? ", images" : "");
    print_line("does", text);
}

static void print_model(const struct listed_model *model) {
    char size[SIZE_TEXT], number[32], text[160];
    size_format(model->size_bytes, size);
    number_format(model->max_context_length, number);
    print_line("key", model->key);
    print_fact("name", model->display_name);
    print_fact("publisher", model->publisher);
    print_fact("problem", model->problem);
    snprintf(text, sizeof text, "%s%s%s", model->architecture, *model->params ? ", " : "",
             model->params);
    print_fact("architecture", text);
    snprintf(text, sizeof text, "%s (%.2f bits per weight), %s", model->quantization,
             model->bits_per_weight, size);
    print_line("quantization", *model->quantization ? text : size);
    snprintf(text, sizeof text, "%s tokens", number);
    if (model->max_context_length > 0) print_line("context", text);
    print_abilities(model);
    print_line("licence", *model->license ? model->license : "the file does not say");
}

/* --- what the server says --- */

/* The answer to an estimate with this context; NULL: none. */
static yyjson_doc *ask_estimate(const struct cli *cli, const char *key, int64_t context) {
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    yyjson_doc *answer = NULL;
    struct error ignored;
    yyjson_mut_obj_add_str(body, root, "model", key);
    yyjson_mut_obj_add_int(body, root, "context_length", context);
    struct call call = { .method = "POST", .path = "/api/v1/models/estimate", .body = body };
    (void)client_call(cli, &call, &answer, &ignored);
    yyjson_mut_doc_free(body);
    return answer;
}

static void print_estimate(const struct cli *cli, const char *key, int64_t context,
                           bool first) {
    yyjson_doc *doc = ask_estimate(cli, key, context);
    yyjson_val *answer = yyjson_doc_get_root(doc);
    char size[SIZE_TEXT], number[32], text[160];
    number_format(context, number);
    size_format(field_bytes(answer, "total_bytes"), size);
    snprintf(text, sizeof text, "%s with %s tokens%s", size, number,
             yyjson_is_true(yyjson_obj_get(answer, "fits")) ? "" : ": does not fit now");
    if (answer) print_line(first ? "memory" : "", text);
    yyjson_doc_free(doc);
}

/* A few contexts up to the model's own. */
static void print_estimates(const struct cli *cli, const struct listed_model *model) {
    static const int64_t contexts[] = { 4096, 32768, 131072 };
    int64_t most = model->max_context_length;
    bool first = true;
    if (*model->problem) return;
    for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; i++) {
        if (contexts[i] >= most) break;
        print_estimate(cli, model->key, contexts[i], first);
        first = false;
    }
    if (most > 0) print_estimate(cli, model->key, most, first);
}

static yyjson_doc *ask_files(const struct cli *cli, const char *key) {
    struct buf path = BUF_INIT(4096);
    yyjson_doc *answer = NULL;
    struct error ignored;
    buf_add_str(&path, "/api/v1/models/");
    (void)percent_encode(&path, key, "");
    buf_add_str(&path, "?dry_run=true");
    struct call call = { .method = "DELETE", .path = buf_str(&path) };
    (void)client_call(cli, &call, &answer, &ignored);
    buf_clear(&path);
    return answer;
}

static void print_files(const struct cli *cli, const struct listed_model *model) {
    yyjson_doc *doc = ask_files(cli, model->key);
    yyjson_val *files = yyjson_obj_get(yyjson_doc_get_root(doc), "files"), *file;
    size_t i, max;
    yyjson_arr_foreach(files, i, max, file) {
        print_line(i == 0 ? "files" : "", yyjson_get_str(file));
    }
    if (!files) print_fact("files", model->path);
    yyjson_doc_free(doc);
}

static void print_prompts(const struct cli *cli, const char *key) {
    yyjson_doc *doc = NULL;
    struct error ignored;
    (void)client_get(cli, "/api/v1/prompts", &doc, &ignored);
    yyjson_val *models = yyjson_obj_get(yyjson_doc_get_root(doc), "models"), *model;
    size_t i, max;
    yyjson_arr_foreach(models, i, max, model) {
        char size[SIZE_TEXT], text[128];
        if (strcmp(field_str(model, "model"), key) != 0) continue;
        size_format(field_bytes(model, "bytes"), size);
        snprintf(text, sizeof text, "%lld with %lld tokens, %s",
                 (long long)field_int(model, "entries"), (long long)field_int(model, "tokens"),
                 size);
        print_line("prompts kept", text);
    }
    yyjson_doc_free(doc);
}

/* --- settings --- */

static void print_setting(const char *name, yyjson_val *val, const char *origin, bool first) {
    struct buf text = BUF_INIT(4096);
    buf_addf(&text, "%s ", name);
    if (strcmp(name, "ttl") == 0 && yyjson_is_num(val) && yyjson_get_num(val) >= 0) {
        char span[DURATION_TEXT];
        duration_format((msec)(yyjson_get_num(val) * 1000), span);
        buf_add_str(&text, span);
    } else if (strcmp(name, "ttl") == 0) {
        buf_add_str(&text, "none");
    } else {
        json_write_val(val, &text);
    }
    buf_addf(&text, " (from %s)", origin);
    print_line(first ? "settings" : "", buf_str(&text));
    buf_clear(&text);
}

/* The model's own entry, then what only the entry of all models has. */
static void print_settings(const struct cli *cli, const char *key) {
    yyjson_doc *doc = NULL;
    struct error ignored;
    (void)client_get(cli, "/api/v1/settings", &doc, &ignored);
    yyjson_val *root = yyjson_doc_get_root(doc), *name, *val;
    yyjson_val *own = yyjson_obj_get(yyjson_obj_get(root, "models"), key);
    yyjson_val *all = yyjson_obj_get(root, "load");
    size_t i, max, shown = 0;
    yyjson_obj_foreach(own, i, max, name, val) {
        print_setting(yyjson_get_str(name), val, "models", shown++ == 0);
    }
    yyjson_obj_foreach(all, i, max, name, val) {
        if (yyjson_obj_get(own, yyjson_get_str(name))) continue;
        print_setting(yyjson_get_str(name), val, "load", shown++ == 0);
    }
    if (doc && !yyjson_obj_get(own, "ttl"))
        print_setting("ttl", yyjson_obj_get(root, "default_ttl"), "default_ttl", shown == 0);
    yyjson_doc_free(doc);
}

static void print_instances(const struct inventory *inv, const struct listed_model *model) {
    for (size_t i = 0; i < model->instance_count; i++) {
        const struct listed_instance *instance = &inv->instances[model->first_instance + i];
        char status[STATUS_TEXT], size[SIZE_TEXT], text[400];
        instance_status(instance, status);
        size_format(instance->memory_bytes, size);
        snprintf(text, sizeof text, "%s: %s, %s", instance->id, status, size);
        print_line(i == 0 ? "loaded" : "", text);
    }
}

/* --- JSON: the entry of the list, the files and the estimates --- */

static yyjson_val *find_entry(const struct inventory *inv, const char *key) {
    yyjson_val *models = yyjson_obj_get(yyjson_doc_get_root(inv->doc), "models"), *model;
    size_t i, max;
    yyjson_arr_foreach(models, i, max, model) {
        if (strcmp(field_str(model, "key"), key) == 0) return model;
    }
    return NULL;
}

static void print_json(const struct cli *cli, const struct inventory *inv,
                       const struct listed_model *model) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_val_mut_copy(doc, find_entry(inv, model->key));
    yyjson_doc *files = ask_files(cli, model->key);
    yyjson_doc *estimate = ask_estimate(cli, model->key, model->max_context_length);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(files), "files");
    if (list) yyjson_mut_obj_add_val(doc, root, "files", yyjson_val_mut_copy(doc, list));
    if (estimate) {
        yyjson_mut_obj_add_val(doc, root, "estimate",
                               yyjson_val_mut_copy(doc, yyjson_doc_get_root(estimate)));
    }
    show_json(doc);
    yyjson_doc_free(files);
    yyjson_doc_free(estimate);
}

static void print_all(const struct cli *cli, const struct inventory *inv,
                      const struct listed_model *model) {
    print_model(model);
    print_estimates(cli, model);
    print_files(cli, model);
    print_prompts(cli, model->key);
    print_settings(cli, model->key);
    print_instances(inv, model);
}

static enum cli_exit show_run(const struct cli *cli, const void *values) {
    const struct show_values *v = values;
    struct inventory inv;
    struct error err;
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    const struct listed_model *model = model_choice_named(cli, &inv, cli->args[0]);
    if (model) (v->json ? print_json : print_all)(cli, &inv, model);
    inventory_clear(&inv);
    return model ? CLI_DONE : CLI_FAILED;
}

const struct command command_show = {
    COMMAND(show, "show", "<model>", 1, 1),
    .summary = "Show what is known of a model",
    .details =
        "Its facts, what it can do, its licence, the memory that it would take here, its "
        "files, kept prompts, and its settings with where they come from.",
};
