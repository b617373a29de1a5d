/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/no_model.h"
#include "base/size.h"
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
    const char *identifier, *gpu, *draft_model;
    struct option_list adapters;
    bool keep, force, yes, exact, estimate_only, prefetch, json;
};

static const struct option_row load_options[] = {
    OPTION(load, ttl, "ttl", 0, "<span>", "Unload when idle for this long (300, 5m, none)"),
    OPTION(load, context_length, "context-length", 'c', "<n>", "Tokens of context",
           .min = LOAD_MIN_CONTEXT, .max = LOAD_MAX_CONTEXT),
    OPTION(load, parallel, "parallel", 0, "<n>", "Requests served at the same time", .min = 1,
           .max = LOAD_MAX_PARALLEL),
    OPTION(load, identifier, "identifier", 0, "<name>", "Name in the API (default: the key)"),
    OPTION(load, gpu, "gpu", 0, "<share>", "Layers on the GPU: max, off, or 0 to 1"),
    OPTION(load, gpu_layers, "gpu-layers", 0, "<n>", "Layers on the GPU (-1: all)", .min = -1,
           .max = LOAD_MAX_LAYERS),
    OPTION(load, adapters, "adapter", 0, "<file>[=<scale>]",
           "Add a LoRA adapter, times a scale (1)"),
    OPTION(load, draft_model, "draft-model", 0, "<model>", "Smaller model that guesses tokens"),
    FLAG(load, keep, "keep", 0, "Load it again when the server starts"),
    FLAG(load, force, "force", 0, "Load it even if memory seems too small"),
    FLAG(load, estimate_only, "estimate-only", 0, "Say what memory it would take"),
    FLAG(load, prefetch, "prefetch", 0, "Only read its file into memory"),
    FLAG(load, exact, "exact", 0, "Take no part of a name"),
    FLAG(load, yes, "yes", 'y', "Do not ask: take the first model that fits"),
    FLAG(load, json, "json", 0, "Print the server's answer as JSON"),
};

/* --gpu as `lms` has it: all, none, or a share of the layers between. */
static bool read_gpu(const struct load_values *v, struct option_int *ret_layers,
                     double *ret_share) {
    *ret_layers = v->gpu_layers;
    *ret_share = 0;
    if (!v->gpu) return true;
    char *end = NULL;
    double share = strcmp(v->gpu, "max") == 0 ? 1 : strtod(v->gpu, &end);
    bool known = strcmp(v->gpu, "off") == 0 || !end || (end != v->gpu && *end == '\0');
    *ret_layers = (struct option_int){ true, share == 1 ? -1 : 0 };
    if (share > 0 && share < 1) *ret_share = share;
    return known && share >= 0 && share <= 1;
}

/* --- one load --- */

/* A load while it runs. */
struct load {
    const struct cli *cli;
    const struct load_values *values;
    struct option_int gpu_layers;
    double gpu_share;  /* of the model's layers, below 1; 0: gpu_layers counts */
    const char *model; /* as the server is asked for it */
    struct progress progress;
    yyjson_doc *answer; /* after OUTCOME_DONE */
    bool failed;
    struct error err; /* of an error event */
};

_Static_assert((int)OPTION_LIST_MAX == (int)LOAD_MAX_ADAPTERS, "as many as a load may have");

/* A scale stands after the last '=', if that is a number. Returns the length of the name before
 * it. */
static size_t split_adapter(const char *text, double *ret_scale) {
    const char *mark = strrchr(text, '=');
    char *end = NULL;
    double scale = mark ? strtod(mark + 1, &end) : 1;
    bool scaled = mark && end != mark + 1 && *end == '\0';
    *ret_scale = scaled ? scale : 1;
    return scaled ? (size_t)(mark - text) : strlen(text);
}

static bool adapters_are_good(const struct option_list *adapters) {
    for (size_t i = 0; i < adapters->count; i++) {
        double scale;
        if (split_adapter(adapters->texts[i], &scale) == 0) return false;
        if (!(fabs(scale) <= LOAD_MAX_ADAPTER_SCALE)) return false;
    }
    return true;
}

