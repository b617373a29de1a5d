/* SPDX-License-Identifier: MIT */
/* The listings, loads, settings and the log of the fake server. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/words.h"
#include "base/xalloc.h"
#include "fake.h"

enum { MAX_INSTANCES = 8, MAX_BODY = 1 << 20 };

struct fake_model {
    const char *key, *rest;
};
static const struct fake_model models[] = {
    { "qwen2.5-0.5b-instruct",
      "\"type\":\"llm\",\"publisher\":\"qwen\",\"display_name\":\"Qwen2.5\",\"architecture\":"
      "\"qwen2\","
      "\"quantization\":{\"name\":\"Q8_0\",\"bits_per_weight\":8.5},\"size_bytes\":397810000,"
      "\"params_string\":\"0.5B\",\"max_context_length\":32768,\"format\":\"gguf\","
      "\"capabilities\":{\"vision\":false,\"trained_for_tool_use\":true},\"problem\":null" },
    { "qwen3-4b", "\"type\":\"llm\",\"publisher\":\"qwen\",\"display_name\":\"Qwen3\","
                  "\"architecture\":\"qwen3\","
                  "\"quantization\":null,\"size_bytes\":2000000000,\"params_string\":\"4B\","
                  "\"max_context_length\":40960,\"layers\":36,\"problem\":null" },
    { "名前-模型",
      "\"type\":\"llm\",\"architecture\":\"llama\",\"size_bytes\":1000,\"problem\":null" },
    { "broken",
      "\"type\":\"llm\",\"size_bytes\":10,\"problem\":\"The file \\u001b[31mis cut.\"" },
    { "text-embedding-nomic",
      "\"type\":\"embedding\",\"architecture\":\"nomic-bert\",\"size_bytes\":84110000" },
};

struct fake_instance {
    char id[128], model[128];
    double ttl; /* seconds; -1: none */
    int waiting;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fake_instance instances[MAX_INSTANCES];
static size_t instance_count;
static char auto_evict[16] = "on";
static bool cors;

static const struct fake_model *model_find(const char *key) {
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        if (strcmp(models[i].key, key) == 0) return &models[i];
    }
    return NULL;
}

static const char *text_of(yyjson_val *obj, const char *name, const char *missing) {
    const char *text = yyjson_get_str(yyjson_obj_get(obj, name));
    return text ? text : missing;
}

/* Instances called "busy" and "loading" are just that; "slow" and "wanted" are loading. */
static void add_instance(struct buf *out, const struct fake_instance *instance) {
    static const char *const loading[] = { "loading", "slow", "wanted" };
    const char *state = strcmp(instance->id, "busy") == 0        ? "busy"
                        : WORDS_FIND(loading, instance->id) >= 0 ? "loading"
                                                                 : "idle";
    buf_addf(out,
             "{\"id\":\"%s\",\"config\":{\"context_length\":4096,\"parallel\":4},\"origin\":"
             "\"explicit\",\"state\":\"%s\",\"load_progress\":%s,\"load_time_seconds\":0.5,"
             "\"last_used_at\":\"2026-11-22T14:03:07.123Z\",\"memory_bytes\":0,\"running\":0,"
             "\"waiting\":%d,\"pid\":77,",
             instance->id, state, strcmp(state, "loading") == 0 ? "0.42" : "1",
             instance->waiting);
    if (instance->ttl < 0) {
        buf_addf(out, "\"ttl\":null,\"idle_expires_in\":null}");
    } else if (strcmp(state, "idle") == 0) {
        buf_addf(out, "\"ttl\":%g,\"idle_expires_in\":%g}", instance->ttl, instance->ttl - 48);
    } else {
        buf_addf(out, "\"ttl\":%g,\"idle_expires_in\":null}", instance->ttl);
    }
}

static void get_models(const struct fake_request *r) {
    struct buf out = BUF_INIT(MAX_BODY);
    pthread_mutex_lock(&lock);
    buf_add_str(&out, "{\"models\":[");
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++) {
        buf_addf(&out, "%s{\"key\":\"%s\",%s,\"loaded_instances\":[", m ? "," : "",
                 models[m].key, models[m].rest);
        bool first = true;
        for (size_t i = 0; i < instance_count; i++) {
            if (strcmp(instances[i].model, models[m].key) != 0) continue;
            if (!first) buf_add_str(&out, ",");
            add_instance(&out, &instances[i]);
            first = false;
        }
        buf_add_str(&out, "]}");
    }
    buf_add_str(&out, "]}");
    pthread_mutex_unlock(&lock);
    fake_reply(r, 200, buf_str(&out));
    buf_clear(&out);
}

static void remember_instance(const char *id, const char *model, double ttl) {
    pthread_mutex_lock(&lock);
    if (instance_count < MAX_INSTANCES) {
        struct fake_instance *fresh = &instances[instance_count++];
        snprintf(fresh->id, sizeof fresh->id, "%s", id);
        snprintf(fresh->model, sizeof fresh->model, "%s", model);
        fresh->ttl = ttl;
        fresh->waiting = 0;
    }
    pthread_mutex_unlock(&lock);
}

