/* SPDX-License-Identifier: MIT */
/* prediction_config.c - the keys "llm.prediction.*": what they are in a neutral body, and what
 * of them counts. A value of an unexpected form is ignored like an unknown key; numbers are
 * clamped to the range that clients accept. */
#include "api/lmstudio_ws/prediction_config.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/lmstudio_ws/config.h"
#include "api/lmstudio_ws/template.h"
#include "base/json.h"

#define PREFIX "llm.prediction."

enum { TEMPLATE_BYTES = 1 << 20 };

struct target {
    yyjson_mut_doc *doc;
    yyjson_mut_val *body;
    struct error *err; /* set where a value must not be ignored */
};

struct row {
    const char *key;
    const char *name; /* in the neutral body */
    /* What counts, as it is shown to the client; NULL: the value is ignored. */
    yyjson_mut_val *(*read)(const struct target *t, yyjson_val *value, const struct row *row);
    double off; /* what an unchecked box means */
    double min, max;
    bool positive; /* a box with 0 or less counts as unchecked */
    bool chats_only;
    /* What counts if the client sets nothing; NULL: nothing is shown. */
    yyjson_mut_val *(*preset)(const struct target *t, const struct row *row,
                              const struct sampling_view *defaults);
    size_t preset_at; /* offset of a double in struct sampling_view */
};

static double clamp(double n, const struct row *row) {
    return n < row->min ? row->min : n > row->max ? row->max : n;
}

static yyjson_mut_val *box_new(const struct target *t, bool checked, yyjson_mut_val *number) {
    yyjson_mut_val *box = yyjson_mut_obj(t->doc);
    yyjson_mut_obj_add_bool(t->doc, box, "checked", checked);
    yyjson_mut_obj_add_val(t->doc, box, "value", number);
    return box;
}

static yyjson_mut_val *copy_of(const struct target *t, yyjson_val *value) {
    return yyjson_val_mut_copy(t->doc, value);
}

/* ---- numbers ---- */

static yyjson_mut_val *read_number(const struct target *t, yyjson_val *value,
                                   const struct row *row) {
    if (!yyjson_is_num(value)) return NULL;
    double n = clamp(yyjson_get_num(value), row);
    yyjson_mut_obj_add_real(t->doc, t->body, row->name, n);
    return yyjson_mut_real(t->doc, n);
}

/* Below 0: off. */
static yyjson_mut_val *read_top_k(const struct target *t, yyjson_val *value,
                                  const struct row *row) {
    if (!yyjson_is_num(value)) return NULL;
    int64_t n = (int64_t)clamp(yyjson_get_num(value), row);
    yyjson_mut_obj_add_int(t->doc, t->body, row->name, n < 0 ? 0 : n);
    return yyjson_mut_int(t->doc, n);
}

/* A checkbox: unchecked is the number that switches it off. */
static yyjson_mut_val *read_box(const struct target *t, yyjson_val *value,
                                const struct row *row) {
    bool checked;
    double n;
    if (!lmws_checkbox_read(value, &checked, &n)) return NULL;
    if (row->positive && n <= 0) checked = false;
    n = clamp(n, row);
    yyjson_mut_obj_add_real(t->doc, t->body, row->name, checked ? n : row->off);
    return box_new(t, checked, yyjson_mut_real(t->doc, n));
}

/* A checkbox with an integer; unchecked, or below 0, leaves the field out. */
static yyjson_mut_val *read_int_box(const struct target *t, yyjson_val *value,
                                    const struct row *row) {
    bool checked;
    double n;
    if (!lmws_checkbox_read(value, &checked, &n)) return NULL;
    checked = checked && n >= 0;
    int64_t whole = (int64_t)clamp(n, row);
    if (checked) yyjson_mut_obj_add_int(t->doc, t->body, row->name, whole);
    return box_new(t, checked, yyjson_mut_int(t->doc, whole));
}

static void add_real_of(const struct target *t, const char *name, yyjson_val *value,
                        double max) {
    if (!yyjson_is_num(value)) return;
    const struct row range = { .min = 0, .max = max };
    yyjson_mut_obj_add_real(t->doc, t->body, name, clamp(yyjson_get_num(value), &range));
}

