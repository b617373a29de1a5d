/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "api/decisions/translate.h"
#include "api/parsed.h"
#include "base/json.h"
#include "base/xalloc.h"

enum {
    TOP_LOGPROBS = 100, /* the letters are among them, or the model does not answer so */
    EVIDENCE_BYTES_MAX = 64 << 20,
};

/* ---- input: what the questions are about ---- */

static bool part_add(struct translation *t, yyjson_val *part, struct buf *out) {
    yyjson_val *text = yyjson_obj_get(part, "text");
    if (!yyjson_equals_str(yyjson_obj_get(part, "type"), "input_text") ||
        !yyjson_is_str(text)) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "content",
                               "A part must be {\"type\": \"input_text\", \"text\": \"...\"}; "
                               "models here read text only.");
    }
    if (out->len > 0) (void)buf_add_str(out, "\n\n");
    return buf_add(out, yyjson_get_str(text), yyjson_get_len(text));
}

static bool message_add(struct translation *t, yyjson_val *message, struct buf *out) {
    yyjson_val *content = yyjson_obj_get(message, "content"), *part;
    size_t i, count;
    if (!yyjson_equals_str(yyjson_obj_get(message, "role"), "user")) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "role",
                               "'role' must be \"user\" in every message.");
    }
    if (yyjson_is_str(content)) {
        if (out->len > 0) (void)buf_add_str(out, "\n\n");
        return buf_add(out, yyjson_get_str(content), yyjson_get_len(content));
    }
    if (!yyjson_is_arr(content)) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "content",
                               "'content' must be a string or an array of parts.");
    }
    yyjson_arr_foreach(content, i, count, part) {
        if (!part_add(t, part, out)) return false;
    }
    return true;
}

static bool input_read(struct translation *t, struct buf *out) {
    yyjson_val *input = translation_field(t, "input"), *message;
    size_t i, count;
    if (!input) return translation_missing(t, "input", "the text that the questions are about");
    if (yyjson_is_str(input)) return buf_add(out, yyjson_get_str(input), yyjson_get_len(input));
    if (!yyjson_is_arr(input)) {
        return translation_wrong_type(t, "input", "a string or an array of messages");
    }
    yyjson_arr_foreach(input, i, count, message) {
        if (!message_add(t, message, out))
            return translation_error_inside_item(t->err, "input", i);
    }
    return true;
}

/* ---- questions ---- */

/* A question while it is read. */
struct question {
    yyjson_val *in;
    yyjson_mut_doc *echo;
    yyjson_mut_val *options; /* of echo */
    struct buf *text;        /* of the prompt */
};

static void option_add(struct question *q, yyjson_mut_val *value, const char *shown,
                       const char *description) {
    char letter = (char)('A' + yyjson_mut_arr_size(q->options));
    yyjson_mut_arr_append(q->options, value);
    buf_addf(q->text, "%c. %s%s%s\n", letter, shown, *description ? ": " : "", description);
}

static bool predicate_read(struct question *q, struct error *err) {
    (void)err;
    option_add(q, yyjson_mut_true(q->echo), "Yes", "");
    option_add(q, yyjson_mut_false(q->echo), "No", "");
    return true;
}

static bool options_check(yyjson_val *list, const char *name, struct error *err) {
    size_t count = yyjson_is_arr(list) ? yyjson_arr_size(list) : 0;
    return (count >= 2 && count <= DECISION_MAX_OPTIONS) ||
           error_set_param(err, ERR_INVALID_REQUEST, name, "'%s' must be a list of 2 to %d.",
                           name, DECISION_MAX_OPTIONS);
}

/* The options are in the list `name`, each with its word in the field `field`. */
static bool list_read(struct question *q, const char *name, const char *field,
                      struct error *err) {
    yyjson_val *list = yyjson_obj_get(q->in, name), *option;
    size_t i, count;
    if (!options_check(list, name, err)) return false;
    yyjson_arr_foreach(list, i, count, option) {
        yyjson_val *value = yyjson_obj_get(option, field);
        const char *description = "";
        bool truth = yyjson_is_bool(value) && strcmp(field, "value") == 0;
        if (!truth && !yyjson_is_str(value)) {
            (void)error_set_param(err, ERR_INVALID_REQUEST, field,
                                  "'%s' must be a string of each.", field);
            return translation_error_inside_item(err, name, i);
        }
        if (!json_read_str(option, "description", &description, err))
            return translation_error_inside_item(err, name, i);
        const char *shown = truth ? (yyjson_get_bool(value) ? "true" : "false")
                                  : yyjson_get_str(value);
        option_add(q, yyjson_val_mut_copy(q->echo, value), shown, description);
    }
    return true;
}

static bool choice_read(struct question *q, struct error *err) {
    return list_read(q, "choices", "value", err);
}

static bool score_read(struct question *q, struct error *err) {
    return list_read(q, "levels", "label", err);
}

