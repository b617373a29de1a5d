/* SPDX-License-Identifier: MIT */
#include "cli/setting_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/json.h"
#include "base/size.h"
#include "base/words.h"

const struct setting setting_table[] = {
    { "jit", SETTING_BOOL, "true", "Load a model when a request names it" },
    { "default_ttl", SETTING_TTL, "3600", "Idle time of models that requests load" },
    { "explicit_ttl", SETTING_TTL, "null", "Idle time of models loaded by name" },
    { "max_ttl", SETTING_TTL, "null", "Longest idle time that a request may set" },
    { "ttl_update", SETTING_WORD, "\"set\"", "What the ttl of a later request does" },
    { "auto_evict", SETTING_WORD, "\"on\"", "Which models make room for others" },
    { "jit_limit", SETTING_NUMBER, "1", "Models loaded by requests at a time" },
    { "switch_window_ms", SETTING_MS, "1000", "New requests join a wanted model this long" },
    { "memory_limit", SETTING_BYTES, "null", "Memory for all models together" },
    { "device_memory_limit", SETTING_BYTES, "null", "The same of graphics cards" },
    { "prompt_store", SETTING_WORD, "\"on\"", "Keep processed prompts of unloaded models" },
    { "prompt_store_bytes", SETTING_BYTES, "4294967296", "Disk space for processed prompts" },
    { "response_store_bytes", SETTING_BYTES, "1073741824", "Disk space for responses" },
    { "response_store_age", SETTING_SECONDS, "2592000", "Forget responses unused this long" },
    { "evict_on_pressure", SETTING_BOOL, "true", "Unload idle models when memory is short" },
    { "standby", SETTING_BOOL, "true", "Keep a spare worker ready" },
    { "parked_workers", SETTING_WORD, "\"auto\"", "Keep workers of unloaded models" },
    { "parked_seconds", SETTING_SECONDS, "3600", "Keep such a worker this long" },
    { "engine", SETTING_WORD, "\"auto\"", "What computes: auto, cpu, vulkan or cuda" },
    { "max_waiting", SETTING_NUMBER, "128", "Requests that may wait for one model" },
    { "load_stall_seconds", SETTING_SECONDS, "120", "Give up a load without progress" },
    { "hang_seconds", SETTING_SECONDS, "60", "Kill a worker that no longer responds" },
    { "body_limit", SETTING_BYTES, "16777216", "Size of a request body, for large images" },
    { "download_connections", SETTING_NUMBER, "4", "Connections for a large download" },
    { "cors", SETTING_BOOL, "false", "Allow web pages of other origins" },
    { "allowed_hosts", SETTING_TEXT, "null", "Other names of this machine" },
    { "allowed_origins", SETTING_TEXT, "null", "Other origins whose pages may come" },
    { "sdk_port", SETTING_BOOL, "true", "Listen where LM Studio's clients look" },
    { "ollama_default_keep_alive", SETTING_BOOL, "false", "5 minutes for Ollama's clients" },
    { "ollama_port", SETTING_NUMBER, "0", "Also listen on this port, Ollama's is 11434" },
    { "lmstudio_compat", SETTING_BOOL, "true", "Let LM Studio's `lms` find the server" },
    { "api_key", SETTING_TEXT, "null", "Key that requests must send" },
    { "tls_cert", SETTING_TEXT, "null", "Certificate (PEM file): answer by https" },
    { "tls_key", SETTING_TEXT, "null", "Its key, if that is in another file" },
    { "load", SETTING_JSON, "null", "Load settings of all models" },
    { "models", SETTING_JSON, "null", "Load settings of single models" },
    { "model_aliases", SETTING_JSON, "null", "Other names of models" },
    { "fleet", SETTING_JSON, "null", "Several servers that know each other" },
};
const size_t setting_table_count = sizeof setting_table / sizeof setting_table[0];

const struct setting *setting_find(const char *name) {
    for (size_t i = 0; i < setting_table_count; i++) {
        if (strcmp(setting_table[i].name, name) == 0) return &setting_table[i];
    }
    return NULL;
}

/* --- reading --- */

static bool takes_null(enum setting_kind kind) {
    return kind == SETTING_TTL || kind == SETTING_BYTES || kind == SETTING_TEXT ||
           kind == SETTING_JSON;
}

static yyjson_mut_val *parse_json(const char *text, yyjson_mut_doc *doc) {
    struct error ignored;
    yyjson_doc *json = json_parse(text, strlen(text), &ignored);
    yyjson_mut_val *val = json ? yyjson_val_mut_copy(doc, yyjson_doc_get_root(json)) : NULL;
    yyjson_doc_free(json);
    return val;
}

static yyjson_mut_val *parse_bool(const char *text, yyjson_mut_doc *doc) {
    static const char *const words[] = { "off", "on", "false", "true", "no", "yes" };
    int i = WORDS_FIND(words, text);
    return i < 0 ? NULL : yyjson_mut_bool(doc, i % 2 == 1);
}

