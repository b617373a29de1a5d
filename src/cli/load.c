/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/body.h"
#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/load_pick.h"
#include "cli/progress.h"
#include "cli/show.h"

struct load_values {
    struct option_ttl ttl;
    struct option_int context_length, parallel, gpu_layers;
    const char *identifier, *gpu;
    bool keep, force, yes, json;
};

static const struct option_row load_options[] = {
    OPTION(load, ttl, "ttl", 0, "<seconds>", "Unload after this idle time (3600, 5m, none)"),
    OPTION(load, context_length, "context-length", 'c', "<tokens>", "Size of the context",
           .min = 1, .max = 1 << 30),
    OPTION(load, parallel, "parallel", 0, "<n>", "Requests worked on at the same time",
           .min = 1, .max = 256),
    OPTION(load, identifier, "identifier", 0, "<name>",
           "Name to use in the API (default: the key)"),
    OPTION(load, gpu, "gpu", 0, "<max|off>", "All layers on the GPU, or none"),
    OPTION(load, gpu_layers, "gpu-layers", 0, "<n>", "So many layers on the GPU (-1: all)",
           .min = -1, .max = 65536),
    FLAG(load, keep, "keep", 0, "Load it again when the server starts"),
    FLAG(load, force, "force", 0, "Load it even if memory looks too small"),
    FLAG(load, yes, "yes", 'y', "Do not ask: take the first model that fits"),
    FLAG(load, json, "json", 0, "Print the server's answer as JSON"),
};

/* The load while it runs. */
struct load {
    const char *model;
    struct progress progress;
    struct buf result; /* JSON of the answer */
    bool failed;
    struct error err; /* of an error event */
};

/* --gpu as lms has it. Shares in between would need the model's number of layers. */
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

static void body_format(const struct load_values *v, const struct option_int *gpu_layers,
                        const char *model, struct buf *out) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "model", model);
    if (v->identifier) yyjson_mut_obj_add_str(doc, root, "identifier", v->identifier);
    body_add_ttl(doc, &v->ttl);
    body_add_int(doc, "context_length", &v->context_length);
    body_add_int(doc, "parallel", &v->parallel);
    body_add_int(doc, "gpu_layers", gpu_layers);
    if (v->keep) yyjson_mut_obj_add_bool(doc, root, "keep", true);
    if (v->force) yyjson_mut_obj_add_bool(doc, root, "force", true);
    json_write(doc, out);
    yyjson_mut_doc_free(doc);
}

static void on_progress(struct load *load, const char *text, size_t len) {
    struct error ignored;
    double fraction = 0;
    char label[300];
    yyjson_doc *doc = json_parse_object(text, len, &ignored);
    if (doc &&
        json_read_double(yyjson_doc_get_root(doc), "progress", 0, 1, &fraction, &ignored)) {
        snprintf(label, sizeof label, "Loading %s", load->model);
        progress_show(&load->progress, label, fraction);
    }
    yyjson_doc_free(doc);
}

static void on_event(void *ctx, const struct sse_event *ev) {
    struct load *load = ctx;
    if (ev->kind == SSE_COMMENT) return;
    if (strcmp(ev->name, "progress") == 0) {
        on_progress(load, ev->text, ev->len);
    } else if (strcmp(ev->name, "result") == 0) {
        buf_reset(&load->result);
        buf_add(&load->result, ev->text, ev->len);
    } else if (strcmp(ev->name, "error") == 0) {
        load->failed = true;
        client_read_error(ev->text, ev->len, 500, &load->err);
    }
}

/* What a load is made of, apart from the name. */
struct job {
    const struct cli *cli;
    const struct load_values *values;
    struct option_int gpu_layers;
    struct buf result; /* JSON of the answer, after OUTCOME_DONE */
};

