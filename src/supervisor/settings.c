/* SPDX-License-Identifier: MIT */
#include "supervisor/settings.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "base/words.h"

/* What clients see of the API key, and never a key itself. */
static const char key_mask[] = "********";

static const char *const evict_words[] = { [LC_EVICT_ON] = "on",
                                           [LC_EVICT_OFF] = "off",
                                           [LC_EVICT_FIT] = "fit",
                                           [LC_EVICT_PER_TYPE] = "per_type" };
static const char *const update_words[] = {
    [LC_TTL_IGNORE] = "ignore", [LC_TTL_SET] = "set", [LC_TTL_LONGEST] = "longest"
};

enum kind {
    KIND_SWITCH,
    KIND_NUMBER,
    KIND_SECONDS, /* the member is in ms */
    KIND_WORD,    /* the member is its place among the words */
    KIND_KEY,
    KIND_NAMES,
    KIND_PATH,
    KIND_LOAD,
    KIND_MODELS,
    KIND_ALIASES,
    KIND_FLEET,
};

struct row {
    const char *name;
    enum kind kind;
    size_t offset, size; /* of the member */
    int64_t min, max;    /* of the member: numbers, seconds, words */
    int64_t null;        /* the value that JSON has as null; NO_NULL: there is none */
    const char *const *words;
};

enum { DAY_MS = 86400000 };
#define NO_NULL INT64_MIN
#define AT(member) offsetof(struct settings, member), sizeof((struct settings *)0)->member
#define SWITCH(name, member)                                                                   \
    { name, KIND_SWITCH, AT(member), 0, 1, NO_NULL, NULL }
#define WORD(name, member, words)                                                              \
    { name, KIND_WORD, AT(member), 0, sizeof(words) / sizeof *(words)-1, NO_NULL, words }

static const struct row rows[] = {
    SWITCH("jit", rules.jit),
    { "default_ttl", KIND_SECONDS, AT(rules.default_ttl), 0, LC_TTL_MAX, MSEC_NEVER, NULL },
    { "explicit_ttl", KIND_SECONDS, AT(rules.explicit_ttl), 0, LC_TTL_MAX, MSEC_NEVER, NULL },
    { "max_ttl", KIND_SECONDS, AT(rules.max_ttl), 0, LC_TTL_MAX, MSEC_NEVER, NULL },
    WORD("ttl_update", rules.ttl_update, update_words),
    WORD("auto_evict", rules.auto_evict, evict_words),
    { "jit_limit", KIND_NUMBER, AT(rules.jit_limit), 1, LC_MAX_SLOTS, NO_NULL, NULL },
    { "switch_window_ms", KIND_NUMBER, AT(rules.switch_window), 0, 600000, NO_NULL, NULL },
    { "memory_limit", KIND_NUMBER, AT(memory_limit), 0, INT64_MAX, 0, NULL },
    { "device_memory_limit", KIND_NUMBER, AT(device_limit), 0, INT64_MAX, 0, NULL },
    SWITCH("evict_on_pressure", evict_on_pressure),
    SWITCH("standby", standby),
    WORD("parked_workers", parked_workers, park_words),
    { "parked_seconds", KIND_SECONDS, AT(parked_life), 100, LC_TTL_MAX, MSEC_NEVER, NULL },
    WORD("engine", engine, engine_words),
    WORD("prompt_store", prompt_store, prompt_store_modes),
    { "prompt_store_bytes", KIND_NUMBER, AT(prompt_store_bytes), 0, INT64_MAX, NO_NULL, NULL },
    { "response_store_bytes", KIND_NUMBER, AT(response_store_bytes), 0, INT64_MAX, NO_NULL,
      NULL },
    { "response_store_age", KIND_SECONDS, AT(response_store_age), 60000, LC_TTL_MAX, NO_NULL,
      NULL },
    { "max_waiting", KIND_NUMBER, AT(rules.max_waiting), 1, LC_MAX_REQUESTS, NO_NULL, NULL },
    { "load_stall_seconds", KIND_SECONDS, AT(rules.load_stall), 100, DAY_MS, NO_NULL, NULL },
    { "hang_seconds", KIND_SECONDS, AT(rules.hang), 100, DAY_MS, NO_NULL, NULL },
    { "body_limit", KIND_NUMBER, AT(body_limit), 1 << 20, SETTINGS_BODY_MAX, NO_NULL, NULL },
    { "download_connections", KIND_NUMBER, AT(download_connections), 1, 8, NO_NULL, NULL },
    SWITCH("cors", cors),
    { "allowed_hosts", KIND_NAMES, AT(allowed_hosts), 0, 0, NO_NULL, NULL },
    { "allowed_origins", KIND_NAMES, AT(allowed_origins), 0, 0, NO_NULL, NULL },
    SWITCH("sdk_port", sdk_port),
    SWITCH("ollama_default_keep_alive", ollama_default_keep_alive),
    { "ollama_port", KIND_NUMBER, AT(ollama_port), 0, 65535, NO_NULL, NULL },
    SWITCH("lmstudio_compat", lmstudio_compat),
    { "api_key", KIND_KEY, AT(api_key), 0, 0, NO_NULL, NULL },
    { "tls_cert", KIND_PATH, AT(tls_cert), 0, 0, NO_NULL, NULL },
    { "tls_key", KIND_PATH, AT(tls_key), 0, 0, NO_NULL, NULL },
    { "load", KIND_LOAD, AT(load), 0, 0, NO_NULL, NULL },
    { "models", KIND_MODELS, AT(models), 0, 0, NO_NULL, NULL },
    { "model_aliases", KIND_ALIASES, AT(aliases), 0, 0, NO_NULL, NULL },
    { "fleet", KIND_FLEET, AT(fleet), 0, 0, NO_NULL, NULL },
};
enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