static yyjson_mut_val *read_mirostat(const struct target *t, yyjson_val *value,
                                     const struct row *row) {
    yyjson_val *version = yyjson_obj_get(value, "version");
    if (!yyjson_is_uint(version) || yyjson_get_uint(version) > 2) return NULL;
    yyjson_mut_obj_add_uint(t->doc, t->body, row->name, yyjson_get_uint(version));
    add_real_of(t, "mirostat_tau", yyjson_obj_get(value, "targetEntropy"), 100);
    add_real_of(t, "mirostat_eta", yyjson_obj_get(value, "learningRate"), 1);
    return copy_of(t, value);
}

/* [[token, bias], ...] */
static yyjson_mut_val *read_bias(const struct target *t, yyjson_val *value,
                                 const struct row *row) {
    size_t i, max;
    yyjson_val *pair;
    if (!yyjson_is_arr(value)) return NULL;
    yyjson_mut_val *map = yyjson_mut_obj_add_obj(t->doc, t->body, row->name);
    yyjson_arr_foreach(value, i, max, pair) {
        yyjson_val *token = yyjson_arr_get(pair, 0), *bias = yyjson_arr_get(pair, 1);
        char key[24];
        if (!yyjson_is_uint(token) || !yyjson_is_num(bias)) continue;
        snprintf(key, sizeof key, "%" PRIu64, yyjson_get_uint(token));
        yyjson_mut_obj_add(map, yyjson_mut_strcpy(t->doc, key),
                           yyjson_mut_real(t->doc, clamp(yyjson_get_num(bias), row)));
    }
    return copy_of(t, value);
}

/* ---- texts and words ---- */

/* Stop strings of several keys add up. */
static yyjson_mut_val *read_stops(const struct target *t, yyjson_val *value,
                                  const struct row *row) {
    size_t i, max;
    yyjson_val *word;
    if (!yyjson_is_arr(value)) return NULL;
    yyjson_mut_val *counted = yyjson_mut_arr(t->doc);
    yyjson_mut_val *stops = yyjson_mut_obj_get(t->body, row->name);
    if (!stops && yyjson_arr_size(value) > 0)
        stops = yyjson_mut_obj_add_arr(t->doc, t->body, row->name);
    yyjson_arr_foreach(value, i, max, word) {
        if (!yyjson_is_str(word) || yyjson_get_len(word) == 0) continue;
        yyjson_mut_arr_append(stops, copy_of(t, word));
        yyjson_mut_arr_append(counted, copy_of(t, word));
    }
    return counted;
}

static yyjson_mut_val *read_structured(const struct target *t, yyjson_val *value,
                                       const struct row *row) {
    const char *type = json_find_str(value, "type");
    yyjson_val *grammar = yyjson_obj_get(value, "gbnfGrammar");
    yyjson_val *schema = yyjson_obj_get(value, "jsonSchema");
    if (!type) return NULL;
    if (strcmp(type, "none") == 0) return copy_of(t, value);
    if (strcmp(type, "gbnf") == 0) {
        if (!yyjson_is_str(grammar)) return NULL;
        yyjson_mut_obj_add_val(t->doc, t->body, "grammar", copy_of(t, grammar));
        return copy_of(t, value);
    }
    yyjson_mut_val *format = yyjson_mut_obj_add_obj(t->doc, t->body, row->name);
    bool by_schema = yyjson_is_obj(schema);
    yyjson_mut_obj_add_str(t->doc, format, "type", by_schema ? "json_schema" : "json_object");
    if (by_schema) {
        yyjson_mut_val *wrap = yyjson_mut_obj_add_obj(t->doc, format, "json_schema");
        yyjson_mut_obj_add_val(t->doc, wrap, "schema", copy_of(t, schema));
    }
    return copy_of(t, value);
}

static yyjson_mut_val *read_tools(const struct target *t, yyjson_val *value,
                                  const struct row *row) {
    yyjson_val *tools = yyjson_obj_get(value, "tools");
    if (!json_find_str(value, "type")) return NULL;
    if (yyjson_arr_size(tools) > 0) {
        yyjson_mut_obj_add_val(t->doc, t->body, row->name, copy_of(t, tools));
    }
    return copy_of(t, value);
}

