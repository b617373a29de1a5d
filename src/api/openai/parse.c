/* SPDX-License-Identifier: MIT */
/* parse.c - bodies of chats, completions and embeddings to neutral requests. */
#include <assert.h>
#include <string.h>

#include "api/draft_name.h"
#include "api/openai/openai.h"
#include "api/openai/translate.h"
#include "api/ttl.h"
#include "api/vectors.h"
#include "base/json.h"
#include "base/xalloc.h"

enum {
    EMBEDDING_MAX_INPUTS = 2048, /* OpenAI's limit */
    ANSWERS_MAX = 16,            /* to one prompt: they share its slots with other clients */
    ANSWERS_BYTES_MAX = 16 << 20,
};

static void begin_request(struct parsed *parsed, struct translation *t, const char *op) {
    assert(parsed->count < PARSED_MAX_REQUESTS);
    t->doc = yyjson_mut_doc_new(NULL);
    t->out = yyjson_mut_obj(t->doc);
    yyjson_mut_doc_set_root(t->doc, t->out);
    yyjson_mut_obj_add_str(t->doc, t->out, "op", op);
    parsed->requests[parsed->count++] = (struct service_request){ .op = parsed->options.op,
                                                                  .body = t->doc };
}

/* ---- chat ---- */

/* With the same seed all answers would be the same. A seed never becomes -1, which is none. */
static void vary_seed(struct translation *t, int answer) {
    yyjson_mut_val *seed = yyjson_mut_obj_get(t->out, "seed");
    if (!seed || answer == 0) return;
    uint64_t next = (uint64_t)yyjson_mut_get_sint(seed) + (uint64_t)answer;
    yyjson_mut_set_sint(seed, (int64_t)(next & INT64_MAX));
}

static bool chat_parse(struct parsed *parsed, struct translation *t) {
    for (int i = 0; i < parsed->options.answers; i++) {
        begin_request(parsed, t, "chat");
        if (!openai_translate_chat(t)) return false;
        vary_seed(t, i);
    }
    return true;
}

/* ---- prompts and inputs: texts, each a string or a list of tokens ---- */

static bool is_token_list(yyjson_val *val) {
    yyjson_val *item;
    size_t i, count;
    if (!yyjson_is_arr(val) || yyjson_arr_size(val) == 0) return false;
    yyjson_arr_foreach(val, i, count, item) {
        if (!yyjson_is_uint(item) || yyjson_get_uint(item) > INT32_MAX) return false;
    }
    return true;
}

static bool is_text(yyjson_val *val) {
    return yyjson_is_str(val) || is_token_list(val);
}

/* An array of texts, at most max. */
static bool texts_check(struct translation *t, const char *name, yyjson_val *texts,
                        size_t max) {
    yyjson_val *text;
    size_t i, count;
    if (!yyjson_is_arr(texts)) {
        return translation_wrong_type(t, name, "a string, an array of strings or tokens");
    }
    if (yyjson_arr_size(texts) == 0) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, name, "'%s' must not be empty.",
                               name);
    }
    if (yyjson_arr_size(texts) > max) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, name,
                               "'%s' may have at most %zu items.", name, max);
    }
    yyjson_arr_foreach(texts, i, count, text) {
        if (is_text(text)) continue;
        (void)error_set(t->err, ERR_INVALID_REQUEST,
                        "An item must be a string or an array of token numbers, not %s.",
                        json_type_phrase(text));
        return translation_error_inside_item(t->err, name, i);
    }
    return true;
}

typedef bool add_text_fn(struct parsed *parsed, struct translation *t, yyjson_val *text);

/* A field that is one text or an array of them: calls add for each. */
static bool texts_translate(struct parsed *parsed, struct translation *t, const char *name,
                            size_t max, add_text_fn *add) {
    yyjson_val *texts = translation_field(t, name), *text;
    size_t i, count;
    if (!texts) return translation_missing(t, name, "a string, an array of strings or tokens");
    if (is_text(texts)) return add(parsed, t, texts);
    if (!texts_check(t, name, texts, max)) return false;
    yyjson_arr_foreach(texts, i, count, text) {
        if (!add(parsed, t, text)) return false;
    }
    return true;
}

