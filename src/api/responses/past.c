/* SPDX-License-Identifier: MIT */
#include "api/responses/past.h"

#include <stdlib.h>
#include <string.h>

#include "api/responses/item.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

enum { REFERENCES_MAX = 1000, PAGE_DEFAULT = 20, PAGE_MAX = 100 };

/* ---- what a body wants ---- */

/* "resp_x" of "msg_x_0"; NULL if it is not an id of ours. */
static char *response_of(const char *item_id) {
    const char *first = strchr(item_id, '_'), *last = strrchr(item_id, '_');
    if (!first || last == first) return NULL;
    return xasprintf("resp_%.*s", (int)(last - first - 1), first + 1);
}

static bool reference_refuse(const char *id, size_t index, struct error *err) {
    char param[32];
    struct buf name = BUF_INIT(sizeof param);
    (void)buf_addf(&name, "input[%zu].id", index);
    error_set_param(err, ERR_INVALID_REQUEST, buf_str(&name),
                    "There is no stored item \"%.80s\"; send the item itself.", id ? id : "");
    buf_clear(&name);
    return false;
}

static bool reference_add(struct past_wanted *wanted, const char *id, size_t index,
                          struct error *err) {
    char *response = id ? response_of(id) : NULL;
    if (!response) return reference_refuse(id, index, err);
    if (wanted->item_count == REFERENCES_MAX) {
        free(response);
        return error_set_param(err, ERR_TOO_LARGE, "input",
                               "'input' has more than %d references; send the items "
                               "themselves.",
                               REFERENCES_MAX);
    }
    wanted->items[wanted->item_count++] = (struct past_item){ xstrdup(id), response };
    return true;
}

static bool references_read(yyjson_val *input, struct past_wanted *wanted, struct error *err) {
    yyjson_val *item;
    size_t i, count;
    yyjson_arr_foreach(input, i, count, item) {
        if (!item_is_type(item, "item_reference")) continue;
        if (!wanted->items) wanted->items = xcalloc(REFERENCES_MAX, sizeof *wanted->items);
        if (!reference_add(wanted, json_find_str(item, "id"), i, err)) return false;
    }
    return true;
}

bool past_read(const char *body, size_t len, struct past_wanted *ret_wanted,
               struct error *err) {
    struct past_wanted wanted = { .store = true };
    const char *previous = NULL;
    yyjson_doc *doc = json_parse_object(body, len, err);
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool ok = doc && json_read_bool(root, "store", &wanted.store, err) &&
              json_read_str(root, "previous_response_id", &previous, err) &&
              references_read(yyjson_obj_get(root, "input"), &wanted, err);
    if (ok && previous) wanted.previous = xstrdup(previous);
    if (ok) wanted.model = xstrdup(json_find_text(root, "model"));
    yyjson_doc_free(doc);
    if (ok)
        *ret_wanted = wanted;
    else
        past_wanted_clear(&wanted);
    return ok;
}

void past_wanted_clear(struct past_wanted *wanted) {
    for (size_t i = 0; i < wanted->item_count; i++) {
        free(wanted->items[i].id);
        free(wanted->items[i].response);
    }
    free(wanted->items);
    free(wanted->previous);
    free(wanted->model);
    *wanted = (struct past_wanted){ 0 };
}

/* ---- the items of a body ---- */

/* The body and what was found for it, while its items are copied. */
struct joining {
    yyjson_doc *body, *found;
    yyjson_mut_doc *doc; /* where the copies go */
    yyjson_mut_val *root;
};

static bool joining_begin(struct joining *j, const char *body, size_t len,
                          const struct buf *found, struct error *err) {
    *j = (struct joining){ .body = json_parse_object(body, len, err) };
    if (!j->body) return false;
    if (found) j->found = json_parse_object(buf_str(found), found->len, err);
    if (found && !j->found) {
        yyjson_doc_free(j->body);
        return false;
    }
    j->doc = json_object_new(&j->root);
    return true;
}

