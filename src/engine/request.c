/* SPDX-License-Identifier: MIT */
#include "engine/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/xalloc.h"
#include "engine/request_chat.h"
#include "engine/request_sampling.h"

static bool read_tokens(yyjson_val *array, const char *field, int32_t vocab_size,
                        struct input *out, struct error *err) {
    out->tokens = xcalloc(yyjson_arr_size(array) + 1, sizeof *out->tokens);
    yyjson_arr_iter iter = yyjson_arr_iter_with(array);
    for (yyjson_val *v; (v = yyjson_arr_iter_next(&iter));) {
        if (!yyjson_is_int(v)) {
            return error_set_param(err, ERR_INVALID_REQUEST, field,
                                   "'%s' holds %s where a token number is expected.", field,
                                   json_type_phrase(v));
        }
        uint64_t token = yyjson_get_uint(v); /* a negative one becomes huge */
        if (token >= (uint64_t)vocab_size) {
            return error_set_param(
                err, ERR_INVALID_REQUEST, field,
                "'%s' holds a token this model does not have; its tokens are "
                "0 to %d.",
                field, vocab_size - 1);
        }
        out->tokens[out->count++] = (int32_t)token;
    }
    return true;
}

static bool read_input(yyjson_val *val, const char *field, int32_t vocab_size,
                       struct input *out, struct error *err) {
    if (yyjson_is_arr(val)) return read_tokens(val, field, vocab_size, out, err);
    if (!yyjson_is_str(val)) {
        return error_set_param(err, ERR_INVALID_REQUEST, field,
                               "'%s' must be a string or an array of token numbers, not %s.",
                               field, json_type_phrase(val));
    }
    out->text = yyjson_get_str(val);
    out->len = yyjson_get_len(val);
    return true;
}

static struct input *inputs_new(struct request *r, size_t count) {
    r->inputs = xcalloc(count + 1, sizeof *r->inputs);
    r->input_count = count;
    return r->inputs;
}

static bool read_chat(struct request *r, yyjson_val *root, int32_t vocab_size,
                      struct error *err) {
    (void)vocab_size;
    return json_read_bool(root, "report_prompt", &r->report_prompt, err) &&
           request_read_chat(&r->chat, root, err);
}

static int read_mark(yyjson_val *val) {
    return yyjson_is_bool(val) ? yyjson_get_bool(val) : -1;
}

static bool read_template(struct request *r, yyjson_val *root, int32_t vocab_size,
                          struct error *err) {
    r->bos = read_mark(yyjson_obj_get(root, "bos"));
    r->eos = read_mark(yyjson_obj_get(root, "eos"));
    if (!json_read_bool(root, "count", &r->count, err) || !read_chat(r, root, vocab_size, err))
        return false;
    /* Nothing is answered, so a last message of the model is as whole as the others. */
    if (r->chat.continue_final_message < 0) r->chat.continue_final_message = 0;
    return true;
}

static bool read_completion(struct request *r, yyjson_val *root, int32_t vocab_size,
                            struct error *err) {
    yyjson_val *prompt = yyjson_obj_get(root, "prompt");
    if (!prompt) {
        return error_set_param(err, ERR_INVALID_REQUEST, "prompt", "'prompt' is missing.");
    }
    return read_input(prompt, "prompt", vocab_size, inputs_new(r, 1), err) &&
           json_read_str(root, "suffix", &r->suffix, err) &&
           json_read_bool(root, "echo", &r->echo, err) &&
           request_read_grammar(&r->chat, root, err);
}

static bool read_inputs(struct request *r, yyjson_val *root, const char *field,
                        int32_t vocab_size, struct error *err) {
    yyjson_val *list = NULL;
    if (!json_read_array(root, field, &list, err)) return false;
    size_t count = yyjson_arr_size(list);
    if (count == 0 || count > REQUEST_MAX_INPUTS) {
        return error_set_param(err, ERR_INVALID_REQUEST, field,
                               "'%s' must hold 1 to %d texts, not %zu.", field,
                               REQUEST_MAX_INPUTS, count);
    }
    struct input *inputs = inputs_new(r, count);
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (size_t i = 0; i < count; i++) {
        if (!read_input(yyjson_arr_iter_next(&iter), field, vocab_size, &inputs[i], err)) {
            return false;
        }
    }
    return true;
}

static bool read_embedding(struct request *r, yyjson_val *root, int32_t vocab_size,
                           struct error *err) {
    return read_inputs(r, root, "input", vocab_size, err) &&
           json_read_bool(root, "truncate", &r->truncate, err);
}

