/* SPDX-License-Identifier: MIT */
#include "api/anthropic/anthropic.h"
#include "api/listing.h"
#include "api/write.h"

static void entry_fill(yyjson_mut_doc *doc, yyjson_mut_val *out,
                       const struct listing_entry *entry) {
    yyjson_mut_obj_add_str(doc, out, "type", "model");
    yyjson_mut_obj_add_str(doc, out, "id", entry->id);
    yyjson_mut_obj_add_str(doc, out, "display_name", entry->model->display_name);
    add_time(doc, out, "created_at", entry->model->modified_at);
}

static void end_fill(yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_mut_val *data) {
    yyjson_mut_val *first = yyjson_mut_obj_get(yyjson_mut_arr_get_first(data), "id");
    yyjson_mut_val *last = yyjson_mut_obj_get(yyjson_mut_arr_get_last(data), "id");
    yyjson_mut_obj_add_bool(doc, root, "has_more", false);
    add_text_or_null(doc, root, "first_id", yyjson_mut_get_str(first));
    add_text_or_null(doc, root, "last_id", yyjson_mut_get_str(last));
}

static const struct listing_form form = { .shows = listing_serves,
                                          .fill = entry_fill,
                                          .end = end_fill };

void anthropic_format_models(const struct service_models *models, struct buf *out) {
    listing_format(models, &form, out);
}