void settings_init(struct settings *settings) {
    *settings = (struct settings){ .rules = lc_settings_default(),
                                   .body_limit = (nbytes)16 << 20,
                                   .download_connections = 4,
                                   .evict_on_pressure = true,
                                   .standby = true,
                                   .parked_life = 3600000,
                                   .sdk_port = true,
                                   .lmstudio_compat = true,
                                   .prompt_store = PROMPT_STORE_ON,
                                   .prompt_store_bytes = (nbytes)4 << 30,
                                   .response_store_bytes = (nbytes)1 << 30,
                                   .response_store_age = (msec)30 * DAY_MS,
                                   .load = LOAD_SETTINGS_UNSET };
}

void settings_clear(struct settings *settings) {
    model_settings_clear(&settings->models);
    model_aliases_clear(&settings->aliases);
    settings_init(settings);
}

void settings_copy(const struct settings *settings, struct settings *ret_copy) {
    *ret_copy = *settings;
    ret_copy->models = model_settings_copy(&settings->models);
    ret_copy->aliases = model_aliases_copy(&settings->aliases);
}

/* Of switches, numbers, seconds and words, whatever their width. */
static int64_t member_get(const struct settings *s, const struct row *row) {
    const void *at = (const char *)s + row->offset;
    if (row->size == sizeof(bool)) return *(const bool *)at;
    return row->size == sizeof(uint32_t) ? *(const uint32_t *)at : *(const int64_t *)at;
}

static void member_set(struct settings *s, const struct row *row, int64_t value) {
    void *at = (char *)s + row->offset;
    if (row->size == sizeof(bool)) {
        *(bool *)at = value != 0;
    } else if (row->size == sizeof(uint32_t)) {
        *(uint32_t *)at = (uint32_t)value;
    } else {
        *(int64_t *)at = value;
    }
}

/* ---- reading ---- */

/* A boolean counts as "on" or "off" where those exist. */
static bool read_word(struct settings *s, const struct row *row, yyjson_val *patch,
                      struct error *err) {
    yyjson_val *json = yyjson_obj_get(patch, row->name);
    const char *text = yyjson_get_str(json);
    if (yyjson_is_bool(json)) text = yyjson_get_bool(json) ? "on" : "off";
    size_t count = (size_t)row->max + 1;
    int found = words_find(row->words, count, text);
    if (found < 0) return words_refuse(row->words, count, row->name, err);
    member_set(s, row, found);
    return true;
}

