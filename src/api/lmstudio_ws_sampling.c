/* SPDX-License-Identifier: MIT */
/* lmstudio_ws_sampling.c - the keys "llm.prediction.*" and what they are in a neutral body. A value
 * of an unexpected form is ignored like an unknown key. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/lmstudio_ws_parts.h"

#define PREFIX "llm.prediction."

struct target {
    yyjson_mut_doc *doc;
    yyjson_mut_val *body;
};

typedef void read_fn(const struct target *t, yyjson_val *value, const char *name, double off);

static double within(double n, double min, double max) {
    return n < min ? min : n > max ? max : n;
}

static void read_number(const struct target *t, yyjson_val *value, const char *name,
                        double off) {
    (void)off;
    if (yyjson_is_num(value)) {
        yyjson_mut_obj_add_real(t->doc, t->body, name, within(yyjson_get_num(value), 0, 100));
    }
}

/* A checkbox: unchecked is the number that switches it off. */
static void read_box(const struct target *t, yyjson_val *value, const char *name, double off) {
    bool checked;
    double n;
    if (!ws_checkbox_read(value, &checked, &n)) return;
    yyjson_mut_obj_add_real(t->doc, t->body, name, checked ? within(n, -100, 100) : off);
}

static void read_share(const struct target *t, yyjson_val *value, const char *name,
                       double off) {
    bool checked;
    double n;
    if (!ws_checkbox_read(value, &checked, &n)) return;
    yyjson_mut_obj_add_real(t->doc, t->body, name, checked ? within(n, 0, 1) : off);
}

static void read_repeat(const struct target *t, yyjson_val *value, const char *name,
                        double off) {
    bool checked;
    double n;
    if (!ws_checkbox_read(value, &checked, &n)) return;
    yyjson_mut_obj_add_real(t->doc, t->body, name,
                            checked && n > 0 ? within(n, 0.01, 100) : off);
}

/* A checkbox with an integer; unchecked leaves the field out. */
static void read_int_box(const struct target *t, yyjson_val *value, const char *name,
                         double off) {
    bool checked;
    double n;
    (void)off;
    if (!ws_checkbox_read(value, &checked, &n) || !checked || !(n >= 0)) return;
    yyjson_mut_obj_add_int(t->doc, t->body, name, (int64_t)within(n, 0, INT32_MAX));
}

static void read_top_k(const struct target *t, yyjson_val *value, const char *name,
                       double off) {
    (void)off;
    if (!yyjson_is_num(value)) return;
    yyjson_mut_obj_add_int(t->doc, t->body, name,
                           (int64_t)within(yyjson_get_num(value), 0, INT32_MAX));
}

/* Several keys bring stop strings: they add up. */
static void read_stops(const struct target *t, yyjson_val *value, const char *name,
                       double off) {
    size_t i, max;
    yyjson_val *word;
    (void)off;
    yyjson_mut_val *stops = yyjson_mut_obj_get(t->body, name);
    if (yyjson_arr_size(value) == 0) return;
    if (!stops) stops = yyjson_mut_obj_add_arr(t->doc, t->body, name);
    yyjson_arr_foreach(value, i, max, word) {
        if (!yyjson_is_str(word) || yyjson_get_len(word) == 0) continue;
        yyjson_mut_arr_append(stops, yyjson_val_mut_copy(t->doc, word));
    }
}

/* [[token, bias], ...] */
static void read_bias(const struct target *t, yyjson_val *value, const char *name, double off) {
    size_t i, max;
    yyjson_val *pair;
    (void)off;
    if (!yyjson_is_arr(value) || yyjson_arr_size(value) == 0) return;
    yyjson_mut_val *map = yyjson_mut_obj_add_obj(t->doc, t->body, name);
    yyjson_arr_foreach(value, i, max, pair) {
        yyjson_val *token = yyjson_arr_get(pair, 0), *bias = yyjson_arr_get(pair, 1);
        char key[24];
        if (!yyjson_is_uint(token) || !yyjson_is_num(bias)) continue;
        snprintf(key, sizeof key, "%" PRIu64, yyjson_get_uint(token));
        yyjson_mut_obj_add(map, yyjson_mut_strcpy(t->doc, key),
                           yyjson_mut_real(t->doc, within(yyjson_get_num(bias), -1e6, 1e6)));
    }
}

