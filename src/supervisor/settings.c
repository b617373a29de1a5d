/* SPDX-License-Identifier: MIT */
#include "supervisor/settings.h"

#include <string.h>

#include "base/json.h"

enum { MAX_WAITING_LIMIT = LC_MAX_REQUESTS };

void settings_init(struct settings *settings) {
    *settings = (struct settings){ .rules = lc_settings_default(),
                                   .standby = true,
                                   .sdk_port = true,
                                   .lmstudio_compat = true,
                                   .prompt_store = PROMPT_STORE_ON,
                                   .prompt_store_bytes = (nbytes)4 << 30,
                                   .load = LOAD_SETTINGS_UNSET };
}

void settings_clear(struct settings *settings) {
    yyjson_doc_free(settings->models);
    settings_init(settings);
}

static yyjson_doc *copy_doc(yyjson_doc *doc) {
    if (!doc) return NULL;
    yyjson_mut_doc *changeable = yyjson_doc_mut_copy(doc, NULL);
    yyjson_doc *copy = yyjson_mut_doc_imut_copy(changeable, NULL);
    yyjson_mut_doc_free(changeable);
    return copy;
}

void settings_copy(const struct settings *settings, struct settings *ret_copy) {
    *ret_copy = *settings;
    ret_copy->models = copy_doc(settings->models);
}

/* ---- reading ---- */

static bool read_jit(struct settings *s, yyjson_val *obj, const char *name, struct error *err) {
    return json_read_bool(obj, name, &s->rules.jit, err);
}

static bool read_cors(struct settings *s, yyjson_val *obj, const char *name,
                      struct error *err) {
    return json_read_bool(obj, name, &s->cors, err);
}

static bool read_sdk_port(struct settings *s, yyjson_val *obj, const char *name,
                          struct error *err) {
    return json_read_bool(obj, name, &s->sdk_port, err);
}

static bool read_lmstudio_compat(struct settings *s, yyjson_val *obj, const char *name,
                                 struct error *err) {
    return json_read_bool(obj, name, &s->lmstudio_compat, err);
}

static bool read_standby(struct settings *s, yyjson_val *obj, const char *name,
                         struct error *err) {
    return json_read_bool(obj, name, &s->standby, err);
}

static bool read_default_ttl(struct settings *s, yyjson_val *obj, const char *name,
                             struct error *err) {
    double seconds = -1;
    double most = (double)LC_TTL_MAX / 1000;
    if (!json_read_double(obj, name, -1, most, &seconds, err)) return false;
    if (seconds < 0 && seconds > -1) {
        return error_set_param(err, ERR_INVALID_REQUEST, name,
                               "'%s' must be seconds, or null (or -1) for none.", name);
    }
    s->rules.default_ttl = seconds < 0 ? MSEC_NEVER : (msec)(seconds * 1000);
    return true;
}

struct word {
    const char *text;
    int value;
};

/* One of a few words; a boolean counts as "on" / "off" where those exist. */
static bool read_word(yyjson_val *obj, const char *name, const struct word *words, int count,
                      int *out, struct error *err) {
    yyjson_val *val = yyjson_obj_get(obj, name);
    const char *text = yyjson_get_str(val);
    if (yyjson_is_bool(val)) text = yyjson_get_bool(val) ? "on" : "off";
    for (int i = 0; text && i < count; i++) {
        if (strcmp(words[i].text, text) != 0) continue;
        *out = words[i].value;
        return true;
    }
    struct buf list = BUF_INIT(128);
    for (int i = 0; i < count; i++) buf_addf(&list, "%s\"%s\"", i ? ", " : "", words[i].text);
    error_set_param(err, ERR_INVALID_REQUEST, name, "'%s' must be one of %s.", name,
                    buf_str(&list));
    buf_clear(&list);
    return false;
}

static const struct word evict_words[] = { { "on", LC_EVICT_ON },
                                           { "off", LC_EVICT_OFF },
                                           { "fit", LC_EVICT_FIT } };
static const struct word update_words[] = { { "set", true }, { "ignore", false } };

static bool read_auto_evict(struct settings *s, yyjson_val *obj, const char *name,
                            struct error *err) {
    int value = (int)s->rules.auto_evict;
    if (!read_word(obj, name, evict_words, 3, &value, err)) return false;
    s->rules.auto_evict = (enum lc_auto_evict)value;
    return true;
}

