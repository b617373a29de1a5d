/* SPDX-License-Identifier: MIT */
#include "ws_fake_parts.h"

#include <string.h>

#include "base/json.h"
#include "base/words.h"

static double number_of(yyjson_val *obj, const char *name) {
    return yyjson_get_num(yyjson_obj_get(obj, name));
}

/* A line as GET /api/v1/log writes it. */
static void log_say(struct fake *f, const char *json) {
    static const char *const types[] = { "line", "request", "input", "output", "stats" };
    struct error err;
    yyjson_doc *doc = json_parse_object(json, strlen(json), &err);
    yyjson_val *root = yyjson_doc_get_root(doc), *stats = yyjson_obj_get(root, "stats");
    int kind = WORDS_FIND(types, json_find_str(root, "type"));
    const char *text = json_find_str(root, "text"), *model = json_find_str(root, "model");
    bool mine = model && strcmp(model, fake_instances[0].identifier) == 0;
    struct log_line line = {
        .kind = kind < 0 ? LOG_SERVER : (enum log_kind)kind,
        .at = yyjson_get_sint(yyjson_obj_get(root, "at")),
        .text = text ? text : "",
        .instance = mine ? fake_instances[0].reference : 0,
        .model = model ? model : "",
        .usage = { .prompt_tokens = (int64_t)number_of(stats, "prompt_tokens"),
                   .completion_tokens = (int64_t)number_of(stats, "completion_tokens") },
        .timing = { .time_to_first_token = number_of(stats, "time_to_first_token"),
                    .generation = number_of(stats, "generation_time") },
        .stop_reason = stop_reason_parse(json_find_str(stats, "stop_reason")),
    };
    const char *level = json_find_str(root, "level");
    (void)(level && log_level_parse(level, &line.level));
    if (f->log) f->log(f->log_ctx, &line);
    yyjson_doc_free(doc);
}

static struct fake_call *last_call(struct fake *f) {
    return f->last && f->calls[f->last - 1].open ? &f->calls[f->last - 1] : NULL;
}

static const char *text_of(yyjson_val *json, const char *name) {
    return yyjson_get_str(yyjson_obj_get(json, name));
}

static struct error error_of(yyjson_val *json) {
    struct error err;
    const char *code = text_of(json, "code"), *text = text_of(json, "text");
    error_set(&err, code ? error_from_name(code) : ERR_INTERNAL, "%s", text ? text : "Failed.");
    return err;
}

static void end_load(struct fake *f, const struct load_result *result,
                     const struct error *err) {
    struct fake_call *call = last_call(f);
    call->open = false;
    call->load.on_end(call->load.ctx, f->last, result, err);
}

static void on_load_event(struct fake *f, const char *name, yyjson_val *json) {
    struct fake_call *call = last_call(f);
    struct load_result result = { .instance = &fake_instances[0], .fresh = true };
    struct error err = error_of(json);
    if (strcmp(name, "evicting") == 0 && call->load.on_evicting) {
        call->load.on_evicting(call->load.ctx, f->last, &fake_instances[1]);
    } else if (strcmp(name, "loading") == 0 && call->load.on_loading) {
        call->load.on_loading(call->load.ctx, f->last, &fake_instances[0]);
    } else if (strcmp(name, "progress") == 0 && call->load.on_progress) {
        call->load.on_progress(call->load.ctx, f->last, yyjson_get_num(json));
    } else if (strcmp(name, "loaded") == 0) {
        end_load(f, &result, NULL);
    } else if (strcmp(name, "found") == 0) {
        result.fresh = false;
        end_load(f, &result, NULL);
    } else if (strcmp(name, "failed") == 0) {
        end_load(f, NULL, &err);
    }
}

static void on_unload_event(struct fake *f, const char *name, yyjson_val *json) {
    struct fake_call *call = last_call(f);
    struct error err = error_of(json);
    bool failed = strcmp(name, "failed") == 0;
    if (!failed && strcmp(name, "gone") != 0) return;
    call->open = false;
    call->unload.on_end(call->unload.ctx, failed ? &err : NULL);
}

static void on_estimate_event(struct fake *f, const char *name, yyjson_val *json) {
    struct fake_call *call = last_call(f);
    struct load_estimate result = { .model = 100, .context = 50, .fits = true };
    struct error err = error_of(json);
    bool failed = strcmp(name, "failed") == 0;
    call->open = false;
    call->estimate.on_end(call->estimate.ctx, failed ? NULL : &result, failed ? &err : NULL);
}

