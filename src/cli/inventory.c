/* SPDX-License-Identifier: MIT */
#include "cli/inventory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "cli/fields.h"

static void read_instance(yyjson_val *obj, const char *model_key, struct listed_instance *ret) {
    yyjson_val *config = yyjson_obj_get(obj, "config");
    yyjson_val *cache = yyjson_obj_get(obj, "prompt_cache");
    *ret = (struct listed_instance){
        .id = field_str(obj, "id"),
        .model_key = model_key,
        .state = field_str(obj, "state"),
        .origin = field_str(obj, "origin"),
        .progress = field_num(obj, "load_progress", 0),
        .memory_bytes = field_bytes(obj, "memory_bytes"),
        .device_memory_bytes = field_bytes(obj, "device_memory_bytes"),
        .device = field_str(obj, "device"),
        .draft_model = field_str(obj, "draft_model"),
        .context_length = field_int(config, "context_length"),
        .parallel = field_int(config, "parallel"),
        .running = field_int(obj, "running"),
        .waiting = field_int(obj, "waiting"),
        .pid = field_int(obj, "pid"),
        .ttl = field_span(obj, "ttl"),
        .expires_in = field_span(obj, "idle_expires_in"),
        .last_used_at = field_time(obj, "last_used_at"),
        .load_time_seconds = field_num(obj, "load_time_seconds", 0),
        .prompts_kept = field_int(cache, "entries"),
        .prompt_hits = field_int(cache, "hits"),
        .prompt_bytes = field_bytes(cache, "bytes"),
        .adapters = yyjson_obj_get(config, "adapters"),
    };
}

static void read_model(yyjson_val *obj, struct listed_model *ret) {
    yyjson_val *quantization = yyjson_obj_get(obj, "quantization");
    yyjson_val *can = yyjson_obj_get(obj, "capabilities");
    *ret = (struct listed_model){
        .key = field_str(obj, "key"),
        .type = field_str(obj, "type"),
        .publisher = field_str(obj, "publisher"),
        .display_name = field_str(obj, "display_name"),
        .architecture = field_str(obj, "architecture"),
        .params = field_str(obj, "params_string"),
        .problem = field_str(obj, "problem"),
        .path = field_str(obj, "path"),
        .license = field_str(obj, "license"),
        .quantization = field_str(quantization, "name"),
        .bits_per_weight = field_num(quantization, "bits_per_weight", 0),
        .size_bytes = field_bytes(obj, "size_bytes"),
        .max_context_length = field_int(obj, "max_context_length"),
        .layers = field_int(obj, "layers"),
        .vision = yyjson_is_true(yyjson_obj_get(can, "vision")),
        .tool_use = yyjson_is_true(yyjson_obj_get(can, "trained_for_tool_use")),
        .reasoning = yyjson_obj_get(can, "reasoning") != NULL,
        .ranks = yyjson_is_true(yyjson_obj_get(can, "rerank")),
        .chat_template = yyjson_is_true(yyjson_obj_get(obj, "chat_template")),
    };
}

/* Of all models together. */
static size_t count_members(yyjson_val *models, const char *list) {
    size_t count = 0, i, max;
    yyjson_val *model;
    yyjson_arr_foreach(models, i, max, model) {
        count += yyjson_arr_size(yyjson_obj_get(model, list));
    }
    return count;
}

static void read_parked(yyjson_val *model, const char *key, struct inventory *inv) {
    size_t i, max;
    yyjson_val *worker;
    yyjson_arr_foreach(yyjson_obj_get(model, "parked_workers"), i, max, worker) {
        inv->parked[inv->parked_count++] =
            (struct listed_parked){ .model_key = key,
                                    .memory_bytes = field_bytes(worker, "memory_bytes"),
                                    .expires_at = field_time(worker, "expires_at") };
    }
}

static void read_models(yyjson_val *models, struct inventory *inv) {
    size_t i, max, j, jmax;
    yyjson_val *model, *instance;
    yyjson_arr_foreach(models, i, max, model) {
        struct listed_model *row = &inv->models[inv->model_count++];
        read_model(model, row);
        row->first_instance = inv->instance_count;
        yyjson_arr_foreach(yyjson_obj_get(model, "loaded_instances"), j, jmax, instance) {
            read_instance(instance, row->key, &inv->instances[inv->instance_count++]);
        }
        row->instance_count = inv->instance_count - row->first_instance;
        read_parked(model, row->key, inv);
    }
}

bool inventory_read(yyjson_doc *doc, struct inventory *ret, struct error *err) {
    yyjson_val *models = yyjson_obj_get(yyjson_doc_get_root(doc), "models");
    if (!yyjson_is_arr(models)) {
        yyjson_doc_free(doc);
        return error_set(err, ERR_INTERNAL,
                         "The server's list of models cannot be read; is it a doze server?");
    }
    struct inventory inv = {
        .doc = doc,
        .models = xcalloc(yyjson_arr_size(models), sizeof *inv.models),
        .instances = xcalloc(count_members(models, "loaded_instances"), sizeof *inv.instances),
        .parked = xcalloc(count_members(models, "parked_workers"), sizeof *inv.parked),
    };
    read_models(models, &inv);
    *ret = inv;
    return true;
}

void inventory_clear(struct inventory *inv) {
    free(inv->models);
    free(inv->instances);
    free(inv->parked);
    yyjson_doc_free(inv->doc);
    *inv = (struct inventory){ 0 };
}

enum outcome inventory_fetch(const struct cli *cli, struct inventory *ret, struct error *err) {
    yyjson_doc *doc = NULL;
    enum outcome outcome = client_get(cli, "/api/v1/models", &doc, err);
    if (outcome == OUTCOME_DONE && !inventory_read(doc, ret, err)) return OUTCOME_BROKEN;
    return outcome;
}

void instance_status(const struct listed_instance *instance, char text[STATUS_TEXT]) {
    static const char *const labels[][2] = {
        { "idle", "IDLE" },         { "busy", "GENERATING" },     { "loading", "LOADING" },
        { "draining", "DRAINING" }, { "unloading", "UNLOADING" }, { "queued", "QUEUED" },
    };
    const char *label = instance->state;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        if (strcmp(instance->state, labels[i][0]) == 0) label = labels[i][1];
    }
    if (strcmp(instance->state, "loading") == 0) {
        double progress = fmin(fmax(instance->progress, 0), 1);
        snprintf(text, STATUS_TEXT, "%s %d%%", label, (int)(progress * 100));
    } else {
        snprintf(text, STATUS_TEXT, "%s", label);
    }
}

enum outcome instance_unload(const struct cli *cli, const char *id, struct error *err) {
    yyjson_mut_val *root;
    yyjson_mut_doc *body = json_object_new(&root);
    if (id)
        yyjson_mut_obj_add_str(body, root, "instance_id", id);
    else
        yyjson_mut_obj_add_bool(body, root, "all", true);
    struct call call = { .method = "POST", .path = "/api/v1/models/unload", .body = body };
    enum outcome outcome = client_call(cli, &call, NULL, err);
    yyjson_mut_doc_free(body);
    return outcome;
}

bool listed_model_embeds(const struct listed_model *model) {
    return strncmp(model->type, "embedding", strlen("embedding")) == 0;
}