static void set_waiting(const char *id, int waiting) {
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < instance_count; i++) {
        if (strcmp(instances[i].id, id) == 0) instances[i].waiting = waiting;
    }
    pthread_mutex_unlock(&lock);
}

/* The client of a load waits for it; for the load "wanted" others do, too. */
static int others_of(const char *id) {
    return strcmp(id, "wanted") == 0 ? 1 : 0;
}

/* The events of a load, with an event cut in two. */
static void stream_load(const struct fake_request *r, const char *id) {
    bool goes_on = strcmp(id, "slow") == 0 || strcmp(id, "wanted") == 0;
    if (goes_on) set_waiting(id, 1 + others_of(id)); /* before its client sees it begin */
    fake_stream_begin(r);
    fake_send(r, "event: progress\ndata: {\"progress\":0.25}\n\nevent: prog");
    fake_send(r, "ress\r\ndata: {\"progress\":0.5}\r\n\r\n");
    if (goes_on) {
        fake_wait_gone(r);
        set_waiting(id, others_of(id));
        return;
    }
    if (strcmp(id, "fails") == 0) {
        fake_send(r,
                  "event: error\ndata: {\"error\":{\"message\":\"The file is cut.\",\"type\":"
                  "\"server_error\",\"code\":\"model_load_failed\"}}\n\n");
        return;
    }
    if (strcmp(id, "cut") == 0) return;
    char *result = xasprintf("event: result\ndata: {\"type\":\"llm\",\"instance_id\":\"%s\","
                             "\"load_time_seconds\":1.25,\"status\":\"loaded\"}\n\n",
                             id);
    fake_send(r, result);
    free(result);
}