static void fill_event(yyjson_val *json, struct service_event *ev) {
    static const float vector[] = { 0.5F, -0.25F };
    yyjson_val *list = yyjson_obj_get(json, "calls"), *call;
    size_t i, max;
    const char *reason = text_of(json, "stop_reason");
    ev->stop_string = text_of(json, "stop_string");
    ev->progress = yyjson_get_num(yyjson_obj_get(json, "progress"));
    ev->content = text_of(json, "content");
    ev->reasoning = text_of(json, "reasoning");
    ev->logprobs = yyjson_obj_get(json, "logprobs");
    ev->result = yyjson_obj_get(json, "result");
    ev->vector = vector;
    ev->vector_len = 2;
    ev->stop_reason = stop_reason_parse(reason ? reason : "eosFound");
    ev->usage = (struct service_usage){ .prompt_tokens = 11,
                                        .cached_tokens = 4,
                                        .completion_tokens = 3 };
    ev->usage.draft.total = (int64_t)number_of(json, "drafted_tokens");
    ev->usage.draft.accepted = (int64_t)number_of(json, "accepted_tokens");
    ev->usage.draft.ignored = (int64_t)number_of(json, "ignored_tokens");
    ev->timing = (struct service_timing){ .generation = 0.5, .time_to_first_token = 0.25 };
    yyjson_arr_foreach(list, i, max, call) {
        const char *arguments = text_of(call, "arguments");
        if (i >= DELTA_MAX_CALLS) break;
        ev->calls[ev->call_count++] = (struct tool_call_piece){
            .index = yyjson_get_int(yyjson_obj_get(call, "index")),
            .id = text_of(call, "id"),
            .name = text_of(call, "name"),
            .arguments = arguments ? arguments : "",
        };
    }
}

static void on_work_event(struct fake *f, const char *name, yyjson_val *json) {
    static const char *const kinds[] = {
        [SERVICE_LOADING] = "loading", [SERVICE_STARTED] = "started",
        [SERVICE_PROMPT] = "prompt",   [SERVICE_DELTA] = "delta",
        [SERVICE_VECTOR] = "vector",   [SERVICE_DONE] = "done",
        [SERVICE_ERROR] = "error",
    };
    struct fake_call *call = last_call(f);
    struct error err = error_of(json);
    for (int i = 0; i <= SERVICE_ERROR; i++) {
        if (strcmp(kinds[i], name) != 0) continue;
        struct service_event ev = { .kind = (enum service_event_kind)i, .error = &err };
        fill_event(json, &ev);
        if (i >= SERVICE_DONE) call->open = false;
        call->sink.on_event(call->sink.ctx, f->last, &ev);
        return;
    }
}

/* hub {"names":[…]}, {"option":{…}}, {"done":n,"total":n,"rate":x}, {"key":"…"} or an error */
static void on_hub_event(struct fake *f, yyjson_val *json) {
    struct lmws_hub_sink sink = f->asked;
    struct error err = error_of(json);
    const struct error *error = yyjson_obj_get(json, "code") ? &err : NULL;
    const char *name = yyjson_get_str(yyjson_arr_get_first(yyjson_obj_get(json, "names")));
    yyjson_val *option = yyjson_obj_get(json, "option");
    struct lmws_hub_option one = { .file = json_find_str(option, "file"),
                                   .quantization = json_find_str(option, "quantization"),
                                   .size = yyjson_get_uint(yyjson_obj_get(option, "size")),
                                   .recommended = true };
    if (yyjson_obj_get(json, "done")) {
        sink.on_progress(sink.ctx, (uint64_t)number_of(json, "done"),
                         (uint64_t)number_of(json, "total"), number_of(json, "rate"));
        return;
    }
    f->asked = (struct lmws_hub_sink){ 0 };
    if (sink.on_found) sink.on_found(sink.ctx, &name, name ? 1 : 0, error);
    if (sink.on_options) sink.on_options(sink.ctx, &one, option ? 1 : 0, error);
    if (sink.on_got) sink.on_got(sink.ctx, json_find_str(json, "key"), error);
}

void fake_event(struct fake *f, const char *name, yyjson_val *json, const char *text) {
    struct fake_call *call = last_call(f);
    if (strcmp(name, "log") == 0) {
        log_say(f, text);
    } else if (strcmp(name, "hub") == 0) {
        if (f->asked.ctx) on_hub_event(f, json);
    } else if (strcmp(name, "pause") == 0 || strcmp(name, "resume") == 0) {
        lmws_session_pause(f->session, *name == 'p');
    } else if (call && call->load.on_end) {
        on_load_event(f, name, json);
    } else if (call && call->unload.on_end) {
        on_unload_event(f, name, json);
    } else if (call && call->estimate.on_end) {
        on_estimate_event(f, name, json);
    } else if (call) {
        on_work_event(f, name, json);
    }
}