bool settings_patch_changes_key(const struct settings *settings, yyjson_val *patch) {
    yyjson_val *key = yyjson_obj_get(patch, "api_key"), *fleet = yyjson_obj_get(patch, "fleet");
    if (fleet && fleet_settings_patch_changes_key(&settings->fleet, fleet)) return true;
    if (!key || yyjson_equals_str(key, key_mask)) return false;
    return !yyjson_is_null(key) || settings->api_key[0];
}

static bool read_key(struct settings *s, yyjson_val *patch, struct error *err) {
    const char *key = "";
    if (!json_read_str(patch, "api_key", &key, err)) return false;
    if (strcmp(key, key_mask) == 0) {
        return s->api_key[0] ||
               error_set_param(err, ERR_INVALID_REQUEST, "api_key",
                               "'api_key' is shown as stars; send the key itself.");
    }
    if (strlen(key) >= sizeof s->api_key) {
        return error_set_param(err, ERR_INVALID_REQUEST, "api_key",
                               "'api_key' must be shorter than %zu bytes.", sizeof s->api_key);
    }
    memset(s->api_key, 0, sizeof s->api_key);
    memcpy(s->api_key, key, strlen(key));
    return true;
}

static bool read_fleet(struct settings *s, yyjson_val *patch, struct error *err) {
    yyjson_val *fleet = NULL;
    if (!json_read_object(patch, "fleet", &fleet, err)) return false;
    if (fleet) return fleet_settings_patch(&s->fleet, fleet, err);
    s->fleet = (struct fleet_settings){ 0 };
    return true;
}

static bool read_path(struct settings *s, const struct row *row, yyjson_val *patch,
                      struct error *err) {
    const char *path = "";
    char *member = (char *)s + row->offset;
    if (!json_read_str(patch, row->name, &path, err)) return false;
    if ((*path && *path != '/') || strlen(path) >= row->size) {
        return error_set_param(err, ERR_INVALID_REQUEST, row->name,
                               "'%s' must be the absolute path of a file, shorter than %zu "
                               "bytes.",
                               row->name, row->size);
    }
    memset(member, 0, row->size);
    memcpy(member, path, strlen(path) + 1);
    return true;
}

/* One name: printable, and a "*" only where something is left to tell names apart. */
static bool is_name(const char *name, size_t len) {
    const char *star = memchr(name, '*', len);
    for (size_t i = 0; i < len; i++) {
        if (name[i] <= ' ' || name[i] > '~' || strchr("\"\\<>", name[i])) return false;
    }
    if (!star) return true;
    size_t after = (size_t)(name + len - star) - 1;
    return after > 1 && star[1] == '.' && !memchr(star + 1, '*', after);
}

/* A text: names with commas or spaces between. */
static bool read_names(struct settings *s, const struct row *row, yyjson_val *patch,
                       struct error *err) {
    static const char between[] = ", ";
    const char *names = "";
    char *member = (char *)s + row->offset;
    if (!json_read_str(patch, row->name, &names, err)) return false;
    bool ok = strlen(names) < row->size;
    for (const char *at = names + strspn(names, between); ok && *at;) {
        size_t len = strcspn(at, between);
        ok = is_name(at, len);
        at += len + strspn(at + len, between);
    }
    if (!ok) {
        return error_set_param(err, ERR_INVALID_REQUEST, row->name,
                               "'%s' must be a text of names separated by commas, such as "
                               "\"%s\", shorter than %zu bytes.",
                               row->name,
                               row->offset == offsetof(struct settings, allowed_hosts)
                                   ? "llm.example, *.lan"
                                   : "https://*.example.com",
                               row->size);
    }
    memset(member, 0, row->size);
    memcpy(member, names, strlen(names) + 1);
    return true;
}

/* No adapter fits every model. */
static bool is_for_all(yyjson_val *load, struct error *err) {
    yyjson_val *adapters = yyjson_obj_get(load, "adapters");
    return !adapters || yyjson_is_null(adapters) ||
           error_set_param(err, ERR_INVALID_REQUEST, "adapters",
                           "An adapter is made for one model; set 'adapters' of that model, "
                           "below 'models'.");
}

