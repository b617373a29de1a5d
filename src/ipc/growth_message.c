/* SPDX-License-Identifier: MIT */
#include "ipc/growth_message.h"

#include "base/json.h"

void grow_message_format(const struct grow_message *m, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_int(doc, root, "ask", m->ask);
    yyjson_mut_obj_add_int(doc, root, "bytes", m->bytes);
    yyjson_mut_obj_add_int(doc, root, "least_bytes", m->least);
    yyjson_mut_obj_add_bool(doc, root, "optional", m->optional);
    json_write_end(doc, out);
}

void grant_message_format(const struct grant_message *m, struct buf *out) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_int(doc, root, "ask", m->ask);
    yyjson_mut_obj_add_int(doc, root, "bytes", m->bytes);
    yyjson_mut_obj_add_int(doc, root, "most_bytes", m->most);
    yyjson_mut_obj_add_int(doc, root, "limit_bytes", m->limit);
    json_write_end(doc, out);
}

bool grow_message_parse(struct grow_message *ret, const char *text, size_t len,
                        struct error *err) {
    struct grow_message m = { 0 };
    yyjson_doc *doc = json_parse_object(text, len, err);
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool ok = doc && json_read_int(root, "ask", 1, GROWTH_LARGEST, &m.ask, err) &&
              json_read_int(root, "bytes", 1, GROWTH_LARGEST, &m.bytes, err) &&
              json_read_int(root, "least_bytes", 1, GROWTH_LARGEST, &m.least, err) &&
              json_read_bool(root, "optional", &m.optional, err);
    yyjson_doc_free(doc);
    if (!ok) return false;
    *ret = m;
    return m.ask > 0 && m.bytes > 0 && m.least > 0 && m.least <= m.bytes
               ? true
               : error_set(err, ERR_INVALID_REQUEST, "The worker asks for no growth.");
}

bool grant_message_parse(struct grant_message *ret, const char *text, size_t len,
                         struct error *err) {
    struct grant_message m = { 0 };
    yyjson_doc *doc = json_parse_object(text, len, err);
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool ok = doc && json_read_int(root, "ask", 0, GROWTH_LARGEST, &m.ask, err) &&
              json_read_int(root, "bytes", 0, GROWTH_LARGEST, &m.bytes, err) &&
              json_read_int(root, "most_bytes", 0, GROWTH_LARGEST, &m.most, err) &&
              json_read_int(root, "limit_bytes", 0, GROWTH_LARGEST, &m.limit, err);
    yyjson_doc_free(doc);
    if (ok) *ret = m;
    return ok;
}