/* Writes `what`, a value of j->doc. */
static bool joining_end(struct joining *j, yyjson_mut_val *what, struct buf *out,
                        struct error *err) {
    yyjson_mut_doc_set_root(j->doc, what);
    bool ok = json_write(j->doc, out);
    yyjson_doc_free(j->body);
    yyjson_doc_free(j->found);
    yyjson_mut_doc_free(j->doc);
    return ok || error_set_param(err, ERR_TOO_LARGE, "previous_response_id",
                                 "The conversation is too long; begin a new one.");
}

static yyjson_mut_val *text_message(yyjson_mut_doc *doc, const char *text, size_t len) {
    yyjson_mut_val *item = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, item, "type", "message");
    yyjson_mut_obj_add_str(doc, item, "role", "user");
    yyjson_mut_obj_add_strncpy(doc, item, "content", text, len);
    return item;
}

static void own_items_add(const struct joining *j, yyjson_mut_val *list) {
    yyjson_val *input = yyjson_obj_get(yyjson_doc_get_root(j->body), "input"), *item;
    yyjson_val *referenced = yyjson_obj_get(yyjson_doc_get_root(j->found), "referenced");
    size_t i, count, used = 0;
    if (yyjson_is_str(input)) {
        yyjson_mut_arr_append(
            list, text_message(j->doc, yyjson_get_str(input), yyjson_get_len(input)));
    }
    yyjson_arr_foreach(input, i, count, item) {
        yyjson_val *found = item_is_type(item, "item_reference")
                                ? yyjson_arr_get(referenced, used++)
                                : NULL;
        yyjson_mut_arr_append(list, yyjson_val_mut_copy(j->doc, found ? found : item));
    }
}

static void past_items_add(const struct joining *j, yyjson_mut_val *list) {
    yyjson_val *items = yyjson_obj_get(yyjson_doc_get_root(j->found), "items"), *item;
    size_t i, count;
    yyjson_arr_foreach(items, i, count, item) {
        yyjson_mut_arr_append(list, yyjson_val_mut_copy(j->doc, item));
    }
}

bool past_join(const char *body, size_t len, const struct buf *found, struct buf *out,
               struct error *err) {
    struct joining j;
    if (!joining_begin(&j, body, len, found, err)) return false;
    yyjson_mut_val *joined = yyjson_val_mut_copy(j.doc, yyjson_doc_get_root(j.body));
    yyjson_mut_val *list = yyjson_mut_arr(j.doc);
    past_items_add(&j, list);
    own_items_add(&j, list);
    yyjson_mut_obj_put(joined, yyjson_mut_str(j.doc, "input"), list);
    return joining_end(&j, joined, out, err);
}

/* ---- what is stored ---- */

static void parts_set(yyjson_mut_doc *doc, yyjson_mut_val *item) {
    yyjson_mut_val *content = yyjson_mut_obj_get(item, "content");
    bool said = yyjson_mut_equals_str(yyjson_mut_obj_get(item, "role"), "assistant");
    if (!yyjson_mut_is_str(content)) return;
    yyjson_mut_val *parts = yyjson_mut_arr(doc), *part = yyjson_mut_arr_add_obj(doc, parts);
    yyjson_mut_obj_add_str(doc, part, "type", said ? "output_text" : "input_text");
    yyjson_mut_obj_add_val(doc, part, "text", yyjson_mut_val_mut_copy(doc, content));
    if (said) yyjson_mut_obj_add_arr(doc, part, "annotations");
    yyjson_mut_obj_put(item, yyjson_mut_str(doc, "content"), parts);
}

static void complete(yyjson_mut_doc *doc, yyjson_mut_val *item, const char *id, size_t place) {
    if (!yyjson_mut_obj_get(item, "type")) yyjson_mut_obj_add_str(doc, item, "type", "message");
    bool message = yyjson_mut_equals_str(yyjson_mut_obj_get(item, "type"), "message");
    if (message) parts_set(doc, item);
    if (yyjson_mut_is_str(yyjson_mut_obj_get(item, "id"))) return;
    char *own = xasprintf("%s_%s_i%zu", message ? "msg" : "item", id, place);
    yyjson_mut_obj_put(item, yyjson_mut_str(doc, "id"), yyjson_mut_strcpy(doc, own));
    free(own);
}

