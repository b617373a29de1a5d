/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "cli/body.h"
#include "cli/fields.h"
#include "cli/interrupt.h"
#include "cli/load_cancel.h"
#include "cli/model_choice.h"
#include "cli/pick.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "load/load_settings.h"

struct load_values {
    struct option_ttl ttl;
    struct option_int context_length, parallel, gpu_layers;
    const char *identifier, *gpu;
    bool keep, force, yes, json;
};

static const struct option_row load_options[] = {
    OPTION(load, ttl, "ttl", 0, "<span>", "Unload when idle for this long (300, 5m, none)"),
    OPTION(load, context_length, "context-length", 'c', "<n>", "Tokens of context", .min = 1,
           .max = LOAD_MAX_CONTEXT),
    OPTION(load, parallel, "parallel", 0, "<n>", "Requests served at the same time", .min = 1,
           .max = LOAD_MAX_PARALLEL),
    OPTION(load, identifier, "identifier", 0, "<name>", "Name in the API (default: the key)"),
    OPTION(load, gpu, "gpu", 0, "<max|off>", "Put all layers on the GPU, or none"),
    OPTION(load, gpu_layers, "gpu-layers", 0, "<n>", "Layers on the GPU (-1: all)", .min = -1,
           .max = LOAD_MAX_LAYERS),
    FLAG(load, keep, "keep", 0, "Load it again when the server starts"),
    FLAG(load, force, "force", 0, "Load it even if memory seems too small"),
    FLAG(load, yes, "yes", 'y', "Do not ask: take the first model that fits"),
    FLAG(load, json, "json", 0, "Print the server's answer as JSON"),
};

/* --gpu as `lms` has it. A share in between would need the model's number of layers. */
static bool read_gpu(const struct load_values *v, struct option_int *ret_layers) {
    *ret_layers = v->gpu_layers;
    if (!v->gpu) return true;
    char *end = NULL;
    double share = strtod(v->gpu, &end);
    bool number = end != v->gpu && *end == '\0';
    bool all = strcmp(v->gpu, "max") == 0 || (number && share == 1);
    bool none = strcmp(v->gpu, "off") == 0 || (number && share == 0);
    *ret_layers = (struct option_int){ true, all ? -1 : 0 };
    return all || none;
}

/* --- one load --- */

/* A load while it runs. */
struct load {
    const struct cli *cli;
    const struct load_values *values;
    struct option_int gpu_layers;
    const char *model; /* as the server is asked for it */
    struct progress progress;
    yyjson_doc *answer; /* after OUTCOME_DONE */
    bool failed;
    struct error err; /* of an error event */
};

static yyjson_mut_doc *load_body(const struct load *load) {
    const struct load_values *v = load->values;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "model", load->model);
    if (v->identifier) yyjson_mut_obj_add_str(doc, root, "identifier", v->identifier);
    body_add_ttl(doc, &v->ttl);
    body_add_int(doc, "context_length", &v->context_length);
    body_add_int(doc, "parallel", &v->parallel);
    body_add_int(doc, "gpu_layers", &load->gpu_layers);
    if (v->keep) yyjson_mut_obj_add_bool(doc, root, "keep", true);
    if (v->force) yyjson_mut_obj_add_bool(doc, root, "force", true);
    return doc;
}

static void load_on_event(void *ctx, const struct sse_event *ev) {
    struct load *load = ctx;
    struct error ignored;
    if (ev->kind == SSE_COMMENT) return;
    yyjson_doc *doc = json_parse_object(ev->text, ev->len, &ignored);
    if (strcmp(ev->name, "progress") == 0) {
        char label[300];
        snprintf(label, sizeof label, "Loading %s", load->model);
        progress_show(&load->progress, label,
                      field_num(yyjson_doc_get_root(doc), "progress", 0));
    } else if (strcmp(ev->name, "result") == 0 && !load->answer) {
        load->answer = doc;
        return;
    } else if (strcmp(ev->name, "error") == 0) {
        load->failed = true;
        client_read_error(load->cli, ev->text, ev->len, 500, &load->err);
    }
    yyjson_doc_free(doc);
}

/* The outcome of a call that ended without a failure of its own. */
static enum outcome load_judge(const struct load *load, struct error *err) {
    if (load->failed) {
        *err = load->err;
        return OUTCOME_REFUSED;
    }
    if (load->answer) return OUTCOME_DONE;
    error_set(err, ERR_IO, "The server ended the load without an answer; see its log.");
    return OUTCOME_BROKEN;
}