static void post_load(const struct fake_request *r) {
    yyjson_doc *doc = yyjson_read(buf_str(&r->body), r->body.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const char *model = text_of(root, "model", "");
    const char *id = text_of(root, "identifier", model);
    yyjson_val *ttl = yyjson_obj_get(root, "ttl");
    if (!model_find(model)) {
        fake_reply_error(r, 404, "model_not_found",
                         "There is no model like this; close names: qwen3-4b.");
    } else {
        bool stays = strcmp(id, "fails") != 0 && strcmp(id, "cut") != 0;
        if (stays) remember_instance(id, model, ttl ? yyjson_get_num(ttl) : -1);
        stream_load(r, id);
    }
    yyjson_doc_free(doc);
}

static void post_unload(const struct fake_request *r) {
    yyjson_doc *doc = yyjson_read(buf_str(&r->body), r->body.len, 0);
    const char *id = text_of(yyjson_doc_get_root(doc), "instance_id", "");
    bool all = yyjson_is_true(yyjson_obj_get(yyjson_doc_get_root(doc), "all")), found = all;
    pthread_mutex_lock(&lock);
    if (all) instance_count = 0;
    for (size_t i = 0; i < instance_count && !found; i++) {
        if (strcmp(instances[i].id, id) != 0) continue;
        instances[i] = instances[--instance_count];
        found = true;
    }
    pthread_mutex_unlock(&lock);
    if (found) {
        fake_reply(r, 200, "{\"instance_id\":\"x\"}");
    } else {
        fake_reply_error(r, 404, "model_not_found", "No instance has this name.");
    }
    yyjson_doc_free(doc);
}

static void get_settings(const struct fake_request *r) {
    char json[256];
    snprintf(json, sizeof json,
             "{\"jit\":true,\"default_ttl\":3600,\"auto_evict\":\"%s\",\"cors\":%s}",
             auto_evict, cors ? "true" : "false");
    fake_reply(r, 200, json);
}

/* auto_evict has to be a string and cors a bool, so that the kind of value sent can be seen. */
static void patch_settings(const struct fake_request *r) {
    yyjson_doc *doc = yyjson_read(buf_str(&r->body), r->body.len, 0);
    yyjson_val *evict = yyjson_obj_get(yyjson_doc_get_root(doc), "auto_evict");
    yyjson_val *open = yyjson_obj_get(yyjson_doc_get_root(doc), "cors");
    bool ok = yyjson_is_str(evict) || yyjson_is_bool(open);
    if (yyjson_is_str(evict)) {
        snprintf(auto_evict, sizeof auto_evict, "%s", yyjson_get_str(evict));
    }
    if (yyjson_is_bool(open)) cors = yyjson_get_bool(open);
    yyjson_doc_free(doc);
    if (ok) {
        get_settings(r);
    } else {
        fake_reply_error(r, 400, "invalid_request_error", "This setting is of another kind.");
    }
}

/* Three prompts of two models, one of them of qwen3-4b. */
static void delete_prompts(const struct fake_request *r) {
    const char *key = r->path + strlen("/api/v1/prompts");
    if (strcmp(key, "/nowhere") == 0) {
        fake_reply_error(r, 404, "model_not_found",
                         "There is no such place; GET /v1/models lists those there are.");
    } else if (*key) {
        fake_reply(r, 200, "{\"deleted\":1,\"bytes\":8000000}");
    } else {
        fake_reply(r, 200, "{\"deleted\":3,\"bytes\":24000000}");
    }
}

static void get_log(const struct fake_request *r) {
    fake_stream_begin(r);
    if (strstr(r->path, "source=server")) {
        fake_send(r,
                  "data: {\"at\":0,\"source\":\"server\",\"level\":\"info\",\"type\":\"line\","
                  "\"text\":\"a line\"}\n\n");
        return;
    }
    fake_send(
        r, ": hello\n\ndata: {\"at\":0,\"source\":\"model\",\"type\":\"input\",\"model\":\"m\","
           "\"text\":\"the prompt\"}\n\n");
    if (strstr(r->path, "filter=input") && !strstr(r->path, "output")) return;
    fake_send(r, "data: {\"at\":0,\"source\":\"model\",\"type\":\"output\",\"model\":\"m\","
                 "\"text\":\"the answer\"}\n\n");
    if (!strstr(r->path, "stats=true")) return;
    fake_send(r, "data: {\"at\":0,\"source\":\"model\",\"type\":\"stats\",\"model\":\"m\","
                 "\"stats\":{\"tokens\":7}}\n\n");
}

static void get_health(const struct fake_request *r) {
    char json[128];
    snprintf(json, sizeof json, "{\"status\":\"ok\",\"pid\":%d,\"version\":\"9.9\"}",
             (int)getpid());
    fake_reply(r, 200, json);
}

/* Two events in a day; a week has more than fit; in an hour nothing happened; of two hours we
 * hear half; 3d is refused. */
static void get_history(const struct fake_request *r) {
    if (strstr(r->path, "since=3d")) {
        fake_reply_error(r, 400, "invalid_request", "'since' is odd today.");
        return;
    }
    if (strstr(r->path, "since=2h")) {
        fake_reply(r, 200, "{\"events\":[");
        return;
    }
    bool none = strstr(r->path, "since=1h") != NULL;
    bool more = strstr(r->path, "since=7d") != NULL;
    struct buf json = BUF_INIT(MAX_BODY);
    buf_add_str(&json, "{\"from\":0,\"until\":9,\"events\":[");
    if (!none) {
        buf_add_str(&json,
                    "{\"run\":1,\"seq\":7,\"at\":1795352746066,\"id\":\"qwen3-4b\",\"model\":"
                    "\"qwen3-4b\",\"from\":\"idle\",\"to\":\"unloading\",\"reason\":\"ttl\"},"
                    "{\"run\":2,\"seq\":1,\"at\":1795352746123,\"id\":\"m\\u001b[31m\","
                    "\"model\":\"m\",\"from\":\"loading\",\"to\":\"absent\",\"reason\":"
                    "\"load_failed\",\"error\":\"The file is cut.\"}");
    }
    buf_addf(&json, "],\"memory\":[],\"truncated\":%s}", more ? "true" : "false");
    fake_reply(r, 200, buf_str(&json));
    buf_clear(&json);
}

static void get_explain(const struct fake_request *r) {
    if (strstr(r->path, "model=nope"))
        fake_reply(r, 200,
                   "{\"outcome\":\"refused\",\"code\":\"model_not_found\","
                   "\"sentence\":\"No model is called nope.\",\"instances\":[]}");
    else
        fake_reply(
            r, 200,
            "{\"outcome\":\"served\",\"sentence\":\"It would be served.\",\"instances\":[]}");
}

struct route {
    const char *method, *path;
    void (*answer)(const struct fake_request *r);
};
static const struct route routes[] = {
    { "GET", "/health", get_health },
    { "GET", "/api/v1/models", get_models },
    { "POST", "/api/v1/models/load", post_load },
    { "POST", "/api/v1/models/unload", post_unload },
    { "GET", "/api/v1/settings", get_settings },
    { "PATCH", "/api/v1/settings", patch_settings },
    { "GET", "/api/v1/log", get_log },
    { "GET", "/api/v1/history", get_history },
    { "GET", "/api/v1/explain", get_explain },
};

static bool has_key(const struct fake_request *r) {
    const char *key = getenv("FAKE_KEY");
    return !key || strcmp(key, r->key) == 0;
}

/* Everything but /health wants the key that the environment says, if it says one. */
bool fake_routes(const struct fake_request *r) {
    size_t len = strcspn(r->path, "?");
    if (strcmp(r->path, "/health") != 0 && !has_key(r)) {
        fake_reply_error(r, 401, "invalid_api_key", "This server wants an API key.");
        return true;
    }
    if (strcmp(r->method, "DELETE") == 0) {
        delete_prompts(r);
        return true;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(r->method, routes[i].method) != 0 || strlen(routes[i].path) != len) continue;
        if (strncmp(r->path, routes[i].path, len) != 0) continue;
        routes[i].answer(r);
        return true;
    }
    return false;
}
