/* SPDX-License-Identifier: MIT */
/* What is listed of a snapshot (NAME.snapshot.json, fields of struct model_view and
 * instance_view) by each dialect: NAME.openai.json, NAME.v0.json, NAME.v1.json, and
 * NAME.ollama-tags.json, NAME.ollama-ps.json, NAME.ollama-show.jsonl. */
#include <string.h>

#include "api/lmstudio_rest/v0.h"
#include "api/lmstudio_rest/v1.h"
#include "api/ollama/ollama.h"
#include "api/openai/openai.h"
#include "base/json.h"
#include "cmocka_prelude.h"
#include "golden.h"

enum { MODELS_MAX = 16, INSTANCES_MAX = 8, SETTINGS_MAX = MODELS_MAX * INSTANCES_MAX };

/* Of the instances of one snapshot, in the order in which they are read. */
static struct load_settings instance_settings[SETTINGS_MAX];
static size_t used;

static const char *str(yyjson_val *obj, const char *name) {
    return yyjson_get_str(yyjson_obj_get(obj, name));
}

static int64_t integer(yyjson_val *obj, const char *name) {
    return yyjson_get_sint(yyjson_obj_get(obj, name));
}

/* null or absent: never. */
static int64_t span(yyjson_val *obj, const char *name) {
    yyjson_val *val = yyjson_obj_get(obj, name);
    return yyjson_is_int(val) ? yyjson_get_sint(val) : MSEC_NEVER;
}

static bool truth(yyjson_val *obj, const char *name) {
    return yyjson_get_bool(yyjson_obj_get(obj, name));
}

static enum instance_state state_read(yyjson_val *from) {
    for (int i = INSTANCE_LOADING; i <= INSTANCE_QUEUED; i++) {
        if (yyjson_equals_str(yyjson_obj_get(from, "state"),
                              instance_state_name((enum instance_state)i))) {
            return (enum instance_state)i;
        }
    }
    fail_msg("no such state: %s", str(from, "state"));
    return INSTANCE_IDLE;
}

static enum model_type type_read(yyjson_val *from) {
    bool embeds = yyjson_equals_str(yyjson_obj_get(from, "type"), "embeddings");
    return embeds ? MODEL_EMBEDDINGS : MODEL_LLM;
}

static enum instance_origin origin_read(yyjson_val *from) {
    enum instance_origin origin = ORIGIN_JIT;
    assert_true(instance_origin_parse(str(from, "origin"), &origin));
    return origin;
}

static struct instance_view instance_read(yyjson_val *from, struct load_settings *settings) {
    *settings = (struct load_settings){
        .context_length = integer(from, "context_length"),
        .eval_batch_size = integer(from, "eval_batch_size"),
        .parallel = integer(from, "parallel"),
        .flash_attention = truth(from, "flash_attention"),
        .offload_kv_cache_to_gpu = truth(from, "offload_kv_cache_to_gpu"),
    };
    return (struct instance_view){
        .identifier = str(from, "identifier"),
        .model_key = str(from, "model_key"),
        .type = type_read(from),
        .origin = origin_read(from),
        .state = state_read(from),
        .load_progress = yyjson_get_num(yyjson_obj_get(from, "load_progress")),
        .ttl = span(from, "ttl"),
        .expires_in = span(from, "expires_in"),
        .idle_expires_at = integer(from, "idle_expires_at"),
        .last_used_at = integer(from, "last_used_at"),
        .loaded_at = integer(from, "loaded_at"),
        .load_time_seconds = yyjson_get_num(yyjson_obj_get(from, "load_time_seconds")),
        .memory_bytes = yyjson_get_uint(yyjson_obj_get(from, "memory_bytes")),
        .device_memory_bytes = yyjson_get_uint(yyjson_obj_get(from, "device_memory_bytes")),
        .settings = settings,
        .keep = truth(from, "keep"),
        .running = (uint32_t)integer(from, "running"),
        .waiting = (uint32_t)integer(from, "waiting"),
        .pid = (int)integer(from, "pid"),
    };
}

static struct model_view model_read(yyjson_val *from, struct instance_view *instances) {
    yyjson_val *list = yyjson_obj_get(from, "instances"), *item;
    size_t i, count;
    yyjson_arr_foreach(list, i, count, item) {
        assert_true(i < INSTANCES_MAX);
        instances[i] = instance_read(item, &instance_settings[used++ % SETTINGS_MAX]);
    }
    return (struct model_view){
        .key = str(from, "key"),
        .publisher = str(from, "publisher"),
        .display_name = str(from, "display_name"),
        .path = str(from, "path"),
        .architecture = str(from, "architecture"),
        .quantization = str(from, "quantization"),
        .params_string = str(from, "params_string"),
        .type = type_read(from),
        .license = str(from, "license"),
        .problem = str(from, "problem"),
        .bits_per_weight = yyjson_get_num(yyjson_obj_get(from, "bits_per_weight")),
        .size_bytes = yyjson_get_uint(yyjson_obj_get(from, "size_bytes")),
        .parameters = yyjson_get_uint(yyjson_obj_get(from, "parameters")),
        .max_context_length = integer(from, "max_context_length"),
        .modified_at = integer(from, "modified_at"),
        .chat_template = truth(from, "chat_template"),
        .tool_use = truth(from, "tool_use"),
        .reasoning = truth(from, "reasoning"),
        .ranks = truth(from, "ranks"),
        .instances = instances,
        .instance_count = yyjson_arr_size(list),
    };
}