static bool read_load(struct settings *s, yyjson_val *patch, struct error *err) {
    yyjson_val *load = NULL;
    if (!json_read_object(patch, "load", &load, err)) return false;
    if (!is_for_all(load, err)) return false;
    if (load) return load_settings_patch(&s->load, load, err);
    s->load = (struct load_settings)LOAD_SETTINGS_UNSET;
    return true;
}

static bool read_models(struct settings *s, yyjson_val *patch, struct error *err) {
    yyjson_val *models = NULL;
    if (!json_read_object(patch, "models", &models, err)) return false;
    if (models) return model_settings_patch(&s->models, models, err);
    model_settings_clear(&s->models);
    return true;
}

static bool read_aliases(struct settings *s, yyjson_val *patch, struct error *err) {
    yyjson_val *aliases = NULL;
    if (!json_read_object(patch, "model_aliases", &aliases, err)) return false;
    if (aliases) return model_aliases_patch(&s->aliases, aliases, err);
    model_aliases_clear(&s->aliases);
    return true;
}

static bool is_null(const struct row *row, yyjson_val *json) {
    bool minus_one = row->kind == KIND_SECONDS && yyjson_is_num(json) &&
                     yyjson_get_num(json) == -1; /* LM Studio's word for no ttl */
    return row->null != NO_NULL && (yyjson_is_null(json) || minus_one);
}

static bool read_switch(struct settings *s, const struct row *row, yyjson_val *patch,
                        struct error *err) {
    bool on = member_get(s, row) != 0;
    if (!json_read_bool(patch, row->name, &on, err)) return false;
    member_set(s, row, on);
    return true;
}

static bool read_number(struct settings *s, const struct row *row, yyjson_val *patch,
                        struct error *err) {
    int64_t value = member_get(s, row);
    bool ok = json_read_int(patch, row->name, row->min, row->max, &value, err);
    if (ok) member_set(s, row, value);
    return ok;
}

static bool read_seconds(struct settings *s, const struct row *row, yyjson_val *patch,
                         struct error *err) {
    double seconds = (double)member_get(s, row) / 1000;
    bool ok = json_read_double(patch, row->name, (double)row->min / 1000,
                               (double)row->max / 1000, &seconds, err);
    int64_t value = llround(seconds * 1000);
    if (ok) member_set(s, row, value);
    return ok;
}

static bool read_row(struct settings *s, const struct row *row, yyjson_val *patch,
                     struct error *err) {
    if (is_null(row, yyjson_obj_get(patch, row->name))) {
        member_set(s, row, row->null);
        return true;
    }
    switch (row->kind) {
    case KIND_KEY:
        return read_key(s, patch, err);
    case KIND_NAMES:
        return read_names(s, row, patch, err);
    case KIND_PATH:
        return read_path(s, row, patch, err);
    case KIND_LOAD:
        return read_load(s, patch, err);
    case KIND_MODELS:
        return read_models(s, patch, err);
    case KIND_ALIASES:
        return read_aliases(s, patch, err);
    case KIND_FLEET:
        return read_fleet(s, patch, err);
    case KIND_SWITCH:
        return read_switch(s, row, patch, err);
    case KIND_NUMBER:
        return read_number(s, row, patch, err);
    case KIND_SECONDS:
        return read_seconds(s, row, patch, err);
    case KIND_WORD:
        return read_word(s, row, patch, err);
    }
    assert(false && "kind");
    return false;
}

static bool is_setting(const char *name) {
    for (int r = 0; r < ROW_COUNT; r++) {
        if (strcmp(rows[r].name, name) == 0) return true;
    }
    return false;
}

static bool apply(struct settings *next, yyjson_val *patch, struct error *err) {
    size_t i, max;
    yyjson_val *key, *val;
    yyjson_obj_foreach(patch, i, max, key, val) {
        const char *name = yyjson_get_str(key);
        (void)val;
        if (is_setting(name)) continue;
        return error_set_param(err, ERR_INVALID_REQUEST, name,
                               "There is no setting '%s'; GET /api/v1/settings lists them all.",
                               name);
    }
    for (int r = 0; r < ROW_COUNT; r++) { /* by row: a name given twice is read once */
        if (!yyjson_obj_get(patch, rows[r].name)) continue;
        if (!read_row(next, &rows[r], patch, err)) return false;
    }
    return true;
}

