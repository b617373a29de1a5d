/* SPDX-License-Identifier: MIT */
/* parse.c - bodies of /api/chat, /api/generate, /api/embed and /api/embeddings to neutral
 * requests. */
#include <assert.h>
#include <string.h>

#include "api/ollama/translate.h"
#include "api/parsed.h"
#include "api/vectors.h"
#include "base/json.h"

enum { EMBEDDING_MAX_INPUTS = 2048 };

/* Another kind of work than the chat that parsed_read_one began. */
static void become(struct parsed *parsed, struct translation *t, enum service_op op,
                   const char *word) {
    parsed->options.op = op;
    parsed->requests[0].op = op;
    yyjson_mut_obj_put(t->out, yyjson_mut_str(t->doc, "op"), yyjson_mut_str(t->doc, word));
}

/* Nothing to answer: the model is loaded, or with `keep_alive: 0` unloaded. As a request
 * without work it obeys the rules of all requests. */
static bool become_load(struct parsed *parsed, struct translation *t) {
    const struct ttl *ttl = &parsed->requests[0].ttl;
    become(parsed, t, OP_TOKENIZE, "tokenize");
    parsed->options.stream = false;
    parsed->options.unload = ttl->given && ttl->value == 0;
    return yyjson_mut_obj_add_str(t->doc, t->out, "text", "");
}

/* ---- what chats and prompts have ---- */

/* true, false, or how much. */
static bool think_translate(struct parsed *parsed, struct translation *t) {
    yyjson_val *think = translation_field(t, "think");
    bool off = yyjson_is_false(think) || yyjson_equals_str(think, "none");
    parsed->options.reasoning = !off;
    parsed->options.reasoning_text = !off;
    if (!think) return true;
    if (!yyjson_is_bool(think) && !yyjson_is_str(think)) {
        return translation_wrong_type(t, "think",
                                      "true, false, \"low\", \"medium\" or "
                                      "\"high\"");
    }
    if (yyjson_is_str(think) && !off) {
        yyjson_mut_obj_add_val(t->doc, t->out, "reasoning_effort",
                               yyjson_val_mut_copy(t->doc, think));
    }
    yyjson_mut_val *kwargs = yyjson_mut_obj_add_obj(t->doc, t->out, "chat_template_kwargs");
    return yyjson_mut_obj_add_bool(t->doc, kwargs, "enable_thinking", !off);
}

/* Some clients send "" for none. */
static yyjson_val *format_of(const struct translation *t) {
    yyjson_val *format = translation_field(t, "format");
    return yyjson_equals_str(format, "") ? NULL : format;
}

static bool format_translate(struct translation *t) {
    yyjson_val *format = format_of(t);
    if (!format) return true;
    if (yyjson_is_obj(format)) {
        translation_add_schema(t, format);
        return true;
    }
    if (!yyjson_equals_str(format, "json")) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "format",
                               "'format' must be \"json\" or a JSON schema.");
    }
    yyjson_mut_val *out = yyjson_mut_obj_add_obj(t->doc, t->out, "response_format");
    return yyjson_mut_obj_add_str(t->doc, out, "type", "json_object");
}

/* A text that is too long is refused unless the client wants it cut, or the answer to go on. */
static bool overflow_translate(struct translation *t) {
    bool truncate = false, shift = false;
    if (!json_read_bool(t->in, "truncate", &truncate, t->err) ||
        !json_read_bool(t->in, "shift", &shift, t->err))
        return false;
    if (truncate || shift)
        yyjson_mut_obj_add_str(t->doc, t->out, "overflow", "truncate_middle");
    return true;
}

/* What every answer in words has. */
static bool answer_translate(struct parsed *parsed, struct translation *t) {
    return ollama_translate_logprobs(t, &parsed->options.logprobs) && overflow_translate(t) &&
           ollama_translate_options(t);
}

static void stream_by_default(struct parsed *parsed, const struct translation *t) {
    if (!translation_field(t, "stream")) parsed->options.stream = true;
}

/* ---- /api/chat ---- */

static bool chat_read(struct parsed *parsed, struct translation *t) {
    yyjson_val *messages = NULL;
    stream_by_default(parsed, t);
    if (!json_read_array(t->in, "messages", &messages, t->err)) return false;
    if (yyjson_arr_size(messages) == 0) return become_load(parsed, t);
    return ollama_translate_messages(t, messages) && ollama_translate_tools(t) &&
           think_translate(parsed, t) && format_translate(t) && answer_translate(parsed, t);
}

/* ---- /api/generate ---- */

/* The conversation so far, which the answer gives as `context`. Images are not kept. */
static void context_keep(struct parsed *parsed, const struct translation *t) {
    yyjson_mut_val *messages = yyjson_mut_obj_get(t->out, "messages"), *message, *part;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *list = yyjson_mut_val_mut_copy(doc, messages);
    size_t i, count, j, parts;
    yyjson_mut_doc_set_root(doc, list);
    yyjson_mut_arr_foreach(list, i, count, message) {
        yyjson_mut_val *content = yyjson_mut_obj_get(message, "content");
        const char *text = yyjson_mut_get_str(content);
        yyjson_mut_arr_foreach(content, j, parts, part) {
            yyjson_mut_val *said = yyjson_mut_obj_get(part, "text");
            if (said) text = yyjson_mut_get_str(said);
        }
        yyjson_mut_obj_put(message, yyjson_mut_str(doc, "content"),
                           yyjson_mut_strcpy(doc, text ? text : ""));
    }
    parsed->options.echo = doc;
}