bool past_format_input(const char *body, size_t len, const struct buf *found, const char *id,
                       struct buf *out, struct error *err) {
    struct joining j;
    yyjson_mut_val *item;
    size_t i, count;
    if (!joining_begin(&j, body, len, found, err)) return false;
    yyjson_mut_val *list = yyjson_mut_arr(j.doc);
    own_items_add(&j, list);
    yyjson_mut_arr_foreach(list, i, count, item) {
        if (yyjson_mut_is_obj(item)) complete(j.doc, item, id, i);
    }
    return joining_end(&j, list, out, err);
}

/* ---- a page of it ---- */

static bool limit_read(const char *text, size_t *ret_limit, struct error *err) {
    char *end = NULL;
    long limit = text ? strtol(text, &end, 10) : PAGE_DEFAULT;
    if (text && (end == text || *end || limit < 1 || limit > PAGE_MAX)) {
        return error_set_param(err, ERR_INVALID_REQUEST, "limit",
                               "'limit' must be a number from 1 to %d.", PAGE_MAX);
    }
    *ret_limit = (size_t)limit;
    return true;
}

static bool order_read(const char *text, bool *ret_rising, struct error *err) {
    *ret_rising = text && strcmp(text, "asc") == 0;
    if (!text || *ret_rising || strcmp(text, "desc") == 0) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "order",
                           "'order' must be \"asc\" or \"desc\".");
}

/* The place, in the wanted order, behind the item with this id. */
static bool after_find(yyjson_val *items, const char *after, bool rising, size_t *ret_first,
                       struct error *err) {
    yyjson_val *item;
    size_t i, count;
    *ret_first = 0;
    if (!after) return true;
    yyjson_arr_foreach(items, i, count, item) {
        if (!yyjson_equals_str(yyjson_obj_get(item, "id"), after)) continue;
        *ret_first = rising ? i + 1 : count - i;
        return true;
    }
    return error_set_param(err, ERR_INVALID_REQUEST, "after",
                           "There is no item \"%.80s\" in this response.", after);
}

static void add_end(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *name,
                    yyjson_mut_val *item) {
    const char *id = yyjson_mut_get_str(yyjson_mut_obj_get(item, "id"));
    if (id)
        yyjson_mut_obj_add_strcpy(doc, root, name, id);
    else
        yyjson_mut_obj_add_null(doc, root, name);
}

static void page_write(yyjson_val *items, size_t first, size_t limit, bool rising,
                       struct buf *out) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    size_t count = yyjson_arr_size(items), last = first + limit < count ? first + limit : count;
    yyjson_mut_obj_add_str(doc, root, "object", "list");
    yyjson_mut_val *data = yyjson_mut_obj_add_arr(doc, root, "data");
    for (size_t i = first; i < last; i++) {
        yyjson_val *item = yyjson_arr_get(items, rising ? i : count - 1 - i);
        yyjson_mut_arr_append(data, yyjson_val_mut_copy(doc, item));
    }
    add_end(doc, root, "first_id", yyjson_mut_arr_get_first(data));
    add_end(doc, root, "last_id", yyjson_mut_arr_get_last(data));
    yyjson_mut_obj_add_bool(doc, root, "has_more", last < count);
    json_write_end(doc, out);
}

bool past_format_page(const struct buf *items, const struct past_page *page, struct buf *out,
                      struct error *err) {
    size_t limit = PAGE_DEFAULT, first = 0;
    bool rising;
    if (!limit_read(page->limit, &limit, err) || !order_read(page->order, &rising, err)) {
        return false;
    }
    yyjson_doc *doc = json_parse(buf_str(items), items->len, err);
    if (!doc) return false;
    bool ok = after_find(yyjson_doc_get_root(doc), page->after, rising, &first, err);
    if (ok) page_write(yyjson_doc_get_root(doc), first, limit, rising, out);
    yyjson_doc_free(doc);
    return ok;
}
