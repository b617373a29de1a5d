/* SPDX-License-Identifier: MIT */
/* explain.c - `doze explain`: what would become of a request for a model now. */
#include <stdio.h>

#include "base/json.h"
#include "base/percent.h"
#include "cli/show.h"

struct explain_values {
    struct option_int context;
    bool json;
};

static const struct option_row explain_options[] = {
    OPTION(explain, context, "context-length", 'c', "<n>", "Ask for a load with this context",
           .min = 1, .max = 1 << 24),
    FLAG(explain, json, "json", 0, "Print JSON"),
};

/* " <label> <text>", only with a text. */
static void print_text(yyjson_val *obj, const char *name) {
    const char *text = json_find_str(obj, name);
    if (text) printf(" %s", text);
}

static void print_instances(yyjson_val *list) {
    size_t i, count;
    yyjson_val *instance;
    if (yyjson_arr_size(list) > 0) puts("");
    yyjson_arr_foreach(list, i, count, instance) {
        const char *id = json_find_str(instance, "id");
        printf("%s:", id ? id : "?");
        print_text(instance, "here");
        print_text(instance, "leaves");
        puts("");
    }
}

static enum cli_exit explain_run(const struct cli *cli, const void *values) {
    const struct explain_values *v = values;
    struct buf path = BUF_INIT(4096);
    struct error err;
    yyjson_doc *answer = NULL;
    buf_add_str(&path, "/api/v1/explain?model=");
    (void)percent_encode(&path, cli->args[0], "");
    if (v->context.given)
        (void)buf_addf(&path, "&context_length=%lld", (long long)v->context.value);
    enum outcome outcome = client_get(cli, buf_str(&path), &answer, &err);
    buf_clear(&path);
    if (outcome != OUTCOME_DONE) return client_fail(outcome, &err);
    yyjson_val *root = yyjson_doc_get_root(answer);
    if (v->json) {
        show_value(root);
    } else {
        const char *sentence = json_find_str(root, "sentence");
        puts(sentence ? sentence : "");
        print_instances(yyjson_obj_get(root, "instances"));
    }
    yyjson_doc_free(answer);
    return CLI_DONE;
}

const struct command command_explain = {
    .name = "explain",
    .args = "<model>",
    .summary = "Say what a request for a model would cause now",
    .details = "Nothing is loaded or unloaded by asking. Also says why each loaded model is "
               "here, until when, and what would make it leave.",
    COMMAND_OPTIONS(explain),
    .min_args = 1,
    .max_args = 1,
    .run = explain_run,
};