static bool read_ttl_update(struct settings *s, yyjson_val *obj, const char *name,
                            struct error *err) {
    int value = s->rules.ttl_update;
    if (!read_word(obj, name, update_words, 2, &value, err)) return false;
    s->rules.ttl_update = value;
    return true;
}

static bool read_switch_window(struct settings *s, yyjson_val *obj, const char *name,
                               struct error *err) {
    return json_read_int(obj, name, 0, 600000, &s->rules.switch_window, err);
}

static bool read_seconds(yyjson_val *obj, const char *name, msec *out, struct error *err) {
    double seconds = (double)*out / 1000;
    if (!json_read_double(obj, name, 0.1, 86400, &seconds, err)) return false;
    *out = (msec)(seconds * 1000);
    return true;
}

static bool read_load_stall(struct settings *s, yyjson_val *obj, const char *name,
                            struct error *err) {
    return read_seconds(obj, name, &s->rules.load_stall, err);
}

static bool read_hang(struct settings *s, yyjson_val *obj, const char *name,
                      struct error *err) {
    return read_seconds(obj, name, &s->rules.hang, err);
}

static bool read_max_waiting(struct settings *s, yyjson_val *obj, const char *name,
                             struct error *err) {
    int64_t n = s->rules.max_waiting;
    if (!json_read_int(obj, name, 1, MAX_WAITING_LIMIT, &n, err)) return false;
    s->rules.max_waiting = (uint32_t)n;
    return true;
}

static bool read_memory_limit(struct settings *s, yyjson_val *obj, const char *name,
                              struct error *err) {
    int64_t n = 0;
    if (!json_read_int(obj, name, 0, INT64_MAX, &n, err)) return false;
    s->memory_limit = (nbytes)n;
    return true;
}

static const struct word store_words[] = { { "off", PROMPT_STORE_OFF },
                                           { "memory", PROMPT_STORE_MEMORY },
                                           { "on", PROMPT_STORE_ON } };

static bool read_prompt_store(struct settings *s, yyjson_val *obj, const char *name,
                              struct error *err) {
    int value = (int)s->prompt_store;
    if (!read_word(obj, name, store_words, 3, &value, err)) return false;
    s->prompt_store = (enum prompt_store)value;
    return true;
}

static bool read_prompt_store_bytes(struct settings *s, yyjson_val *obj, const char *name,
                                    struct error *err) {
    int64_t n = (int64_t)s->prompt_store_bytes;
    if (!json_read_int(obj, name, 0, INT64_MAX, &n, err)) return false;
    s->prompt_store_bytes = (nbytes)n;
    return true;
}

static bool read_api_key(struct settings *s, yyjson_val *obj, const char *name,
                         struct error *err) {
    const char *key = "";
    if (!json_read_str(obj, name, &key, err)) return false;
    if (strlen(key) >= sizeof s->api_key) {
        return error_set_param(err, ERR_INVALID_REQUEST, name,
                               "'%s' must be shorter than %zu characters.", name,
                               sizeof s->api_key);
    }
    memset(s->api_key, 0, sizeof s->api_key);
    memcpy(s->api_key, key, strlen(key));
    return true;
}

static bool read_load(struct settings *s, yyjson_val *obj, const char *name,
                      struct error *err) {
    yyjson_val *layer = NULL;
    if (!json_read_object(obj, name, &layer, err)) return false;
    s->load = (struct load_settings)LOAD_SETTINGS_UNSET;
    return !layer || load_settings_parse(layer, &s->load, err);
}

/* Entries of the patch replace those of the same key; null takes one away. */
static yyjson_doc *merged_models(yyjson_doc *old, yyjson_val *patch) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    size_t i, max;
    yyjson_val *key, *val;
    yyjson_obj_foreach(yyjson_doc_get_root(old), i, max, key, val) {
        if (yyjson_obj_get(patch, yyjson_get_str(key))) continue;
        yyjson_mut_obj_add(root, yyjson_val_mut_copy(doc, key), yyjson_val_mut_copy(doc, val));
    }
    yyjson_obj_foreach(patch, i, max, key, val) {
        if (yyjson_is_null(val)) continue;
        yyjson_mut_obj_add(root, yyjson_val_mut_copy(doc, key), yyjson_val_mut_copy(doc, val));
    }
    yyjson_doc *merged = yyjson_mut_doc_imut_copy(doc, NULL);
    yyjson_mut_doc_free(doc);
    return merged;
}

