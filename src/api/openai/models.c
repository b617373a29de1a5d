/* SPDX-License-Identifier: MIT */
#include "api/listing.h"
#include "api/openai/openai.h"

static void entry_fill(yyjson_mut_doc *doc, yyjson_mut_val *out,
                       const struct listing_entry *entry) {
    const char *publisher = entry->model->publisher;
    yyjson_mut_obj_add_str(doc, out, "id", entry->id);
    yyjson_mut_obj_add_str(doc, out, "object", "model");
    yyjson_mut_obj_add_int(doc, out, "created", entry->model->modified_at / 1000);
    yyjson_mut_obj_add_str(doc, out, "owned_by", publisher && *publisher ? publisher : "local");
}

static const struct listing_form form = { .shows = listing_serves, .fill = entry_fill };

void openai_format_models(const struct service_models *models, struct buf *out) {
    listing_format(models, &form, out);
}

bool openai_format_model(const struct service_models *models, const char *id, struct buf *out) {
    return listing_format_one(models, id, &form, out);
}