static const struct {
    const char *type;
    bool (*read)(struct question *q, struct error *err);
} kinds[] = { { "predicate", predicate_read },
              { "choice", choice_read },
              { "score", score_read } };

static bool options_read(struct question *q, const char *type, struct error *err) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].type, type) == 0) return kinds[i].read(q, err);
    }
    return error_set_param(err, ERR_INVALID_REQUEST, "type",
                           "'type' must be \"predicate\", \"choice\" or \"score\".");
}

/* Append the question to the prompt, and what the answer repeats of it to `list`. */
static bool question_read(struct question *q, yyjson_mut_val *list, struct error *err) {
    const char *type = "", *name = NULL, *instructions = NULL;
    if (!json_read_str(q->in, "type", &type, err) ||
        !json_read_str(q->in, "name", &name, err) ||
        !json_read_str(q->in, "instructions", &instructions, err))
        return false;
    if (!instructions) {
        return error_set_param(err, ERR_INVALID_REQUEST, "instructions",
                               "'instructions' is missing; send the question.");
    }
    yyjson_mut_val *echo = yyjson_mut_arr_add_obj(q->echo, list);
    yyjson_mut_obj_add_strcpy(q->echo, echo, "type", type);
    if (name) yyjson_mut_obj_add_strcpy(q->echo, echo, "name", name);
    q->options = yyjson_mut_obj_add_arr(q->echo, echo, "options");
    buf_addf(q->text, "\n\n%s\n\n", instructions);
    if (!options_read(q, type, err)) return false;
    buf_addf(q->text, "\nAnswer with the letter alone.");
    return true;
}

/* ---- requests ---- */

/* The neutral body of one question. A thought would come before the letter. */
static void body_fill(struct translation *t, const struct buf *text) {
    yyjson_mut_val *messages = yyjson_mut_obj_add_arr(t->doc, t->out, "messages");
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(t->doc, messages);
    yyjson_mut_obj_add_str(t->doc, message, "role", "user");
    yyjson_mut_obj_add_strncpy(t->doc, message, "content", text->data, text->len);
    yyjson_mut_obj_add_int(t->doc, t->out, "max_tokens", 1);
    yyjson_mut_obj_add_real(t->doc, t->out, "temperature", 0);
    yyjson_mut_obj_add_int(t->doc, t->out, "logprobs", TOP_LOGPROBS);
    yyjson_mut_obj_add_str(t->doc, t->out, "reasoning_effort", "none");
}

/* The first request is there already. */
static void request_add(struct parsed *parsed, struct translation *t, int index,
                        const struct buf *text) {
    if (index > 0) {
        const struct service_request *first = &parsed->requests[0];
        t->doc = json_object_new(&t->out);
        yyjson_mut_obj_add_str(t->doc, t->out, "op", "chat");
        parsed->requests[parsed->count++] =
            (struct service_request){ .op = first->op,
                                      .model = first->model ? xstrdup(first->model) : NULL,
                                      .ttl = first->ttl,
                                      .body = t->doc };
    }
    body_fill(t, text);
}

static bool questions_check(struct translation *t, yyjson_val *questions, size_t evidence) {
    size_t count = yyjson_arr_size(questions);
    if (!questions) return translation_missing(t, "questions", "an array of questions");
    if (!yyjson_is_arr(questions)) return translation_wrong_type(t, "questions", "an array");
    if (count == 0 || count > PARSED_MAX_REQUESTS) {
        return error_set_param(t->err, ERR_INVALID_REQUEST, "questions",
                               "'questions' must hold 1 to %d questions.", PARSED_MAX_REQUESTS);
    }
    return evidence <= EVIDENCE_BYTES_MAX / count ||
           error_set_param(t->err, ERR_INVALID_REQUEST, "questions",
                           "The input is too long for this number of questions; send fewer in "
                           "a request.");
}

static bool questions_translate(struct parsed *parsed, struct translation *t,
                                struct buf *text) {
    yyjson_val *questions = translation_field(t, "questions"), *question;
    size_t i, count, evidence = text->len;
    yyjson_mut_val *list;
    if (!questions_check(t, questions, evidence)) return false;
    parsed->options.echo = json_array_new(&list);
    yyjson_arr_foreach(questions, i, count, question) {
        struct question q = { .in = question, .echo = parsed->options.echo, .text = text };
        text->len = evidence;
        if (!question_read(&q, list, t->err))
            return translation_error_inside_item(t->err, "questions", i);
        request_add(parsed, t, (int)i, text);
    }
    return true;
}

static bool read(struct parsed *parsed, struct translation *t) {
    struct buf text = BUF_INIT(TRANSLATION_TEXT_MAX);
    parsed->options.stream = false; /* it has no pieces */
    bool ok = input_read(t, &text) && questions_translate(parsed, t, &text);
    buf_clear(&text);
    return ok;
}

bool decisions_parse(enum service_op op, const char *body, size_t len,
                     struct parsed *ret_parsed, struct error *err) {
    return parsed_read_one(op, body, len, read, ret_parsed, err);
}