static bool read_models(struct settings *s, yyjson_val *obj, const char *name,
                        struct error *err) {
    yyjson_val *patch = NULL;
    if (!json_read_object(obj, name, &patch, err)) return false;
    size_t i, max;
    yyjson_val *key, *val;
    yyjson_obj_foreach(patch, i, max, key, val) {
        struct load_settings layer;
        if (yyjson_is_null(val)) continue;
        if (!yyjson_is_obj(val)) {
            return error_set_param(err, ERR_INVALID_REQUEST, name,
                                   "'models' must map model keys to objects of load settings.");
        }
        if (!load_settings_parse(val, &layer, err)) return false;
    }
    s->models = patch ? merged_models(s->models, patch) : NULL;
    return true;
}

/* ---- writing ---- */

static void add_ttl(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *name, msec ttl) {
    if (ttl == MSEC_NEVER) {
        yyjson_mut_obj_add_null(doc, obj, name);
    } else if (ttl % 1000 == 0) {
        yyjson_mut_obj_add_int(doc, obj, name, ttl / 1000);
    } else {
        yyjson_mut_obj_add_real(doc, obj, name, (double)ttl / 1000);
    }
}

static void write_jit(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                      const char *name) {
    yyjson_mut_obj_add_bool(doc, obj, name, s->rules.jit);
}

static void write_cors(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                       const char *name) {
    yyjson_mut_obj_add_bool(doc, obj, name, s->cors);
}

static void write_standby(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                          const char *name) {
    yyjson_mut_obj_add_bool(doc, obj, name, s->standby);
}

static void write_sdk_port(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                           const char *name) {
    yyjson_mut_obj_add_bool(doc, obj, name, s->sdk_port);
}

static void write_lmstudio_compat(const struct settings *s, yyjson_mut_doc *doc,
                                  yyjson_mut_val *obj, const char *name) {
    yyjson_mut_obj_add_bool(doc, obj, name, s->lmstudio_compat);
}

static void write_default_ttl(const struct settings *s, yyjson_mut_doc *doc,
                              yyjson_mut_val *obj, const char *name) {
    add_ttl(doc, obj, name, s->rules.default_ttl);
}

static void write_auto_evict(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                             const char *name) {
    yyjson_mut_obj_add_str(doc, obj, name, evict_words[s->rules.auto_evict].text);
}

static void write_ttl_update(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                             const char *name) {
    yyjson_mut_obj_add_str(doc, obj, name, s->rules.ttl_update ? "set" : "ignore");
}

static void write_switch_window(const struct settings *s, yyjson_mut_doc *doc,
                                yyjson_mut_val *obj, const char *name) {
    yyjson_mut_obj_add_int(doc, obj, name, s->rules.switch_window);
}

static void write_load_stall(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                             const char *name) {
    add_ttl(doc, obj, name, s->rules.load_stall);
}

static void write_hang(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                       const char *name) {
    add_ttl(doc, obj, name, s->rules.hang);
}

static void write_max_waiting(const struct settings *s, yyjson_mut_doc *doc,
                              yyjson_mut_val *obj, const char *name) {
    yyjson_mut_obj_add_int(doc, obj, name, s->rules.max_waiting);
}

static void write_memory_limit(const struct settings *s, yyjson_mut_doc *doc,
                               yyjson_mut_val *obj, const char *name) {
    if (s->memory_limit)
        yyjson_mut_obj_add_uint(doc, obj, name, s->memory_limit);
    else
        yyjson_mut_obj_add_null(doc, obj, name);
}

static void write_prompt_store(const struct settings *s, yyjson_mut_doc *doc,
                               yyjson_mut_val *obj, const char *name) {
    yyjson_mut_obj_add_str(doc, obj, name, settings_prompt_store(s));
}

static void write_prompt_store_bytes(const struct settings *s, yyjson_mut_doc *doc,
                                     yyjson_mut_val *obj, const char *name) {
    yyjson_mut_obj_add_uint(doc, obj, name, s->prompt_store_bytes);
}

static void write_api_key(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                          const char *name) {
    if (s->api_key[0])
        yyjson_mut_obj_add_strcpy(doc, obj, name, s->api_key);
    else
        yyjson_mut_obj_add_null(doc, obj, name);
}

