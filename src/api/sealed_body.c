/* SPDX-License-Identifier: MIT */
#include "api/sealed_body.h"

#include <stdlib.h>

#include "base/json.h"

enum { TEXT_DEPTH = 6 };

static bool message_has_images(yyjson_mut_val *message) {
    yyjson_mut_val *part;
    size_t i, count;
    yyjson_mut_val *content = yyjson_mut_obj_get(message, "content");
    if (!yyjson_mut_is_arr(content)) return false;
    yyjson_mut_arr_foreach(content, i, count, part) {
        if (yyjson_mut_equals_str(yyjson_mut_obj_get(part, "type"), "image_url")) return true;
    }
    return false;
}

static bool has_images(yyjson_mut_val *root) {
    yyjson_mut_val *message;
    size_t i, count;
    yyjson_mut_val *messages = yyjson_mut_obj_get(root, "messages");
    if (!yyjson_mut_is_arr(messages)) return false;
    yyjson_mut_arr_foreach(messages, i, count, message) {
        if (message_has_images(message)) return true;
    }
    return false;
}

static size_t text_bytes(yyjson_mut_val *val, int depth) {
    size_t bytes = 0, index, max;
    yyjson_mut_val *key, *each;
    if (yyjson_mut_is_str(val)) return yyjson_mut_get_len(val);
    if (depth == 0) return 0;
    if (yyjson_mut_is_arr(val)) {
        yyjson_mut_arr_foreach(val, index, max, each) bytes += text_bytes(each, depth - 1);
    } else if (yyjson_mut_is_obj(val)) {
        yyjson_mut_obj_foreach(val, index, max, key, each) {
            if (!yyjson_mut_equals_str(key, "image_url")) bytes += text_bytes(each, depth - 1);
        }
    }
    return bytes;
}

struct sealed_body sealed_body_make(yyjson_mut_doc *body) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(body);
    struct sealed_body sealed = { .has_images = has_images(root),
                                  .values = json_count(root),
                                  .text_bytes = text_bytes(root, TEXT_DEPTH) };
    sealed.text = json_take(body, &sealed.len);
    return sealed;
}

void sealed_body_clear(struct sealed_body *body) {
    free(body->text);
    *body = (struct sealed_body){ 0 };
}

void sealed_body_mark(struct sealed_body *body, const char *field) {
    struct error unwanted;
    size_t len;
    yyjson_doc *read = json_parse_object(body->text, body->len, &unwanted);
    if (!read) return;
    yyjson_mut_doc *doc = yyjson_doc_mut_copy(read, NULL);
    yyjson_doc_free(read);
    yyjson_mut_obj_add_bool(doc, yyjson_mut_doc_get_root(doc), field, true);
    char *text = json_take(doc, &len);
    yyjson_mut_doc_free(doc);
    if (!text) return;
    free(body->text);
    body->text = text;
    body->len = len;
}