static void read_structured(const struct target *t, yyjson_val *value, const char *name,
                            double off) {
    const char *type = text_field(value, "type");
    (void)off;
    if (!type || strcmp(type, "none") == 0) return;
    if (strcmp(type, "gbnf") == 0) {
        yyjson_val *grammar = yyjson_obj_get(value, "gbnfGrammar");
        if (yyjson_is_str(grammar)) {
            yyjson_mut_obj_add_val(t->doc, t->body, "grammar",
                                   yyjson_val_mut_copy(t->doc, grammar));
        }
        return;
    }
    yyjson_mut_val *format = yyjson_mut_obj_add_obj(t->doc, t->body, name);
    yyjson_val *schema = yyjson_obj_get(value, "jsonSchema");
    bool demanded = yyjson_is_obj(schema);
    yyjson_mut_obj_add_str(t->doc, format, "type", demanded ? "json_schema" : "json_object");
    if (!demanded) return;
    yyjson_mut_val *wrap = yyjson_mut_obj_add_obj(t->doc, format, "json_schema");
    yyjson_mut_obj_add_val(t->doc, wrap, "schema", yyjson_val_mut_copy(t->doc, schema));
}

static void read_tools(const struct target *t, yyjson_val *value, const char *name,
                       double off) {
    yyjson_val *tools = yyjson_obj_get(value, "tools");
    (void)off;
    if (yyjson_arr_size(tools) > 0) {
        yyjson_mut_obj_add_val(t->doc, t->body, name, yyjson_val_mut_copy(t->doc, tools));
    }
}

static void read_tool_choice(const struct target *t, yyjson_val *value, const char *name,
                             double off) {
    const char *mode = text_field(value, "mode");
    (void)off;
    if (mode && (strcmp(mode, "none") == 0 || strcmp(mode, "required") == 0)) {
        yyjson_mut_obj_add_strcpy(t->doc, t->body, name, mode);
    }
}

static void read_thinking(const struct target *t, yyjson_val *value, const char *name,
                          double off) {
    (void)off;
    if (!yyjson_is_bool(value)) return;
    yyjson_mut_val *kwargs = yyjson_mut_obj_add_obj(t->doc, t->body, name);
    yyjson_mut_obj_add_bool(t->doc, kwargs, "enable_thinking", yyjson_get_bool(value));
}

/* ---- prompt template ---- */

static void add_literal(struct buf *out, yyjson_val *text) {
    if (!yyjson_is_str(text)) return;
    buf_add_str(out, "{{ ");
    json_write_str(out, yyjson_get_str(text),
                   yyjson_get_len(text)); /* Jinja's strings are like it */
    buf_add_str(out, " }}");
}

/* Texts before and after each message, as a Jinja template. */
static void write_manual(yyjson_val *manual, struct buf *out) {
    static const struct {
        const char *role, *before, *after;
    } roles[] = { { "system", "beforeSystem", "afterSystem" },
                  { "user", "beforeUser", "afterUser" },
                  { "assistant", "beforeAssistant", "afterAssistant" } };
    buf_add_str(out, "{% for message in messages %}");
    for (size_t i = 0; i < 3; i++) {
        buf_addf(out, "{%% if message['role'] == '%s' %%}", roles[i].role);
        add_literal(out, yyjson_obj_get(manual, roles[i].before));
        buf_add_str(out, "{{ message['content'] }}");
        add_literal(out, yyjson_obj_get(manual, roles[i].after));
        buf_add_str(out, "{% endif %}");
    }
    buf_add_str(out, "{% endfor %}{% if add_generation_prompt %}");
    add_literal(out, yyjson_obj_get(manual, "beforeAssistant"));
    buf_add_str(out, "{% endif %}");
}

