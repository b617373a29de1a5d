/* SPDX-License-Identifier: MIT */
/* v1.h - what the listing and the load answer of LM Studio v1 share. Pure. */
#ifndef DOZE_API_LMSTUDIO_REST_V1_H
#define DOZE_API_LMSTUDIO_REST_V1_H

#include "api/dialect.h"

/* "llm" or "embedding", from the type of a model_view. */
const char *lmstudio_v1_type(const char *type);

/* The settings an instance was loaded with, as the object `name` of out. */
void lmstudio_v1_add_config(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name,
                            const struct instance_view *view);

/* Add the fields of an instance, as listed in loaded_instances, to the object `out`. Borrows
 * the view's strings until the document is written. */
void lmstudio_v1_fill_instance(yyjson_mut_doc *doc, yyjson_mut_val *out,
                               const struct instance_view *view);

#endif
