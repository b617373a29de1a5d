/* SPDX-License-Identifier: MIT */
#include "cli/body.h"

void body_add_int(yyjson_mut_doc *doc, const char *name, const struct option_int *option) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (option->given) yyjson_mut_obj_add_int(doc, root, name, option->value);
}

void body_add_ttl(yyjson_mut_doc *doc, const struct option_ttl *ttl) {
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (!ttl->given) return;
    if (ttl->value == MSEC_NEVER) {
        yyjson_mut_obj_add_int(doc, root, "ttl", -1);
    } else if (ttl->value % 1000 == 0) {
        yyjson_mut_obj_add_int(doc, root, "ttl", ttl->value / 1000);
    } else {
        yyjson_mut_obj_add_real(doc, root, "ttl", (double)ttl->value / 1000);
    }
}