bool settings_patch(struct settings *settings, yyjson_val *patch, struct error *err) {
    if (!yyjson_is_obj(patch)) {
        return error_set(err, ERR_INVALID_REQUEST, "Settings are changed with a JSON object.");
    }
    struct settings next;
    settings_copy(settings, &next);
    bool ok = apply(&next, patch, err);
    settings_clear(ok ? settings : &next);
    if (ok) *settings = next;
    return ok;
}

static bool restore_member(struct settings *s, const char *group, yyjson_val *name,
                           yyjson_val *value, struct error *err) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_val *into = group ? yyjson_mut_obj_add_obj(doc, root, group) : root;
    yyjson_mut_obj_add(into, yyjson_val_mut_copy(doc, name), yyjson_val_mut_copy(doc, value));
    yyjson_doc *patch = yyjson_mut_doc_imut_copy(doc, NULL);
    bool ok = settings_patch(s, yyjson_doc_get_root(patch), err);
    yyjson_doc_free(patch);
    yyjson_mut_doc_free(doc);
    return ok;
}

/* The members of the object; group: its name in the settings, NULL for the settings. */
static int restore_members(struct settings *s, const char *group, yyjson_val *object,
                           struct error *ret_first) {
    struct error err;
    size_t i, max;
    yyjson_val *key, *value;
    int refused = 0;
    yyjson_obj_foreach(object, i, max, key, value) {
        const char *name = yyjson_get_str(key);
        if (restore_member(s, group, key, value, &err)) continue;
        bool is_group = !group && yyjson_is_obj(value) && is_setting(name);
        int inside = is_group ? restore_members(s, name, value, &err) : 1;
        if (refused == 0) *ret_first = err;
        refused += inside;
    }
    return refused;
}

int settings_restore(struct settings *settings, yyjson_val *saved, struct error *ret_first) {
    if (settings_patch(settings, saved, ret_first)) return 0;
    if (!yyjson_is_obj(saved)) return 1;
    return restore_members(settings, NULL, saved, ret_first);
}

/* ---- writing ---- */

static yyjson_mut_val *row_value(const struct settings *s, const struct row *row,
                                 yyjson_mut_doc *doc) {
    int64_t value = row->kind < KIND_KEY ? member_get(s, row) : 0;
    if (row->kind < KIND_KEY && value == row->null) return yyjson_mut_null(doc);
    switch (row->kind) {
    case KIND_SWITCH:
        return yyjson_mut_bool(doc, value != 0);
    case KIND_NUMBER:
        return yyjson_mut_sint(doc, value);
    case KIND_SECONDS:
        return value % 1000 == 0 ? yyjson_mut_sint(doc, value / 1000)
                                 : yyjson_mut_real(doc, (double)value / 1000);
    case KIND_WORD:
        return yyjson_mut_str(doc, row->words[value]);
    case KIND_KEY:
        return s->api_key[0] ? yyjson_mut_strcpy(doc, s->api_key) : yyjson_mut_null(doc);
    case KIND_NAMES:
    case KIND_PATH: {
        const char *text = (const char *)s + row->offset;
        return *text ? yyjson_mut_strcpy(doc, text) : yyjson_mut_null(doc);
    }
    case KIND_LOAD:
        return load_settings_format(&s->load, doc);
    case KIND_MODELS:
        return model_settings_format(&s->models, doc);
    case KIND_ALIASES:
        return model_aliases_format(&s->aliases, doc);
    case KIND_FLEET:
        return fleet_settings_format(&s->fleet, doc);
    }
    return NULL;
}

void settings_format(const struct settings *settings, struct buf *out) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    for (int r = 0; r < ROW_COUNT; r++) {
        yyjson_mut_obj_add_val(doc, root, rows[r].name, row_value(settings, &rows[r], doc));
    }
    json_write_end(doc, out);
}

void settings_show(const struct settings *settings, struct buf *out) {
    struct settings shown = *settings;
    if (shown.api_key[0]) memcpy(shown.api_key, key_mask, sizeof key_mask);
    fleet_settings_mask(&shown.fleet);
    settings_format(&shown, out);
}