static yyjson_mut_val *parse_seconds(const char *text, yyjson_mut_doc *doc) {
    msec span;
    if (!duration_parse(text, &span)) return NULL;
    return span % 1000 ? yyjson_mut_real(doc, (double)span / 1000)
                       : yyjson_mut_sint(doc, span / 1000);
}

/* A number without a unit is already in ms. */
static yyjson_mut_val *parse_ms(const char *text, yyjson_mut_doc *doc) {
    msec span;
    if (text[strspn(text, "0123456789")] == '\0') return parse_json(text, doc);
    return duration_parse(text, &span) ? yyjson_mut_sint(doc, span) : NULL;
}

static yyjson_mut_val *parse_bytes(const char *text, yyjson_mut_doc *doc) {
    nbytes bytes;
    return size_parse(text, &bytes) ? yyjson_mut_uint(doc, bytes) : NULL;
}

static yyjson_mut_val *parse_kind(enum setting_kind kind, const char *text,
                                  yyjson_mut_doc *doc) {
    switch (kind) {
    case SETTING_BOOL:
        return parse_bool(text, doc);
    case SETTING_TTL:
    case SETTING_SECONDS:
        return parse_seconds(text, doc);
    case SETTING_MS:
        return parse_ms(text, doc);
    case SETTING_BYTES:
        return parse_bytes(text, doc);
    case SETTING_WORD:
    case SETTING_TEXT:
        return yyjson_mut_strcpy(doc, text);
    case SETTING_NUMBER:
    case SETTING_JSON:
        return parse_json(text, doc);
    }
    return NULL;
}

static const char *const accepted[] = {
    [SETTING_BOOL] = "on or off",
    [SETTING_TTL] = "seconds, a span (10m, 1h30m) or none",
    [SETTING_SECONDS] = "seconds or a span (90s, 2m)",
    [SETTING_MS] = "milliseconds or a span (500ms, 2s)",
    [SETTING_BYTES] = "a size (8GB, 512MiB) or none",
    [SETTING_NUMBER] = "a number",
    [SETTING_WORD] = "a word",
    [SETTING_TEXT] = "a text or none",
    [SETTING_JSON] = "a JSON object or none",
};

yyjson_mut_val *setting_parse(const struct setting *setting, const char *text,
                              yyjson_mut_doc *doc, struct error *err) {
    static const char *const nulls[] = { "null", "none", "never", "-1" };
    if (!setting) {
        yyjson_mut_val *val = parse_json(text, doc);
        return val ? val : yyjson_mut_strcpy(doc, text);
    }
    if (takes_null(setting->kind) && WORDS_FIND(nulls, text) >= 0) return yyjson_mut_null(doc);
    yyjson_mut_val *val = parse_kind(setting->kind, text, doc);
    if (!val) {
        error_set(err, ERR_INVALID_REQUEST, "%s takes %s, not '%.80s'.", setting->name,
                  accepted[setting->kind], text);
    }
    return val;
}

/* --- writing --- */

static void format_span(double ms, struct buf *out) {
    char text[DURATION_TEXT];
    duration_format(ms < (double)DURATION_MAX ? (msec)ms : DURATION_MAX, text);
    buf_add_str(out, text);
}

static void format_bytes(yyjson_val *val, struct buf *out) {
    char text[SIZE_TEXT];
    size_format(yyjson_get_uint(val), text);
    buf_add_str(out, text);
}

/* The member of `fleet` that is a number, not null, while nothing is set. */
static bool lends_nothing(const char *name, yyjson_val *val) {
    return strcmp(name, "lend_memory") == 0 && yyjson_is_uint(val) && yyjson_get_uint(val) == 0;
}

/* The names of its members, because the values may take any room. */
static void format_members(yyjson_val *obj, struct buf *out) {
    size_t i, count, before = out->len;
    yyjson_val *key, *val;
    yyjson_obj_foreach(obj, i, count, key, val) {
        if (yyjson_is_null(val) || lends_nothing(yyjson_get_str(key), val)) continue;
        buf_addf(out, "%s%s", out->len > before ? ", " : "", yyjson_get_str(key));
    }
    if (out->len == before) buf_add_str(out, "none");
}

void setting_format(const struct setting *setting, yyjson_val *val, struct buf *out) {
    bool number = setting && yyjson_is_num(val);
    if (setting && takes_null(setting->kind) && yyjson_is_null(val)) {
        buf_add_str(out, "none");
    } else if (number && (setting->kind == SETTING_TTL || setting->kind == SETTING_SECONDS)) {
        format_span(yyjson_get_num(val) * 1000, out);
    } else if (number && setting->kind == SETTING_MS) {
        format_span(yyjson_get_num(val), out);
    } else if (setting && setting->kind == SETTING_BYTES && yyjson_is_uint(val)) {
        format_bytes(val, out);
    } else if (setting && setting->kind == SETTING_BOOL && yyjson_is_bool(val)) {
        buf_add_str(out, yyjson_is_true(val) ? "on" : "off");
    } else if (setting && yyjson_is_obj(val)) {
        format_members(val, out);
    } else if (yyjson_is_str(val)) {
        buf_add(out, yyjson_get_str(val), yyjson_get_len(val));
    } else {
        json_write_val(val, out);
    }
}