/* Of files that are here the server is told where; other names it looks for beside the model.
 */
static void add_adapter(yyjson_mut_doc *doc, yyjson_mut_val *list, const char *text) {
    yyjson_mut_val *one = yyjson_mut_arr_add_obj(doc, list);
    double scale;
    char *name = xasprintf("%.*s", (int)split_adapter(text, &scale), text);
    char *path = realpath(name, NULL);
    yyjson_mut_obj_add_strcpy(doc, one, "path", path ? path : name);
    yyjson_mut_obj_add_real(doc, one, "scale", scale);
    free(path);
    free(name);
}

static void add_adapters(yyjson_mut_doc *doc, const struct option_list *adapters) {
    if (adapters->count == 0) return;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "adapters");
    for (size_t i = 0; i < adapters->count; i++) add_adapter(doc, list, adapters->texts[i]);
}

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
    add_adapters(doc, &v->adapters);
    if (v->draft_model) yyjson_mut_obj_add_str(doc, root, "draft_model", v->draft_model);
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

static const char *load_path(const struct load_values *v) {
    if (v->estimate_only) return "/api/v1/models/estimate";
    return v->prefetch ? "/api/v1/models/prefetch" : "/api/v1/models/load";
}

static enum outcome load_call(struct load *load, const char *model, struct error *err) {
    bool loads = !load->values->estimate_only && !load->values->prefetch;
    load->model = model;
    yyjson_mut_doc *body = load_body(load);
    yyjson_doc *whole = NULL; /* if the server answers without a stream */
    struct call call = { .method = "POST",
                         .path = load_path(load->values),
                         .body = body,
                         .on_event = loads ? load_on_event : NULL,
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
              "%zu models match%s%.60s: %s; name one of them, or take the first with -y.",
              count, part ? " " : "", part ? part : "", buf_str(&names));
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
    if (pick == PICK_NONE && count > 0)
        (void)error_set(err, ERR_INVALID_REQUEST, "Nothing was chosen.");
    free(items);
    return outcome;
}

/* Only a key of the list has a known number of layers. */
static enum cli_exit load_call_share(struct load *load, const char *name, struct inventory *inv,
                                     enum outcome *ret_outcome, struct error *err) {
    *ret_outcome = inventory_fetch(load->cli, inv, err);
    if (*ret_outcome != OUTCOME_DONE) return CLI_DONE;
    const struct listed_model *model = model_choice_named(load->cli, inv, name);
    if (!model) return CLI_FAILED;
    load->gpu_layers.value = llround(load->gpu_share * (double)model->layers);
    *ret_outcome = load_call(load, model->key, err);
    return CLI_DONE;
}

/* --- the command --- */

static void estimate_print(const struct load *load, yyjson_val *root) {
    char total[SIZE_TEXT], device[SIZE_TEXT];
    size_format(field_bytes(root, "total_bytes"), total);
    size_format(field_bytes(root, "device_bytes"), device);
    printf("Model: %s\n", load->model);
    if (load->values->context_length.given) {
        printf("Context Length: %lld\n", (long long)load->values->context_length.value);
    }
    printf("Estimated GPU Memory:   %s\nEstimated Total Memory: %s\n\n", device, total);
    puts(!yyjson_is_true(yyjson_obj_get(root, "fits"))
             ? "Estimate: This model does not fit into the memory that is free now."
         : yyjson_is_true(yyjson_obj_get(root, "full_context_fits"))
             ? "Estimate: This model fits into the memory that is free now."
             : "Estimate: This model fits into the memory that is free now, but not a "
               "conversation that fills its context.");
}

static void prefetch_print(yyjson_val *root) {
    char size[SIZE_TEXT];
    size_format(field_bytes(root, "size_bytes"), size);
    if (strcmp(field_str(root, "status"), "loaded") == 0)
        printf("%s is loaded already.\n", field_str(root, "model"));
    else
        printf("%s (%s) is in memory; its next load reads nothing from the disk.\n",
               field_str(root, "model"), size);
}

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

/* The load is done, but not all that was asked for. */
static void warning_print(const struct load *load, const char *warning) {
    if (*warning) fprintf(stderr, "%s: %s\n", load->cli->program, warning);
}