static bool is_text(const struct input *input, const char *field, struct error *err) {
    return !input->tokens || error_set_param(err, ERR_INVALID_REQUEST, field,
                                             "'%s' must be text, not tokens.", field);
}

static bool read_rerank(struct request *r, yyjson_val *root, int32_t vocab_size,
                        struct error *err) {
    yyjson_val *query = yyjson_obj_get(root, "query");
    if (!yyjson_is_str(query)) {
        return error_set_param(err, ERR_INVALID_REQUEST, "query", "'query' must be a string.");
    }
    if (!read_input(query, "query", vocab_size, &r->query, err) ||
        !read_inputs(r, root, "documents", vocab_size, err))
        return false;
    for (size_t i = 0; i < r->input_count; i++) {
        if (!is_text(&r->inputs[i], "documents", err)) return false;
    }
    return true;
}

static bool read_tokenize(struct request *r, yyjson_val *root, int32_t vocab_size,
                          struct error *err) {
    yyjson_val *text = yyjson_obj_get(root, "text");
    if (!yyjson_is_str(text)) {
        return error_set_param(err, ERR_INVALID_REQUEST, "text", "'text' must be a string.");
    }
    r->parse_special = true;
    return read_input(text, "text", vocab_size, inputs_new(r, 1), err) &&
           json_read_bool(root, "add_special", &r->add_special, err) &&
           json_read_bool(root, "parse_special", &r->parse_special, err) &&
           json_read_bool(root, "pieces", &r->pieces, err);
}

static bool read_overflow(struct request *r, yyjson_val *root, struct error *err) {
    const char *word = "stop";
    if (!json_read_str(root, "overflow", &word, err)) return false;
    if (overflow_parse(word, &r->overflow)) {
        if (r->chat.picture_count > 0) r->overflow = OVERFLOW_STOP; /* pictures stay whole */
        return true;
    }
    return error_set_param(err, ERR_INVALID_REQUEST, "overflow",
                           "'overflow' must be \"stop\", \"truncate_middle\" or "
                           "\"rolling_window\".");
}

static bool read_cache_key(struct request *r, yyjson_val *root, struct error *err) {
    const char *key = "";
    if (!json_read_str(root, "prompt_cache_key", &key, err)) return false;
    if (*key) r->cache_key = hash_add(HASH_BEGIN, key, strlen(key));
    return true;
}

static const struct op_row {
    const char *name;
    bool (*read)(struct request *r, yyjson_val *root, int32_t vocab_size, struct error *err);
} ops[] = {
    [REQUEST_CHAT] = { "chat", read_chat },
    [REQUEST_COMPLETION] = { "completion", read_completion },
    [REQUEST_EMBEDDING] = { "embedding", read_embedding },
    [REQUEST_RERANK] = { "rerank", read_rerank },
    [REQUEST_TOKENIZE] = { "tokenize", read_tokenize },
    [REQUEST_TEMPLATE] = { "template", read_template },
};

static const struct op_row *op_find(const char *name) {
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(ops[i].name, name) == 0) return &ops[i];
    }
    return NULL;
}

bool request_parse(struct request *ret, const char *text, size_t len,
                   const struct sampling *defaults, int32_t vocab_size, struct error *err) {
    struct request r = { .sampling = *defaults };
    const char *name = "";
    r.doc = json_parse_object(text, len, err);
    if (!r.doc) return false;
    yyjson_val *root = yyjson_doc_get_root(r.doc);
    if (!json_read_str(root, "op", &name, err)) goto fail;
    const struct op_row *op = op_find(name);
    if (!op) {
        error_set_param(err, ERR_NOT_SUPPORTED, "op", "The engine knows no operation '%.40s'.",
                        name);
        goto fail;
    }
    r.op = (enum request_op)(op - ops);
    if (!op->read(&r, root, vocab_size, err)) goto fail;
    if (r.op <= REQUEST_COMPLETION &&
        !(request_read_sampling(&r.sampling, root, vocab_size, err) &&
          read_overflow(&r, root, err) && read_cache_key(&r, root, err))) {
        goto fail;
    }
    *ret = r;
    return true;
fail:
    request_clear(&r);
    return false;
}

void request_clear(struct request *request) {
    for (size_t i = 0; i < request->input_count; i++) free(request->inputs[i].tokens);
    free(request->inputs);
    request_chat_clear(&request->chat);
    free(request->sampling.biases);
    free((void *)(uintptr_t)request->sampling.stops.words);
    yyjson_doc_free(request->doc);
    *request = (struct request){ 0 };
}
