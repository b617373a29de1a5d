/* SPDX-License-Identifier: MIT */
#include "cli/inventory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/xalloc.h"

static const char *get_str(yyjson_val *obj, const char *name) {
    const char *text = yyjson_get_str(yyjson_obj_get(obj, name));
    return text ? text : "";
}

static double get_num(yyjson_val *obj, const char *name, double missing) {
    yyjson_val *val = yyjson_obj_get(obj, name);
    double number = yyjson_is_num(val) ? yyjson_get_num(val) : missing;
    return isfinite(number) && fabs(number) < 9e15 ? number : missing;
}

static int64_t get_int(yyjson_val *obj, const char *name) {
    return (int64_t)get_num(obj, name, 0);
}

static nbytes get_bytes(yyjson_val *obj, const char *name) {
    double number = get_num(obj, name, 0);
    return number > 0 ? (nbytes)number : 0;
}

/* Seconds, or null for never. */
static msec get_span(yyjson_val *obj, const char *name) {
    double seconds = get_num(obj, name, -1);
    return seconds < 0 || seconds > 1e12 ? MSEC_NEVER : (msec)(seconds * 1000);
}

/* "2026-11-22T14:03:07.123Z" as Unix ms; 0 if it is none. */
static msec get_time(yyjson_val *obj, const char *name) {
    struct tm tm = { 0 };
    const char *rest = strptime(get_str(obj, name), "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest) return 0;
    double fraction = *rest == '.' ? strtod(rest, NULL) : 0;
    return (msec)timegm(&tm) * 1000 + llround(fraction * 1000);
}

static void read_instance(yyjson_val *obj, const char *model_key, struct listed_instance *ret) {
    yyjson_val *config = yyjson_obj_get(obj, "config");
    yyjson_val *cache = yyjson_obj_get(obj, "prompt_cache");
    *ret = (struct listed_instance){
        .id = get_str(obj, "id"),
        .model_key = model_key,
        .state = get_str(obj, "state"),
        .origin = get_str(obj, "origin"),
        .progress = get_num(obj, "load_progress", 0),
        .memory_bytes = get_bytes(obj, "memory_bytes"),
        .context_length = get_int(config, "context_length"),
        .parallel = get_int(config, "parallel"),
        .running = get_int(obj, "running"),
        .waiting = get_int(obj, "waiting"),
        .pid = get_int(obj, "pid"),
        .ttl = get_span(obj, "ttl"),
        .expires_in = get_span(obj, "idle_expires_in"),
        .last_used_at = get_time(obj, "last_used_at"),
        .load_time_seconds = get_num(obj, "load_time_seconds", 0),
        .prompts_kept = get_int(cache, "entries"),
        .prompt_hits = get_int(cache, "hits"),
        .prompt_bytes = get_bytes(cache, "bytes"),
    };
}

static void read_model(yyjson_val *obj, struct listed_model *ret) {
    yyjson_val *quantization = yyjson_obj_get(obj, "quantization");
    yyjson_val *can = yyjson_obj_get(obj, "capabilities");
    *ret = (struct listed_model){
        .key = get_str(obj, "key"),
        .type = get_str(obj, "type"),
        .publisher = get_str(obj, "publisher"),
        .display_name = get_str(obj, "display_name"),
        .architecture = get_str(obj, "architecture"),
        .params = get_str(obj, "params_string"),
        .problem = get_str(obj, "problem"),
        .path = get_str(obj, "path"),
        .quantization = get_str(quantization, "name"),
        .bits_per_weight = get_num(quantization, "bits_per_weight", 0),
        .size_bytes = get_bytes(obj, "size_bytes"),
        .max_context_length = get_int(obj, "max_context_length"),
        .vision = yyjson_is_true(yyjson_obj_get(can, "vision")),
        .tool_use = yyjson_is_true(yyjson_obj_get(can, "trained_for_tool_use")),
    };
}

static size_t count_instances(yyjson_val *models) {
    size_t count = 0, i, max;
    yyjson_val *model;
    yyjson_arr_foreach(models, i, max, model) {
        count += yyjson_arr_size(yyjson_obj_get(model, "loaded_instances"));
    }
    return count;
}

static void read_all(yyjson_val *models, struct inventory *inv) {
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
    }
}

bool inventory_parse(const char *text, size_t len, struct inventory *ret, struct error *err) {
    struct inventory inv = { .doc = json_parse_object(text, len, err) };
    if (!inv.doc) return false;
    yyjson_val *models = yyjson_obj_get(yyjson_doc_get_root(inv.doc), "models");
    if (!yyjson_is_arr(models)) {
        yyjson_doc_free(inv.doc);
        return error_set(err, ERR_INTERNAL,
                         "The server's list of models cannot be read; is it a doze server?");
    }
    inv.models = xcalloc(yyjson_arr_size(models), sizeof *inv.models);
    inv.instances = xcalloc(count_instances(models), sizeof *inv.instances);
    read_all(models, &inv);
    *ret = inv;
    return true;
}

void inventory_clear(struct inventory *inv) {
    free(inv->models);
    free(inv->instances);
    yyjson_doc_free(inv->doc);
    *inv = (struct inventory){ 0 };
}

enum outcome inventory_fetch(const struct cli *cli, struct inventory *ret, struct error *err) {
    struct buf body;
    enum outcome outcome = client_get(cli, "/api/v1/models", &body, err);
    if (outcome == OUTCOME_DONE && !inventory_parse(buf_str(&body), body.len, ret, err)) {
        outcome = OUTCOME_BROKEN;
    }
    buf_clear(&body);
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
