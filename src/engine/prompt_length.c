/* SPDX-License-Identifier: MIT */
#include "engine/prompt_length.h"

#include <string.h>

/* In the words by which clients know that they have to shorten a conversation: LiteLLM and
 * LangChain look for the first half, Claude Code for the second. */
bool prompt_length_refuse(size_t context, const char *what, bool at_least, size_t count,
                          struct error *err) {
    return error_set(err, ERR_CONTEXT_LENGTH,
                     "This model's maximum context length is %zu tokens, but the %s is too "
                     "long: %s%zu tokens. Shorten it, or load the model with a larger context "
                     "length.",
                     context, what, at_least ? "at least " : "", count);
}

bool prompt_length_text_may_fit(const struct prompt_bound *bound, size_t bytes,
                                const char *what, struct error *err) {
    if (bound->longest_token == 0 || bytes / bound->longest_token <= bound->context)
        return true;
    return prompt_length_refuse(bound->context, what, true, bytes / bound->longest_token, err);
}

static size_t text_bytes(yyjson_val *content) {
    size_t i, count, bytes = 0;
    yyjson_val *part;
    if (yyjson_is_str(content)) return yyjson_get_len(content);
    yyjson_arr_foreach(content, i, count, part) {
        bytes += yyjson_get_len(yyjson_obj_get(part, "text"));
    }
    return bytes;
}

static size_t user_bytes(yyjson_val *messages) {
    size_t i, count, bytes = 0;
    yyjson_val *message;
    yyjson_arr_foreach(messages, i, count, message) {
        if (yyjson_equals_str(yyjson_obj_get(message, "role"), "user"))
            bytes += text_bytes(yyjson_obj_get(message, "content"));
    }
    return bytes;
}

static bool input_may_fit(const struct prompt_bound *bound, const struct input *input,
                          const char *suffix, const char *what, struct error *err) {
    size_t more = suffix ? strlen(suffix) : 0;
    if (!input->tokens) return prompt_length_text_may_fit(bound, input->len + more, what, err);
    if (input->count <= bound->context) return true;
    return prompt_length_refuse(bound->context, what, false, input->count, err);
}

bool prompt_length_may_fit(const struct request *r, const struct prompt_bound *bound,
                           struct error *err) {
    bool cut = r->truncate || r->overflow != OVERFLOW_STOP, fits = true;
    if (cut) return true;
    if (r->op == REQUEST_CHAT)
        return prompt_length_text_may_fit(bound, user_bytes(r->chat.messages), "prompt", err);
    if (r->op == REQUEST_COMPLETION)
        return input_may_fit(bound, r->inputs, r->suffix, "prompt", err);
    if (r->op == REQUEST_RERANK) /* documents are cut, their query is not */
        return input_may_fit(bound, &r->query, NULL, "query", err);
    if (r->op != REQUEST_EMBEDDING) return true;
    for (size_t i = 0; fits && i < r->input_count; i++)
        fits = input_may_fit(bound, &r->inputs[i], NULL, "input", err);
    return fits;
}
