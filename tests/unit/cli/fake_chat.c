/* SPDX-License-Identifier: MIT */
/* The answers of the fake server: they say how many messages came and what the last one was. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "fake.h"

static void send_delta(const struct fake_request *r, const char *field, const char *text) {
    struct buf out = BUF_INIT(1 << 20);
    buf_addf(&out, "data: {\"choices\":[{\"index\":0,\"delta\":{\"%s\":", field);
    json_write_str(&out, text, strlen(text));
    buf_add_str(&out, "},\"finish_reason\":null}]}\n\n");
    fake_send(r, buf_str(&out));
    buf_clear(&out);
}

static void send_end(const struct fake_request *r, bool usage) {
    bool v0 = strncmp(r->path, "/api/v0", 7) == 0;
    if (v0) {
        fake_send(r,
                  "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],"
                  "\"stats\":{\"tokens_per_second\":30.5,\"time_to_first_token\":0.25,"
                  "\"generation_time\":1.5,\"stop_reason\":\"eosFound\"}}\n\n");
    }
    if (usage) {
        fake_send(
            r, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":35,\"completion_tokens\":12,"
               "\"prompt_tokens_details\":{\"cached_tokens\":30}}}\n\n");
    }
    fake_send(r, "data: [DONE]\n\n");
}

static void answer(const struct fake_request *r, size_t count, const char *question,
                   bool usage) {
    fake_stream_begin(r);
    fake_send(r, ": loading 42%\n\n");
    send_delta(r, "role", "assistant");
    if (strstr(question, "think")) send_delta(r, "reasoning_content", "Let me see.");
    if (strstr(question, "hang")) {
        send_delta(r, "content", "I begin");
        fake_wait_gone(r);
        return;
    }
    if (strstr(question, "fail")) {
        fake_send(
            r, "data: {\"error\":{\"message\":\"The worker died.\",\"code\":\"worker_died\"}}"
               "\n\n");
        return;
    }
    char *text = xasprintf("%zu messages, the last: %s", count, question);
    send_delta(r, "content", "Got ");
    send_delta(r, "content", text);
    free(text);
    send_end(r, usage);
}

bool fake_chat(const struct fake_request *r) {
    if (!strstr(r->path, "/chat/completions")) return false;
    yyjson_doc *doc = yyjson_read(buf_str(&r->body), r->body.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *messages = yyjson_obj_get(root, "messages");
    const char *model = yyjson_get_str(yyjson_obj_get(root, "model"));
    yyjson_val *options = yyjson_obj_get(root, "stream_options");
    if (model && strcmp(model, "nope") == 0) {
        fake_reply_error(r, 404, "model_not_found", "No model is called nope.");
    } else {
        const char *last = yyjson_get_str(
            yyjson_obj_get(yyjson_arr_get_last(messages), "content"));
        answer(r, yyjson_arr_size(messages), last ? last : "",
               yyjson_is_true(yyjson_obj_get(options, "include_usage")));
    }
    yyjson_doc_free(doc);
    return true;
}