static enum outcome wait_for(const struct job *job, const char *body, struct load *load,
                             struct error *err) {
    struct call call = { .method = "POST",
                         .path = "/api/v1/models/load",
                         .body = body,
                         .on_event = on_event,
                         .ctx = load,
                         .cancel_fd = interrupt_open() };
    enum outcome outcome = client_call(job->cli, &call, &load->result, err);
    if (outcome == OUTCOME_CANCELLED) interrupt_drain(call.cancel_fd);
    interrupt_close(call.cancel_fd);
    progress_clear(&load->progress);
    if (outcome != OUTCOME_DONE) return outcome;
    if (load->failed) {
        *err = load->err;
        return OUTCOME_REFUSED;
    }
    if (load->result.len > 0) return OUTCOME_DONE;
    error_set(err, ERR_IO, "The server ended the load without an answer; see its log.");
    return OUTCOME_BROKEN;
}

static enum outcome job_load(struct job *job, const char *model, struct error *err) {
    struct load load = { .model = model, .result = BUF_INIT(CLIENT_MAX_BODY) };
    struct buf body = BUF_INIT(1 << 20);
    body_format(job->values, &job->gpu_layers, model, &body);
    enum outcome outcome = wait_for(job, buf_str(&body), &load, err);
    buf_clear(&body);
    buf_clear(&job->result);
    job->result = load.result;
    return outcome;
}

/* Load the model whose key the person meant; `before` is the server's refusal of the name as it
 * was typed, which is told if nothing fits. */
static enum outcome job_load_picked(struct job *job, const char *part,
                                    const struct error *before, struct error *err) {
    struct inventory inv;
    const char *key = NULL;
    enum outcome outcome = inventory_fetch(job->cli, &inv, err);
    if (outcome != OUTCOME_DONE) return outcome;
    switch (load_pick(&inv, part, job->values->yes, &key, err)) {
    case PICK_ONE:
        outcome = job_load(job, key, err);
        break;
    case PICK_NONE:
        *err = *before;
        outcome = OUTCOME_REFUSED;
        break;
    case PICK_MANY:
        outcome = OUTCOME_REFUSED;
        break;
    }
    inventory_clear(&inv);
    return outcome;
}

static void print_result(const struct buf *result) {
    struct error ignored;
    yyjson_doc *doc = json_parse_object(buf_str(result), result->len, &ignored);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const char *id = yyjson_get_str(yyjson_obj_get(root, "instance_id"));
    double seconds = yyjson_get_num(yyjson_obj_get(root, "load_time_seconds"));
    if (seconds < 1) {
        printf("Model loaded successfully in %.0f ms.\n", seconds * 1000);
    } else {
        printf("Model loaded successfully in %.2f s.\n", seconds);
    }
    if (id) printf("To use the model in the API/SDK, use the identifier \"%s\".\n", id);
    yyjson_doc_free(doc);
}

static enum cli_exit job_tell(const struct job *job, enum outcome outcome,
                              const struct error *err) {
    if (outcome == OUTCOME_CANCELLED) return cli_fail(CLI_FAILED, "The load was cancelled.");
    if (outcome != OUTCOME_DONE) return client_fail(outcome, err);
    if (job->values->json) {
        puts(buf_str(&job->result));
    } else {
        print_result(&job->result);
    }
    return CLI_DONE;
}

static enum cli_exit load_run(const struct cli *cli, const void *values) {
    struct job job = { .cli = cli, .values = values };
    struct error err, before;
    enum outcome outcome = OUTCOME_REFUSED;
    error_set(&before, ERR_MODEL_NOT_FOUND, "Say which model to load; `%s ls` lists them.",
              cli->program);
    if (!read_gpu(values, &job.gpu_layers)) {
        return cli_fail(CLI_USAGE, "--gpu takes max or off; for a part use --gpu-layers.");
    }
    if (cli->arg_count > 0) outcome = job_load(&job, cli->args[0], &before);
    err = before;
    if (outcome == OUTCOME_REFUSED && before.code == ERR_MODEL_NOT_FOUND) {
        outcome = job_load_picked(&job, cli->arg_count > 0 ? cli->args[0] : NULL, &before,
                                  &err);
    }
    enum cli_exit code = job_tell(&job, outcome, &err);
    buf_clear(&job.result);
    return code;
}

const struct command command_load = {
    .name = "load",
    .args = "[<model>]",
    .summary = "Load a model and keep it until told, or for its ttl",
    .details = "<model> is a key as `ls` shows it, or a part of one. Ctrl-C cancels the load.",
    COMMAND_OPTIONS(load),
    .max_args = 1,
    .run = load_run,
};