/* ---- completions: a request for each prompt ---- */

static bool suffix_translate(struct translation *t) {
    const char *suffix = "";
    if (!json_read_str(t->in, "suffix", &suffix, t->err)) return false;
    if (*suffix) yyjson_mut_obj_add_strcpy(t->doc, t->out, "suffix", suffix);
    return true;
}

/* With the prompt's tokens among them they would be those that rank a text; without, they look
 * as if they were. */
static bool echo_refuse(struct translation *t) {
    bool echo = yyjson_mut_is_true(yyjson_mut_obj_get(t->out, "echo"));
    if (!echo || !yyjson_mut_obj_get(t->out, "logprobs")) return true;
    return error_set_param(t->err, ERR_NOT_SUPPORTED, "logprobs",
                           "The probabilities of a prompt's own tokens, which 'logprobs' with "
                           "'echo' asks for, are not computed; leave one of the two out.");
}

static bool prompt_translate(struct translation *t, yyjson_val *prompt) {
    yyjson_mut_obj_add_val(t->doc, t->out, "prompt", yyjson_val_mut_copy(t->doc, prompt));
    return suffix_translate(t) && translation_copy_bool(t, "echo") &&
           openai_translate_sampling(t) && openai_translate_completion_logprobs(t) &&
           echo_refuse(t);
}

/* The best answers are those with the likeliest tokens. */
static void ask_for_likelihoods(const struct parsed *parsed, struct translation *t) {
    if (parsed->options.best && !yyjson_mut_obj_get(t->out, "logprobs"))
        yyjson_mut_obj_add_int(t->doc, t->out, "logprobs", 0);
}

static bool prompt_add(struct parsed *parsed, struct translation *t, yyjson_val *prompt) {
    for (int i = 0; i < parsed->options.answers; i++) {
        begin_request(parsed, t, "completion");
        if (!prompt_translate(t, prompt)) return false;
        parsed->options.logprobs = yyjson_mut_obj_get(t->out, "logprobs") != NULL;
        ask_for_likelihoods(parsed, t);
        vary_seed(t, i);
    }
    return true;
}

static bool completion_parse(struct parsed *parsed, struct translation *t) {
    size_t most = PARSED_MAX_REQUESTS / (size_t)parsed->options.answers;
    return texts_translate(parsed, t, "prompt", most, prompt_add);
}

/* ---- embeddings: one request for all inputs ---- */

static bool input_add(struct parsed *parsed, struct translation *t, yyjson_val *text) {
    (void)parsed;
    yyjson_mut_val *list = yyjson_mut_obj_get(t->out, "input");
    return yyjson_mut_arr_append(list, yyjson_val_mut_copy(t->doc, text));
}

static bool encoding_read(struct parsed *parsed, struct translation *t) {
    const char *encoding = "float";
    if (!json_read_str(t->in, "encoding_format", &encoding, t->err)) return false;
    parsed->options.base64 = strcmp(encoding, "base64") == 0;
    if (parsed->options.base64 || strcmp(encoding, "float") == 0) return true;
    return error_set_param(t->err, ERR_INVALID_REQUEST, "encoding_format",
                           "'encoding_format' must be \"float\" or \"base64\".");
}

static bool embedding_parse(struct parsed *parsed, struct translation *t) {
    if (!encoding_read(parsed, t)) return false;
    begin_request(parsed, t, "embedding");
    yyjson_mut_obj_add_arr(t->doc, t->out, "input");
    return vectors_read_dimensions(parsed, t) &&
           texts_translate(parsed, t, "input", EMBEDDING_MAX_INPUTS, input_add);
}

/* ---- what all bodies have ---- */