static void write_load(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                       const char *name) {
    yyjson_mut_obj_add_val(doc, obj, name, load_settings_format(&s->load, doc));
}

static void write_models(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                         const char *name) {
    yyjson_val *models = yyjson_doc_get_root(s->models);
    yyjson_mut_obj_add_val(doc, obj, name,
                           models ? yyjson_val_mut_copy(doc, models) : yyjson_mut_obj(doc));
}

struct row {
    const char *name;
    bool (*read)(struct settings *s, yyjson_val *obj, const char *name, struct error *err);
    void (*write)(const struct settings *s, yyjson_mut_doc *doc, yyjson_mut_val *obj,
                  const char *name);
};

static const struct row rows[] = {
    { "jit", read_jit, write_jit },
    { "default_ttl", read_default_ttl, write_default_ttl },
    { "ttl_update", read_ttl_update, write_ttl_update },
    { "auto_evict", read_auto_evict, write_auto_evict },
    { "switch_window_ms", read_switch_window, write_switch_window },
    { "memory_limit", read_memory_limit, write_memory_limit },
    { "standby", read_standby, write_standby },
    { "prompt_store", read_prompt_store, write_prompt_store },
    { "prompt_store_bytes", read_prompt_store_bytes, write_prompt_store_bytes },
    { "max_waiting", read_max_waiting, write_max_waiting },
    { "load_stall_seconds", read_load_stall, write_load_stall },
    { "hang_seconds", read_hang, write_hang },
    { "cors", read_cors, write_cors },
    { "sdk_port", read_sdk_port, write_sdk_port },
    { "lmstudio_compat", read_lmstudio_compat, write_lmstudio_compat },
    { "api_key", read_api_key, write_api_key },
    { "load", read_load, write_load },
    { "models", read_models, write_models },
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const struct row *row_find(const char *name) {
    for (int i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) return &rows[i];
    }
    return NULL;
}

static bool refuse_unknown(const char *name, struct error *err) {
    return error_set_param(err, ERR_INVALID_REQUEST, name,
                           "There is no setting '%s'; GET /api/v1/settings lists them all.",
                           name);
}

static bool apply(struct settings *next, yyjson_val *patch, struct error *err) {
    size_t i, max;
    yyjson_val *key, *val;
    yyjson_obj_foreach(patch, i, max, key, val) {
        (void)val;
        if (!row_find(yyjson_get_str(key))) return refuse_unknown(yyjson_get_str(key), err);
    }
    for (int r = 0; r < ROW_COUNT; r++) { /* by row: a name given twice is read once */
        if (!yyjson_obj_get(patch, rows[r].name)) continue;
        if (!rows[r].read(next, patch, rows[r].name, err)) return false;
    }
    return true;
}

bool settings_patch(struct settings *settings, yyjson_val *patch, struct error *err) {
    if (!yyjson_is_obj(patch)) {
        return error_set(err, ERR_INVALID_REQUEST, "Settings are changed with a JSON object.");
    }
    struct settings next = *settings; /* read_models replaces the document, never changes it */
    bool ok = apply(&next, patch, err);
    yyjson_doc *stale = ok ? settings->models : next.models;
    if (next.models != settings->models) yyjson_doc_free(stale);
    if (ok) *settings = next;
    return ok;
}

void settings_format(const struct settings *settings, struct buf *out) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    for (int i = 0; i < ROW_COUNT; i++) rows[i].write(settings, doc, root, rows[i].name);
    json_write(doc, out);
    yyjson_mut_doc_free(doc);
}

void settings_show(const struct settings *settings, struct buf *out) {
    struct settings shown = *settings;
    if (shown.api_key[0]) {
        memset(shown.api_key, 0, sizeof shown.api_key);
        memset(shown.api_key, '*', 8);
    }
    settings_format(&shown, out);
}

const char *settings_prompt_store(const struct settings *settings) {
    return store_words[settings->prompt_store].text;
}

bool settings_for_model(const struct settings *settings, const char *key,
                        struct load_settings *ret_load) {
    yyjson_val *entry = yyjson_obj_get(yyjson_doc_get_root(settings->models), key);
    struct error err;
    return entry && load_settings_parse(entry, ret_load, &err);
}