static enum outcome load_call(struct load *load, const char *model, struct error *err) {
    load->model = model;
    yyjson_mut_doc *body = load_body(load);
    yyjson_doc *whole = NULL; /* if the server answers without a stream */
    struct call call = { .method = "POST",
                         .path = "/api/v1/models/load",
                         .body = body,
                         .on_event = load_on_event,
                         .ctx = load,
                         .cancel_fd = interrupt_open() };
    enum outcome outcome = client_call(load->cli, &call, &whole, err);
    if (outcome == OUTCOME_CANCELLED) interrupt_drain(call.cancel_fd);
    interrupt_close(call.cancel_fd);
    progress_clear(&load->progress);
    yyjson_mut_doc_free(body);
    if (outcome != OUTCOME_DONE) return outcome;
    if (whole) load->answer = whole;
    return load_judge(load, err);
}

/* --- the choice of a model --- */

static enum outcome fail_many(const struct pick_item *items, size_t count, const char *part,
                              struct error *err) {
    struct buf names = BUF_INIT(160);
    pick_add_names(items, count, &names);
    error_set(err, ERR_INVALID_REQUEST,
              "%zu models fit%s%.60s: %s; name one of them, or take the first with -y.", count,
              part ? " " : "", part ? part : "", buf_str(&names));
    buf_clear(&names);
    return OUTCOME_REFUSED;
}

/* Load the model whose key contains `part`. If none does, *err keeps what the caller put there,
 * the server's answer to the name itself. */
static enum outcome load_call_picked(struct load *load, const char *part, struct inventory *inv,
                                     struct error *err) {
    size_t count = 0, chosen = 0;
    struct pick_item *items = model_choice_list(inv, part, false, &count);
    enum pick pick = load->values->yes && count > 0 ? PICK_ONE
                                                    : pick_item(items, count, &chosen);
    enum outcome outcome = OUTCOME_REFUSED;
    if (pick == PICK_ONE) outcome = load_call(load, items[chosen].name, err);
    if (pick == PICK_MANY) outcome = fail_many(items, count, part, err);
    free(items);
    return outcome;
}

/* --- the command --- */

static void load_print(yyjson_val *root) {
    const char *id = field_str(root, "instance_id");
    double seconds = field_num(root, "load_time_seconds", 0);
    if (seconds < 1) {
        printf("Model loaded successfully in %.0f ms.\n", seconds * 1000);
    } else {
        printf("Model loaded successfully in %.2f s.\n", seconds);
    }
    if (*id) printf("To use the model in the API/SDK, use the identifier \"%s\".\n", id);
}

static enum cli_exit load_finish(const struct load *load, enum outcome outcome,
                                 const struct error *err) {
    if (outcome == OUTCOME_CANCELLED) {
        return load_cancel(load->cli, load->model, load->values->identifier);
    }
    if (outcome != OUTCOME_DONE) return client_fail(outcome, err);
    yyjson_val *root = yyjson_doc_get_root(load->answer);
    if (load->values->json) {
        show_value(root);
    } else {
        load_print(root);
    }
    return CLI_DONE;
}

static enum cli_exit load_run(const struct cli *cli, const void *values) {
    struct load load = { .cli = cli, .values = values };
    struct inventory inv = { 0 };
    struct error err;
    const char *name = cli->arg_count > 0 ? cli->args[0] : NULL;
    enum outcome outcome = OUTCOME_REFUSED;
    if (!read_gpu(values, &load.gpu_layers)) {
        return cli_fail(CLI_USAGE, "--gpu takes max or off; for a part use --gpu-layers.");
    }
    error_set(&err, ERR_MODEL_NOT_FOUND, "Say which model to load; `%s ls` lists them.",
              cli->program);
    if (name) outcome = load_call(&load, name, &err);
    if (outcome == OUTCOME_REFUSED && err.code == ERR_MODEL_NOT_FOUND) {
        struct error unknown = err;
        outcome = inventory_fetch(cli, &inv, &err);
        if (outcome == OUTCOME_DONE) {
            err = unknown;
            outcome = load_call_picked(&load, name, &inv, &err);
        }
    }
    enum cli_exit code = load_finish(&load, outcome, &err);
    yyjson_doc_free(load.answer);
    inventory_clear(&inv);
    return code;
}

const struct command command_load = {
    COMMAND(load, "load", "[<model>]", 0, 1),
    .summary = "Load a model and keep it until it is unloaded",
    .details = "<model> is a key that `ls` shows, or a part of one. Without it, or if "
               "several fit, you pick one on a terminal. Without --ttl the model stays "
               "however long it is idle. Ctrl-C cancels the load.",
};