static bool stream_read(struct parsed *parsed, struct translation *t) {
    struct reply_options *options = &parsed->options;
    yyjson_val *stream_options = NULL;
    if (!json_read_bool(t->in, "stream", &options->stream, t->err)) return false;
    if (!json_read_object(t->in, "stream_options", &stream_options, t->err)) return false;
    if (!stream_options) return true;
    return (json_read_bool(stream_options, "include_usage", &options->include_usage, t->err) &&
            json_read_bool(stream_options, "include_progress", &options->progress, t->err)) ||
           translation_error_inside(t->err, "stream_options");
}

/* best_of: how many answers to choose the n best from; 0 is as if it were absent. */
static bool best_read(struct parsed *parsed, struct translation *t, int64_t *n) {
    struct reply_options *options = &parsed->options;
    int64_t best_of = 0;
    const char *wrong = NULL;
    if (!json_read_int(t->in, "best_of", 0, ANSWERS_MAX, &best_of, t->err)) return false;
    if (best_of == 0 || best_of == *n) return true;
    if (best_of < *n) {
        wrong = "'best_of' must be at least 'n'.";
    } else if (options->op != OP_COMPLETION) {
        wrong = "'best_of' is for /v1/completions only; ask for 'n' answers and choose.";
    } else if (options->stream) {
        wrong = "Answers to choose from cannot be streamed; leave out 'best_of' or 'stream'.";
    }
    if (wrong) return error_set_param(t->err, ERR_INVALID_REQUEST, "best_of", "%s", wrong);
    options->best = (int)*n;
    *n = best_of;
    return true;
}

/* Each answer is a request with a body of its own. */
static bool answers_read(struct parsed *parsed, struct translation *t, size_t len) {
    int64_t n = 1;
    const char *name = "n";
    if (!json_read_int(t->in, "n", 1, ANSWERS_MAX, &n, t->err)) return false;
    if (!best_read(parsed, t, &n)) return false;
    if (parsed->options.best) name = "best_of";
    if (n > 1 && len > ANSWERS_BYTES_MAX / (size_t)n) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, name,
                               "A request of %zu bytes can have %zu answers at most.", len,
                               len > ANSWERS_BYTES_MAX / 2 ? 1 : ANSWERS_BYTES_MAX / len);
    }
    parsed->options.answers = (int)n;
    return true;
}

typedef bool op_parse(struct parsed *parsed, struct translation *t);
static op_parse *const op_parsers[] = {
    [OP_CHAT] = chat_parse,
    [OP_COMPLETION] = completion_parse,
    [OP_EMBEDDING] = embedding_parse,
};

static bool body_read(struct parsed *parsed, struct translation *t, size_t len) {
    const char *model = "";
    struct ttl ttl = { 0 };
    enum service_op op = parsed->options.op;
    if (!json_read_str(t->in, "model", &model, t->err)) return false;
    if (!api_read_ttl(t->in, &ttl, t->err)) return false;
    if (op != OP_EMBEDDING && !(stream_read(parsed, t) && answers_read(parsed, t, len)))
        return false;
    if (!op_parsers[op](parsed, t)) return false;
    for (int i = 0; i < parsed->count; i++) {
        struct service_request *request = &parsed->requests[i];
        request->model = *model ? xstrdup(model) : NULL;
        request->ttl = ttl;
        if (op != OP_EMBEDDING && !api_read_draft_name(t->in, &request->draft_model, t->err))
            return false;
    }
    parsed->options.model = xstrdup(model);
    if (op == OP_CHAT)
        parsed->options.logprobs = yyjson_mut_obj_get(t->out, "logprobs") != NULL;
    return true;
}

bool openai_parse(enum service_op op, const char *body, size_t len, struct parsed *ret_parsed,
                  struct error *err) {
    assert((size_t)op < sizeof op_parsers / sizeof op_parsers[0]);
    yyjson_doc *doc = json_parse_object(body, len, err);
    if (!doc) return false;
    struct parsed parsed = { .options.op = op };
    struct translation t = { .in = yyjson_doc_get_root(doc), .err = err };
    bool ok = body_read(&parsed, &t, len);
    yyjson_doc_free(doc);
    if (ok) {
        *ret_parsed = parsed;
    } else {
        parsed_clear(&parsed);
    }
    return ok;
}
