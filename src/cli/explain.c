/* SPDX-License-Identifier: MIT */
/* explain.c - `doze explain`: what a request for a model would cause now. */
#include <stdio.h>
#include <string.h>

#include "base/percent.h"
#include "cli/fields.h"
#include "cli/fleet.h"
#include "cli/model_choice.h"
#include "cli/show.h"
#include "load/load_settings.h"

struct explain_values {
    struct option_int context;
    bool json;
};

static const struct option_row explain_options[] = {
    OPTION(explain, context, "context-length", 'c', "<n>", "Ask for a load with this context",
           .min = LOAD_MIN_CONTEXT, .max = LOAD_MAX_CONTEXT),
    FLAG(explain, json, "json", 0, "Print JSON"),
};

/* One line for each instance: why it is here, until when, and what would make it leave. */
static void explain_print_instances(yyjson_val *list) {
    static const char *const parts[] = { "here", "leaves" };
    size_t i, count;
    yyjson_val *instance;
    if (yyjson_arr_size(list) > 0) putchar('\n');
    yyjson_arr_foreach(list, i, count, instance) {
        struct buf line = BUF_INIT(4096);
        buf_addf(&line, "%s:", field_str(instance, "id"));
        for (size_t part = 0; part < sizeof parts / sizeof parts[0]; part++) {
            const char *text = field_str(instance, parts[part]);
            buf_addf(&line, "%s%s", *text ? " " : "", text);
        }
        show_text(stdout, buf_str(&line), line.len);
        putchar('\n');
        buf_clear(&line);
    }
}

static enum outcome explain_ask(const struct cli *cli, const struct explain_values *v,
                                const char *model, yyjson_doc **ret_answer, struct error *err) {
    struct buf path = BUF_INIT(4096);
    buf_add_str(&path, "/api/v1/explain?model=");
    (void)percent_encode(&path, model, "");
    if (v->context.given) {
        (void)buf_addf(&path, "&context_length=%lld", (long long)v->context.value);
    }
    enum outcome outcome = client_get(cli, buf_str(&path), ret_answer, err);
    buf_clear(&path);
    return outcome;
}

static void explain_print(const struct cli *cli, const struct explain_values *v,
                          yyjson_val *root) {
    const char *sentence = field_str(root, "sentence"), *code = field_str(root, "code");
    struct error refusal;
    if (v->json) {
        show_value(root);
        return;
    }
    if (*code) {
        client_read_refusal(cli, code, sentence, &refusal);
        sentence = refusal.text;
    }
    yyjson_val *fleet = yyjson_obj_get(root, "fleet");
    show_text(stdout, sentence, strlen(sentence));
    putchar('\n');
    if (yyjson_is_obj(fleet)) fleet_print_request(fleet, "In the fleet: ");
    explain_print_instances(yyjson_obj_get(root, "instances"));
}

/* An unknown name is an error; any other refusal is the answer. */
static bool explain_is_unknown(const char *key, yyjson_val *root) {
    return !key && strcmp(field_str(root, "code"), error_name(ERR_MODEL_NOT_FOUND)) == 0;
}

static enum cli_exit explain_run(const struct cli *cli, const void *values) {
    struct inventory inv = { 0 };
    struct error err;
    yyjson_doc *answer = NULL;
    enum outcome outcome = inventory_fetch(cli, &inv, &err);
    const char *key = outcome == OUTCOME_DONE ? model_choice(&inv, cli->args[0]) : NULL;
    if (outcome == OUTCOME_DONE) {
        outcome = explain_ask(cli, values, key ? key : cli->args[0], &answer, &err);
    }
    bool unknown = explain_is_unknown(key, yyjson_doc_get_root(answer));
    if (outcome == OUTCOME_DONE) explain_print(cli, values, yyjson_doc_get_root(answer));
    yyjson_doc_free(answer);
    inventory_clear(&inv);
    return unknown ? CLI_FAILED : client_fail(outcome, &err);
}

const struct command command_explain = {
    COMMAND(explain, "explain", "<model>", 1, 1),
    .summary = "Say what a request for a model would cause now",
    .details = "Nothing is loaded or unloaded. Also says why each loaded model is here, until "
               "when, and what would make it leave.",
};