static void read_template(const struct target *t, yyjson_val *value, const char *name,
                          double off) {
    const char *type = text_field(value, "type");
    yyjson_val *jinja = yyjson_obj_get(yyjson_obj_get(value, "jinjaPromptTemplate"),
                                       "template");
    yyjson_val *manual = yyjson_obj_get(value, "manualPromptTemplate");
    if (type && strcmp(type, "jinja") == 0 && yyjson_is_str(jinja)) {
        yyjson_mut_obj_add_val(t->doc, t->body, name, yyjson_val_mut_copy(t->doc, jinja));
    } else if (type && strcmp(type, "manual") == 0 && yyjson_is_obj(manual)) {
        struct buf text = BUF_INIT(1 << 20);
        write_manual(manual, &text);
        yyjson_mut_obj_add_strcpy(t->doc, t->body, name, buf_str(&text));
        buf_clear(&text);
    }
    read_stops(t, yyjson_obj_get(value, "stopStrings"), "stop", off);
}

/* Doze's own behaviour is to stop at the limit. */
static void read_overflow(const struct target *t, yyjson_val *value, const char *name,
                          double off) {
    static const struct {
        const char *theirs, *ours;
    } words[] = { { "stopAtLimit", "stop" },
                  { "truncateMiddle", "truncate_middle" },
                  { "rollingWindow", "rolling_window" } };
    (void)off;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!yyjson_equals_str(value, words[i].theirs)) continue;
        yyjson_mut_obj_add_str(t->doc, t->body, name, words[i].ours);
    }
}

/* Read elsewhere (lmstudio_ws_history.c, lmstudio_ws_predict.c), but effective. */
static void read_elsewhere(const struct target *t, yyjson_val *value, const char *name,
                           double off) {
    (void)t;
    (void)value;
    (void)name;
    (void)off;
}

static const struct {
    const char *key;
    const char *name; /* in the neutral body */
    read_fn *read;
    double off; /* what an unchecked box means */
} rows[] = {
    { PREFIX "temperature", "temperature", read_number, 0 },
    { PREFIX "maxPredictedTokens", "max_tokens", read_int_box, 0 },
    { PREFIX "stopStrings", "stop", read_stops, 0 },
    { PREFIX "topKSampling", "top_k", read_top_k, 0 },
    { PREFIX "topPSampling", "top_p", read_share, 1 },
    { PREFIX "minPSampling", "min_p", read_share, 0 },
    { PREFIX "repeatPenalty", "repeat_penalty", read_repeat, 1 },
    { PREFIX "llama.presencePenalty", "presence_penalty", read_box, 0 },
    { PREFIX "llama.frequencyPenalty", "frequency_penalty", read_box, 0 },
    { PREFIX "llama.logitBias", "logit_bias", read_bias, 0 },
    { PREFIX "seed", "seed", read_int_box, 0 },
    { PREFIX "logProbs", "logprobs", read_int_box, 0 },
    { PREFIX "structured", "response_format", read_structured, 0 },
    { PREFIX "tools", "tools", read_tools, 0 },
    { PREFIX "toolChoice", "tool_choice", read_tool_choice, 0 },
    { PREFIX "reasoning.enableThinking", "chat_template_kwargs", read_thinking, 0 },
    { PREFIX "reasoning.parsing", "", read_elsewhere, 0 },
    { PREFIX "systemPrompt", "", read_elsewhere, 0 },
    { PREFIX "promptTemplate", "chat_template", read_template, 0 },
    { PREFIX "contextOverflowPolicy", "overflow", read_overflow, 0 },
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

void ws_prediction_config_read(yyjson_val *stack, yyjson_mut_doc *doc, yyjson_mut_val *body) {
    struct target target = { doc, body };
    for (size_t i = 0; i < ROW_COUNT; i++) {
        yyjson_val *value = ws_config_find(stack, rows[i].key);
        if (value) rows[i].read(&target, value, rows[i].name, rows[i].off);
    }
}

yyjson_mut_val *ws_prediction_config_format(yyjson_mut_doc *doc, yyjson_val *stack) {
    yyjson_mut_val *fields, *config = ws_config_new(doc, &fields);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        yyjson_val *value = ws_config_find(stack, rows[i].key);
        if (value) ws_config_add(doc, fields, rows[i].key, yyjson_val_mut_copy(doc, value));
    }
    return config;
}