static yyjson_mut_val *read_tool_choice(const struct target *t, yyjson_val *value,
                                        const struct row *row) {
    const char *mode = json_find_str(value, "mode");
    bool choice = mode && (strcmp(mode, "none") == 0 || strcmp(mode, "required") == 0);
    if (!choice && (!mode || strcmp(mode, "auto") != 0)) return NULL;
    if (choice) yyjson_mut_obj_add_strcpy(t->doc, t->body, row->name, mode);
    return copy_of(t, value);
}

static yyjson_mut_val *read_thinking(const struct target *t, yyjson_val *value,
                                     const struct row *row) {
    if (!yyjson_is_bool(value)) return NULL;
    yyjson_mut_val *kwargs = yyjson_mut_obj_add_obj(t->doc, t->body, row->name);
    yyjson_mut_obj_add_bool(t->doc, kwargs, "enable_thinking", yyjson_get_bool(value));
    return copy_of(t, value);
}

static yyjson_mut_val *read_template(const struct target *t, yyjson_val *value,
                                     const struct row *row) {
    static const struct row stops = { .name = "stop" };
    struct buf text = BUF_INIT(TEMPLATE_BYTES);
    bool counts = lmws_template_write(value, &text);
    if (text.overflowed) {
        error_set(t->err, ERR_TOO_LARGE,
                  "The prompt template is longer than %d KiB; shorten it.",
                  TEMPLATE_BYTES >> 10);
    }
    if (counts) yyjson_mut_obj_add_strcpy(t->doc, t->body, row->name, buf_str(&text));
    buf_clear(&text);
    (void)read_stops(t, yyjson_obj_get(value, "stopStrings"), &stops);
    return counts ? copy_of(t, value) : NULL;
}

static yyjson_mut_val *read_overflow(const struct target *t, yyjson_val *value,
                                     const struct row *row) {
    static const struct {
        const char *theirs, *ours;
    } words[] = { { "stopAtLimit", "stop" },
                  { "truncateMiddle", "truncate_middle" },
                  { "rollingWindow", "rolling_window" } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!yyjson_equals_str(value, words[i].theirs)) continue;
        yyjson_mut_obj_add_str(t->doc, t->body, row->name, words[i].ours);
        return copy_of(t, value);
    }
    return NULL;
}

/* history.c and prediction.c read these two. */
static yyjson_mut_val *read_text(const struct target *t, yyjson_val *value,
                                 const struct row *row) {
    (void)row;
    return yyjson_is_str(value) ? copy_of(t, value) : NULL;
}

static yyjson_mut_val *read_parsing(const struct target *t, yyjson_val *value,
                                    const struct row *row) {
    (void)row;
    bool whole = yyjson_is_bool(yyjson_obj_get(value, "enabled")) &&
                 json_find_str(value, "startString") && json_find_str(value, "endString");
    return whole ? copy_of(t, value) : NULL;
}

/* ---- what counts if the client sets nothing ---- */

static double preset_of(const struct row *row, const struct sampling_view *defaults) {
    double preset;
    memcpy(&preset, (const char *)defaults + row->preset_at, sizeof preset);
    return preset;
}

static yyjson_mut_val *preset_number(const struct target *t, const struct row *row,
                                     const struct sampling_view *defaults) {
    return defaults->known ? yyjson_mut_real(t->doc, preset_of(row, defaults)) : NULL;
}

static yyjson_mut_val *preset_box(const struct target *t, const struct row *row,
                                  const struct sampling_view *defaults) {
    double n = preset_of(row, defaults);
    return defaults->known ? box_new(t, n != row->off, yyjson_mut_real(t->doc, n)) : NULL;
}

static yyjson_mut_val *preset_top_k(const struct target *t, const struct row *row,
                                    const struct sampling_view *defaults) {
    if (!defaults->known) return NULL;
    return yyjson_mut_int(t->doc, (int64_t)clamp((double)defaults->top_k, row));
}

/* LM Studio's way with a text that is too long; it differs from the neutral body's. */
static yyjson_mut_val *preset_overflow(const struct target *t, const struct row *row,
                                       const struct sampling_view *defaults) {
    (void)defaults;
    yyjson_mut_obj_add_str(t->doc, t->body, row->name, "truncate_middle");
    return yyjson_mut_str(t->doc, "truncateMiddle");
}