/* `raw` has no template that could tell a system from a user. */
static bool raw_check(struct translation *t) {
    static const char *const fields[] = { "system", "context" };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        yyjson_val *value = translation_field(t, fields[i]);
        bool empty = yyjson_equals_str(value, "") ||
                     (yyjson_is_arr(value) && yyjson_arr_size(value) == 0);
        if (!value || empty) continue;
        return error_set_param(t->err, ERR_INVALID_REQUEST, fields[i],
                               "'%s' needs the model's template; leave out 'raw', or write all "
                               "into 'prompt'.",
                               fields[i]);
    }
    return true;
}

/* The text as it is, without a template. */
static bool raw_read(struct parsed *parsed, struct translation *t, const char *prompt,
                     const char *suffix) {
    become(parsed, t, OP_COMPLETION, "completion");
    yyjson_mut_obj_add_strcpy(t->doc, t->out, "prompt", prompt);
    if (*suffix) yyjson_mut_obj_add_strcpy(t->doc, t->out, "suffix", suffix);
    if (format_of(t)) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "format",
                               "'format' needs the model's template; leave out 'raw' and "
                               "'suffix', or 'format'.");
    }
    return answer_translate(parsed, t);
}

static bool generate_read(struct parsed *parsed, struct translation *t) {
    const char *prompt = "", *suffix = "";
    bool raw = false;
    stream_by_default(parsed, t);
    if (!json_read_str(t->in, "prompt", &prompt, t->err) ||
        !json_read_str(t->in, "suffix", &suffix, t->err) ||
        !json_read_bool(t->in, "raw", &raw, t->err)) {
        return false;
    }
    if (!*prompt && yyjson_arr_size(yyjson_obj_get(t->in, "images")) == 0)
        return become_load(parsed, t);
    if (raw && !raw_check(t)) return false;
    if (raw || *suffix) return raw_read(parsed, t, prompt, suffix);
    if (!ollama_translate_prompt(t, prompt)) return false;
    context_keep(parsed, t);
    return think_translate(parsed, t) && format_translate(t) && answer_translate(parsed, t);
}

/* ---- embeddings ---- */

static bool texts_add(struct translation *t, yyjson_mut_val *list, yyjson_val *texts) {
    yyjson_val *text;
    size_t i, count;
    if (yyjson_arr_size(texts) > EMBEDDING_MAX_INPUTS) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "input",
                               "'input' may have at most %d items.", EMBEDDING_MAX_INPUTS);
    }
    yyjson_arr_foreach(texts, i, count, text) {
        if (!yyjson_is_str(text)) {
            return error_set_param(t->err, ERR_INVALID_REQUEST, "input",
                                   "'input[%zu]' must be a string, not %s.", i,
                                   json_type_phrase(text));
        }
        yyjson_mut_arr_append(list, yyjson_val_mut_copy(t->doc, text));
    }
    return true;
}

/* A text or an array of texts; an empty array only loads the model. */
static bool inputs_read(struct parsed *parsed, struct translation *t, const char *name) {
    yyjson_val *input = translation_field(t, name);
    parsed->options.stream = false;
    parsed->options.vectors = true;
    if (!input || (yyjson_is_arr(input) && yyjson_arr_size(input) == 0))
        return become_load(parsed, t);
    become(parsed, t, OP_EMBEDDING, "embedding");
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(t->doc, t->out, "input");
    if (yyjson_is_str(input))
        return yyjson_mut_arr_append(list, yyjson_val_mut_copy(t->doc, input));
    if (yyjson_is_arr(input)) return texts_add(t, list, input);
    return translation_wrong_type(t, name, "a string or an array of strings");
}

/* A text that is too long is cut unless the client says no. */
static bool embed_read(struct parsed *parsed, struct translation *t) {
    bool truncate = true;
    if (!json_read_bool(t->in, "truncate", &truncate, t->err) ||
        !inputs_read(parsed, t, "input"))
        return false;
    if (parsed->options.op == OP_EMBEDDING && truncate)
        yyjson_mut_obj_add_bool(t->doc, t->out, "truncate", true);
    return vectors_read_dimensions(parsed, t);
}

static bool embeddings_read(struct parsed *parsed, struct translation *t) {
    const char *prompt = NULL;
    return json_read_str(t->in, "prompt", &prompt, t->err) && inputs_read(parsed, t, "prompt");
}

/* ---- */

bool ollama_parse(enum service_op op, const char *body, size_t len, struct parsed *ret_parsed,
                  struct error *err) {
    assert(op == OP_CHAT || op == OP_EMBEDDING);
    return parsed_read_one(OP_CHAT, body, len, op == OP_CHAT ? chat_read : embed_read,
                           ret_parsed, err);
}

bool ollama_parse_prompt(enum service_op op, const char *body, size_t len,
                         struct parsed *ret_parsed, struct error *err) {
    assert(op == OP_COMPLETION || op == OP_EMBEDDING);
    return parsed_read_one(OP_CHAT, body, len,
                           op == OP_COMPLETION ? generate_read : embeddings_read, ret_parsed,
                           err);
}
