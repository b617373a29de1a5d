/* SPDX-License-Identifier: MIT */
#include "events.h"

#include "cmocka_prelude.h"

#include <string.h>

static const char *str(yyjson_val *obj, const char *name) {
    return yyjson_get_str(yyjson_obj_get(obj, name));
}

static int64_t integer(yyjson_val *obj, const char *name) {
    return yyjson_get_sint(yyjson_obj_get(obj, name));
}

static double number(yyjson_val *obj, const char *name) {
    return yyjson_get_num(yyjson_obj_get(obj, name));
}

static enum service_event_kind kind_read(yyjson_val *line) {
    static const char *const names[] = {
        [SERVICE_LOADING] = "loading", [SERVICE_STARTED] = "started",
        [SERVICE_PROMPT] = "prompt",   [SERVICE_DELTA] = "delta",
        [SERVICE_VECTOR] = "vector",   [SERVICE_DONE] = "done",
        [SERVICE_ERROR] = "error",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (yyjson_equals_str(yyjson_obj_get(line, "event"), names[i])) {
            return (enum service_event_kind)i;
        }
    }
    fail_msg("no such event: %s", str(line, "event"));
    return SERVICE_ERROR;
}

static void instance_read(yyjson_val *from, struct event_line *ret) {
    if (!from) return;
    ret->instance = (struct service_instance){
        .identifier = str(from, "identifier"),
        .model_key = str(from, "model_key"),
        .architecture = str(from, "architecture"),
        .quantization = str(from, "quantization"),
        .context_length = integer(from, "context_length"),
    };
    ret->event.instance = &ret->instance;
}

static void calls_read(yyjson_val *calls, struct service_event *event) {
    yyjson_val *call;
    size_t i, count;
    yyjson_arr_foreach(calls, i, count, call) {
        assert_true(i < DELTA_MAX_CALLS);
        event->calls[event->call_count++] = (struct tool_call_piece){
            .index = (int)integer(call, "index"),
            .id = str(call, "id"),
            .name = str(call, "name"),
            .arguments = str(call, "arguments") ? str(call, "arguments") : "",
        };
    }
}

static void vector_read(yyjson_val *vector, struct event_line *ret) {
    yyjson_val *value;
    size_t i, count;
    yyjson_arr_foreach(vector, i, count, value) {
        assert_true(i < EVENT_MAX_FLOATS);
        ret->vector[i] = (float)yyjson_get_num(value);
    }
    ret->event.vector = ret->vector;
    ret->event.vector_len = yyjson_arr_size(vector);
}

static struct service_usage usage_read(yyjson_val *line) {
    return (struct service_usage){
        .prompt_tokens = integer(line, "prompt_tokens"),
        .cached_tokens = integer(line, "cached_tokens"),
        .completion_tokens = integer(line, "completion_tokens"),
        .reasoning_tokens = integer(line, "reasoning_tokens"),
        .draft = { .total = integer(line, "drafted_tokens"),
                   .accepted = integer(line, "accepted_tokens"),
                   .ignored = integer(line, "ignored_tokens") },
    };
}

static void end_read(yyjson_val *line, struct service_event *event) {
    const char *reason = str(line, "stop_reason");
    event->stop_reason = reason ? stop_reason_parse(reason) : STOP_EOS;
    event->stop_string = str(line, "stop_string");
    event->result = yyjson_obj_get(line, "result");
    event->usage = usage_read(line);
    event->timing = (struct service_timing){
        .prompt = number(line, "prompt_seconds"),
        .generation = number(line, "generation_seconds"),
        .time_to_first_token = number(line, "time_to_first_token"),
    };
}

static void error_read(yyjson_val *line, struct event_line *ret) {
    const char *param = str(line, "param");
    (void)error_set_param(&ret->error, error_from_name(str(line, "code")), param ? param : "",
                          "%s", str(line, "text"));
    ret->event.error = &ret->error;
}

void event_read(yyjson_val *line, struct event_line *ret) {
    *ret = (struct event_line){ .index = (int)integer(line, "index"),
                                .event = { .kind = kind_read(line),
                                           .progress = number(line, "progress"),
                                           .elapsed = number(line, "elapsed"),
                                           .content = str(line, "content"),
                                           .reasoning = str(line, "reasoning"),
                                           .logprobs = yyjson_obj_get(line, "logprobs") } };
    instance_read(yyjson_obj_get(line, "instance"), ret);
    calls_read(yyjson_obj_get(line, "tool_calls"), &ret->event);
    if (ret->event.kind == SERVICE_VECTOR) vector_read(yyjson_obj_get(line, "vector"), ret);
    if (ret->event.kind == SERVICE_STARTED) ret->event.usage = usage_read(line);
    if (ret->event.kind == SERVICE_DONE) end_read(line, &ret->event);
    if (ret->event.kind == SERVICE_ERROR) error_read(line, ret);
}
