/* SPDX-License-Identifier: MIT */
#include "supervisor/model_aliases.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/xalloc.h"

void model_aliases_clear(struct model_aliases *aliases) {
    for (size_t i = 0; i < aliases->count; i++) {
        free(aliases->list[i].pattern);
        free(aliases->list[i].target);
    }
    free(aliases->list);
    *aliases = (struct model_aliases){ 0 };
}

static void add(struct model_aliases *aliases, const char *pattern, const char *target) {
    size_t size = (aliases->count + 1) * sizeof *aliases->list;
    aliases->list = xrealloc(aliases->list, size);
    aliases->list[aliases->count++] = (struct model_alias){ xstrdup(pattern), xstrdup(target) };
}

struct model_aliases model_aliases_copy(const struct model_aliases *aliases) {
    struct model_aliases copy = { 0 };
    for (size_t i = 0; i < aliases->count; i++) {
        add(&copy, aliases->list[i].pattern, aliases->list[i].target);
    }
    return copy;
}

/* Does the name fit the pattern? After a '*' that failed, the next longer text is tried. */
static bool fits(const char *pattern, const char *name) {
    const char *star = NULL, *tried = NULL;
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            tried = name;
        } else if (ascii_lower(*pattern) == ascii_lower(*name)) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++tried;
        } else {
            return false;
        }
    }
    while (*pattern == '*') pattern++;
    return *pattern == '\0';
}

const char *model_aliases_find(const struct model_aliases *aliases, const char *name) {
    const struct model_alias *best = NULL;
    if (strnlen(name, MODEL_ALIAS_NAME_MAX + 1) > MODEL_ALIAS_NAME_MAX) return NULL;
    for (size_t i = 0; i < aliases->count; i++) {
        const struct model_alias *alias = &aliases->list[i];
        if (!fits(alias->pattern, name)) continue;
        if (!best || strlen(alias->pattern) > strlen(best->pattern)) best = alias;
    }
    return best ? best->target : NULL;
}

static void drop(struct model_aliases *aliases, const char *pattern) {
    for (size_t i = 0; i < aliases->count; i++) {
        struct model_alias *alias = &aliases->list[i];
        if (strcmp(alias->pattern, pattern) != 0) continue;
        free(alias->pattern);
        free(alias->target);
        *alias = aliases->list[--aliases->count];
        return;
    }
}

bool model_aliases_patch(struct model_aliases *aliases, yyjson_val *patch, struct error *err) {
    size_t i, max;
    yyjson_val *pattern, *target;
    yyjson_obj_foreach(patch, i, max, pattern, target) {
        const char *name = yyjson_get_str(pattern), *text = yyjson_get_str(target);
        bool removed = yyjson_is_null(target);
        if (!*name || (!removed && (!text || !*text))) {
            return error_set_param(err, ERR_INVALID_REQUEST, "model_aliases",
                                   "'model_aliases' must map names, with * for any text, to "
                                   "model keys or \"loaded\".");
        }
        drop(aliases, name);
        if (removed) continue;
        if (aliases->count == MODEL_ALIASES_MAX) {
            return error_set_param(err, ERR_INVALID_REQUEST, "model_aliases",
                                   "'model_aliases' can have at most %d entries; remove some "
                                   "with null.",
                                   MODEL_ALIASES_MAX);
        }
        add(aliases, name, text);
    }
    return true;
}

yyjson_mut_val *model_aliases_format(const struct model_aliases *aliases, yyjson_mut_doc *doc) {
    yyjson_mut_val *out = yyjson_mut_obj(doc);
    for (size_t i = 0; i < aliases->count; i++) {
        yyjson_mut_val *pattern = yyjson_mut_strcpy(doc, aliases->list[i].pattern);
        yyjson_mut_obj_add(out, pattern, yyjson_mut_strcpy(doc, aliases->list[i].target));
    }
    return out;
}