/* ---- all keys ---- */

#define PRESET(how, field) .preset = (how), .preset_at = offsetof(struct sampling_view, field)

static const struct row rows[] = {
    { PREFIX "temperature", "temperature", read_number, .min = 0, .max = 100,
      PRESET(preset_number, temperature) },
    { PREFIX "maxPredictedTokens", "max_tokens", read_int_box, .min = 1, .max = INT32_MAX },
    { PREFIX "stopStrings", "stop", read_stops, .min = 0 },
    { PREFIX "toolCallStopStrings", "stop", read_stops, .min = 0 },
    { PREFIX "topKSampling", "top_k", read_top_k, .min = -1, .max = 500,
      .preset = preset_top_k },
    { PREFIX "topPSampling", "top_p", read_box, .off = 1, .min = 0, .max = 1,
      PRESET(preset_box, top_p) },
    { PREFIX "minPSampling", "min_p", read_box, .off = 0, .min = 0, .max = 1,
      PRESET(preset_box, min_p) },
    { PREFIX "repeatPenalty", "repeat_penalty", read_box, .off = 1, .min = 0.01, .max = 100,
      .positive = true, PRESET(preset_box, repeat_penalty) },
    { PREFIX "llama.presencePenalty", "presence_penalty", read_box, .min = -100, .max = 100 },
    { PREFIX "llama.frequencyPenalty", "frequency_penalty", read_box, .min = -100, .max = 100 },
    { PREFIX "llama.logitBias", "logit_bias", read_bias, .min = -1e6, .max = 1e6 },
    { PREFIX "llama.xtcProbability", "xtc_probability", read_box, .off = 0, .max = 1 },
    { PREFIX "llama.xtcThreshold", "xtc_threshold", read_box, .off = 0.1, .max = 1 },
    { PREFIX "llama.locallyTypicalSampling", "typical_p", read_box, .off = 1, .max = 1 },
    { PREFIX "llama.mirostatSampling", "mirostat", read_mirostat, .min = 0 },
    { PREFIX "seed", "seed", read_int_box, .min = -1, .max = INT32_MAX },
    { PREFIX "logProbs", "logprobs", read_int_box, .min = 0, .max = 100 },
    { PREFIX "structured", "response_format", read_structured, .min = 0 },
    { PREFIX "tools", "tools", read_tools, .chats_only = true },
    { PREFIX "toolChoice", "tool_choice", read_tool_choice, .chats_only = true },
    { PREFIX "reasoning.enableThinking", "chat_template_kwargs", read_thinking,
      .chats_only = true },
    { PREFIX "reasoning.budgetTokens", "reasoning_budget", read_int_box, .max = INT32_MAX,
      .chats_only = true },
    { PREFIX "reasoning.parsing", "", read_parsing, .min = 0 },
    { PREFIX "systemPrompt", "", read_text, .chats_only = true },
    { PREFIX "promptTemplate", "chat_template", read_template, .chats_only = true },
    { PREFIX "contextOverflowPolicy", "overflow", read_overflow, .preset = preset_overflow },
};

yyjson_mut_val *lmws_prediction_config_read(yyjson_val *stack, enum lmws_config_use use,
                                            const struct sampling_view *defaults,
                                            yyjson_mut_doc *doc, yyjson_mut_val *body,
                                            struct error *err) {
    struct error refused = { 0 };
    const struct target target = { doc, body, &refused };
    yyjson_mut_val *fields, *config = lmws_config_new(doc, &fields);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].chats_only && use != LMWS_CONFIG_CHAT) continue;
        yyjson_val *value = lmws_config_find(stack, rows[i].key);
        yyjson_mut_val *counts = value ? rows[i].read(&target, value, &rows[i]) : NULL;
        if (!counts && rows[i].preset) counts = rows[i].preset(&target, &rows[i], defaults);
        if (counts) lmws_config_add(doc, fields, rows[i].key, counts);
    }
    if (refused.code != ERR_NONE) {
        *err = refused;
        return NULL;
    }
    return config;
}
