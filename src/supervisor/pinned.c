/* SPDX-License-Identifier: MIT */
#include "supervisor/pinned.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"

static void drop(struct kept *kept, size_t index) {
    free(kept->list[index].identifier);
    free(kept->list[index].model_key);
    kept->count--;
    memmove(kept->list + index, kept->list + index + 1,
            (kept->count - index) * sizeof kept->list[0]);
}

void kept_clear(struct kept *kept) {
    while (kept->count > 0) drop(kept, kept->count - 1);
}

/* The number of wishes if there is none. */
static size_t find(const struct kept *kept, const char *identifier) {
    size_t i = 0;
    while (i < kept->count && strcmp(kept->list[i].identifier, identifier) != 0) i++;
    return i;
}

bool kept_has(const struct kept *kept, const char *identifier) {
    return find(kept, identifier) < kept->count;
}

bool kept_forget(struct kept *kept, const char *identifier) {
    size_t index = find(kept, identifier);
    if (index == kept->count) return false;
    drop(kept, index);
    return true;
}

bool kept_set_ttl(struct kept *kept, const char *identifier, msec ttl) {
    size_t index = find(kept, identifier);
    if (index == kept->count) return false;
    kept->list[index].ttl = ttl;
    return true;
}

void kept_put(struct kept *kept, const char *identifier, const char *model_key, msec ttl,
              const struct load_settings *demanded) {
    if (!kept_forget(kept, identifier) && kept->count == KEPT_MAX) drop(kept, 0);
    kept->list[kept->count++] = (struct kept_wish){ .identifier = xstrdup(identifier),
                                                    .model_key = xstrdup(model_key),
                                                    .ttl = ttl,
                                                    .demanded = *demanded };
}

static void add_wish(const struct kept_wish *wish, yyjson_mut_doc *doc, yyjson_mut_val *list) {
    yyjson_mut_val *obj = load_settings_format(&wish->demanded, doc);
    yyjson_mut_arr_append(list, obj);
    yyjson_mut_obj_add_str(doc, obj, "model", wish->model_key);
    if (strcmp(wish->identifier, wish->model_key) != 0) {
        yyjson_mut_obj_add_str(doc, obj, "identifier", wish->identifier);
    }
    if (wish->ttl != MSEC_NEVER) {
        yyjson_mut_obj_add_real(doc, obj, "ttl", (double)wish->ttl / 1000);
    }
}

void kept_format(const struct kept *kept, struct buf *out) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    yyjson_mut_doc_set_root(doc, list);
    for (size_t i = 0; i < kept->count; i++) add_wish(&kept->list[i], doc, list);
    json_write(doc, out);
    yyjson_mut_doc_free(doc);
}