static enum cli_exit load_finish(const struct load *load, enum outcome outcome,
                                 const struct error *err) {
    if (outcome == OUTCOME_CANCELLED && load->values->prefetch)
        return cli_fail(CLI_FAILED, "Stopped; what has been read stays in memory for now.");
    if (outcome == OUTCOME_CANCELLED) {
        return load_cancel(load->cli, load->model, load->values->identifier);
    }
    if (outcome != OUTCOME_DONE) return client_fail(outcome, err);
    yyjson_val *root = yyjson_doc_get_root(load->answer);
    warning_print(load, field_str(root, "warning"));
    if (load->values->json) {
        show_value(root);
    } else if (load->values->estimate_only) {
        estimate_print(load, root);
    } else if (load->values->prefetch) {
        prefetch_print(root);
    } else {
        load_print(root);
    }
    return CLI_DONE;
}

/* By the name itself, else, if the server does not know it, by a part of a key. */
static enum outcome load_call_named(struct load *load, const char *name, struct inventory *inv,
                                    struct error *err) {
    enum outcome outcome = OUTCOME_REFUSED;
    error_set(err, ERR_MODEL_NOT_FOUND, "Say which model to load; `%s ls` lists them.",
              load->cli->program);
    if (name) outcome = load_call(load, name, err);
    bool unknown = outcome == OUTCOME_REFUSED && err->code == ERR_MODEL_NOT_FOUND;
    if (!unknown || load->values->exact) return outcome;
    struct error first = *err;
    outcome = inventory_fetch(load->cli, inv, err);
    if (outcome != OUTCOME_DONE) return outcome;
    *err = first;
    if (inv->model_count == 0) error_no_models(err);
    return load_call_picked(load, name, inv, err);
}

/* What says how to load, where nothing is loaded. */
static bool has_load_settings(const struct load_values *v) {
    return v->ttl.given || v->context_length.given || v->parallel.given ||
           v->gpu_layers.given || v->gpu || v->adapters.count > 0 || v->draft_model ||
           v->identifier || v->keep || v->force;
}

static enum cli_exit load_run(const struct cli *cli, const void *values) {
    struct load load = { .cli = cli, .values = values };
    struct inventory inv = { 0 };
    struct error err;
    const char *name = cli->arg_count > 0 ? cli->args[0] : NULL;
    enum outcome outcome = OUTCOME_DONE;
    enum cli_exit code = CLI_DONE;
    if (!read_gpu(values, &load.gpu_layers, &load.gpu_share)) {
        return cli_fail(CLI_USAGE, "--gpu takes max, off or a share from 0 to 1.");
    }
    if (!adapters_are_good(&load.values->adapters)) {
        return cli_fail(CLI_USAGE, "--adapter takes a file, and after '=' a scale from -100 to "
                                   "100.");
    }
    if (load.values->prefetch && (load.values->estimate_only || has_load_settings(values))) {
        return cli_fail(CLI_USAGE, "--prefetch loads nothing; leave out what is about a load.");
    }
    if (load.gpu_share > 0 && !name) {
        return cli_fail(CLI_USAGE, "A share of the GPU needs the name of a model.");
    }
    if (load.gpu_share > 0)
        code = load_call_share(&load, name, &inv, &outcome, &err);
    else
        outcome = load_call_named(&load, name, &inv, &err);
    if (code == CLI_DONE) code = load_finish(&load, outcome, &err);
    yyjson_doc_free(load.answer);
    inventory_clear(&inv);
    return code;
}

const struct command command_load = {
    COMMAND(load, "load", "[<model>]", 0, 1),
    .summary = "Load a model and keep it until it is unloaded",
    .details = "<model> is a key that `ls` shows, or a part of one. Without it, or if "
               "several fit, you pick one on a terminal. Without --ttl the model stays "
               "however long it is idle. Ctrl-C cancels the load. --adapter may be given up "
               "to 8 times; what an adapter adds to the weights is multiplied by its scale (0: "
               "nothing, 1: as it was trained).",
};