/* Every id that is listed is found by itself, with the same object; no other is. */
static void check_each(const struct service_models *models, const struct buf *list,
                       bool (*one)(const struct service_models *, const char *, struct buf *)) {
    struct error err = { 0 };
    yyjson_doc *doc = json_parse(list->data, list->len, &err);
    assert_non_null(doc);
    yyjson_val *data = yyjson_obj_get(yyjson_doc_get_root(doc), "data"), *entry;
    size_t i, count;
    yyjson_arr_foreach(data, i, count, entry) {
        struct buf alone = BUF_INIT(1 << 16), same = BUF_INIT(1 << 16);
        assert_true(one(models, str(entry, "id"), &alone));
        assert_true(json_write_val(entry, &same));
        assert_string_equal(buf_str(&alone), buf_str(&same));
        buf_clear(&alone);
        buf_clear(&same);
    }
    struct buf none = BUF_INIT(1 << 16);
    assert_false(one(models, "no such model", &none));
    assert_int_equal(none.len, 0);
    yyjson_doc_free(doc);
}

/* The header of a model's file: fields of struct ollama_file in "file" of the model. */
static void format_show(const struct model_view *model, yyjson_val *from, struct buf *out) {
    yyjson_val *info = yyjson_obj_get(from, "info");
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    if (info) yyjson_mut_doc_set_root(doc, yyjson_val_mut_copy(doc, info));
    struct ollama_file file = { doc, str(from, "template"), truth(from, "infill") };
    ollama_format_show(model, &file, out);
    yyjson_mut_doc_free(doc);
}

static void check_ollama(const struct golden_case *c, const struct service_models *models,
                         yyjson_val *list) {
    struct buf out = BUF_INIT(1 << 20);
    ollama_format_tags(models, &out);
    golden_check(c, ".ollama-tags.json", &out);
    buf_reset(&out);
    ollama_format_ps(models, 1700000002000, &out);
    golden_check(c, ".ollama-ps.json", &out);
    buf_reset(&out);
    for (size_t i = 0; i < models->count; i++) {
        yyjson_val *from = yyjson_arr_get(list, i);
        format_show(&models->models[i], yyjson_obj_get(from, "file"), &out);
        assert_true(buf_add_str(&out, "\n"));
    }
    golden_check(c, ".ollama-show.jsonl", &out);
    buf_clear(&out);
}

static void check_lists(const struct golden_case *c, const struct service_models *models) {
    struct buf out = BUF_INIT(1 << 20);
    openai_format_models(models, &out);
    check_each(models, &out, openai_format_model);
    golden_check(c, ".openai.json", &out);
    buf_reset(&out);
    lmstudio_v0_format_models(models, &out);
    check_each(models, &out, lmstudio_v0_format_model);
    golden_check(c, ".v0.json", &out);
    buf_reset(&out);
    lmstudio_v1_format_models(models, &out);
    golden_check(c, ".v1.json", &out);
    buf_clear(&out);
}

static void run(const struct golden_case *c) {
    static struct instance_view instances[MODELS_MAX][INSTANCES_MAX];
    static struct model_view models[MODELS_MAX];
    struct error err = { 0 };
    struct buf text;
    assert_true(golden_read(c, ".snapshot.json", &text));
    yyjson_doc *doc = json_parse_object(text.data, text.len, &err);
    if (!doc) fail_msg("%s", err.text);
    yyjson_val *root = yyjson_doc_get_root(doc), *item;
    size_t i, count;
    yyjson_arr_foreach(yyjson_obj_get(root, "models"), i, count, item) {
        assert_true(i < MODELS_MAX);
        models[i] = model_read(item, instances[i]);
    }
    struct service_models snapshot = { .models = models,
                                       .count = count,
                                       .jit = truth(root, "jit") };
    check_lists(c, &snapshot);
    check_ollama(c, &snapshot, yyjson_obj_get(root, "models"));
    yyjson_doc_free(doc);
    buf_clear(&text);
}

int main(void) {
    return golden_run("models", ".snapshot.json", run) != 0;
}
