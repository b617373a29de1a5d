/* SPDX-License-Identifier: MIT */
/* Inference bodies of every endpoint: whatever comes, each is refused with a sentence or
 * becomes neutral requests that are JSON themselves. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "api/anthropic/anthropic.h"
#include "api/decisions/decisions.h"
#include "api/lmstudio_rest/v1_chat.h"
#include "api/ollama/ollama.h"
#include "api/openai/openai.h"
#include "api/rerank/rerank.h"
#include "api/responses/responses.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const struct service_request *request) {
    struct buf text = BUF_INIT(64 << 20);
    struct error err = { 0 };
    assert(!request->model || *request->model);
    assert(request->ttl.value >= 0);
    assert(json_write(request->body, &text));
    yyjson_doc *doc = json_parse_object(text.data, text.len, &err);
    assert(doc && yyjson_is_str(yyjson_obj_get(yyjson_doc_get_root(doc), "op")));
    yyjson_doc_free(doc);
    buf_clear(&text);
}

static void check_refusal(const struct dialect *dialect, const struct error *err) {
    struct buf body = BUF_INIT(1 << 16);
    struct error problem = { 0 };
    assert(error_status(err->code) == 400 && err->text[0]);
    dialect->format_error(err, &body);
    yyjson_doc *doc = json_parse_object(body.data, body.len, &problem);
    assert(doc);
    yyjson_doc_free(doc);
    buf_clear(&body);
}

/* An answer repeats parts of its request, and looks up called tools in it. */
static void check_reply(const struct dialect *dialect, const struct parsed *parsed) {
    struct service_event events[] = {
        { .kind = SERVICE_STARTED },
        { .kind = SERVICE_DELTA, .reasoning = "Hm.", .content = "Yes." },
        { .kind = SERVICE_DELTA,
          .calls = { { 0, "id", "get_weather", "{}" } },
          .call_count = 1 },
        { .kind = SERVICE_DONE, .stop_reason = STOP_TOOL_CALLS },
    };
    struct buf out = BUF_INIT(64 << 20);
    struct reply *reply = dialect->reply_new(&parsed->options, parsed->count, "fuzz", 1);
    struct service_wait wait = { .kind = WAIT_IN_LINE, .place = 1 };
    if (parsed->options.stream) dialect->format_waiting(reply, &wait, &out);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        enum reply_step step = dialect->reply_event(reply, 0, &events[i], &out);
        assert((step == REPLY_END) == (events[i].kind == SERVICE_DONE));
    }
    assert(out.len > 0);
    dialect->reply_free(reply);
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct {
        const struct dialect *dialect;
        enum service_op op;
    } endpoints[] = {
        { &dialect_openai, OP_CHAT },
        { &dialect_openai, OP_COMPLETION },
        { &dialect_openai, OP_EMBEDDING },
        { &dialect_rerank, OP_RERANK },
        { &dialect_decisions, OP_CHAT },
        { &dialect_anthropic, OP_CHAT },
        { &dialect_anthropic, OP_TEMPLATE },
        { &dialect_responses, OP_CHAT },
        { &dialect_lmstudio_v1_chat, OP_CHAT },
        { &dialect_ollama, OP_CHAT },
        { &dialect_ollama, OP_EMBEDDING },
        { &dialect_ollama_prompt, OP_COMPLETION },
        { &dialect_ollama_prompt, OP_EMBEDDING },
    };
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        const struct dialect *dialect = endpoints[i].dialect;
        struct parsed parsed = { 0 };
        struct error err = { 0 };
        if (!dialect->parse(endpoints[i].op, (const char *)data, size, &parsed, &err)) {
            check_refusal(dialect, &err);
            continue;
        }
        assert(parsed.count >= 1 && parsed.count <= PARSED_MAX_REQUESTS);
        assert(parsed.options.model && parsed.options.op == parsed.requests[0].op);
        for (int k = 0; k < parsed.count; k++) check_request(&parsed.requests[k]);
        if (parsed.options.op == OP_CHAT && parsed.count == 1) check_reply(dialect, &parsed);
        parsed_clear(&parsed);
    }
    struct buf formed = BUF_INIT(1 << 20);
    struct error err = { 0 };
    if (!lmstudio_v1_chat_form((const char *)data, size, &formed, &err)) assert(err.text[0]);
    buf_clear(&formed);
    return 0;
}
