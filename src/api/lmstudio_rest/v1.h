/* SPDX-License-Identifier: MIT */
/* v1.h - LM Studio's REST dialect /api/v1: models, load, unload, and doze's update. Pure. */
#ifndef DOZE_API_LMSTUDIO_REST_V1_H
#define DOZE_API_LMSTUDIO_REST_V1_H

#include "api/service.h"
#include "base/buf.h"

/* GET /api/v1/models */
void lmstudio_v1_format_models(const struct service_models *models, struct buf *out);
/* One instance as listed in loaded_instances, with doze's own fields. */
void lmstudio_v1_format_instance(const struct instance_view *view, struct buf *out);
/* The same, added to the object `out`. Borrows the view's strings until the document is
 * written. */
void lmstudio_v1_fill_instance(yyjson_mut_doc *doc, yyjson_mut_val *out,
                               const struct instance_view *view);

/* The same of one of parked_workers. */
void lmstudio_v1_fill_parked(yyjson_mut_doc *doc, yyjson_mut_val *out,
                             const struct parked_view *view);

/* POST /api/v1/models/load. Strings of *ret_load are owned by the document that *ret_doc gives
 * (yyjson_doc_free). */
bool lmstudio_v1_parse_load(const char *body, size_t len, struct load_request *ret_load,
                            bool *ret_echo_config, yyjson_doc **ret_doc, struct error *err);
void lmstudio_v1_format_load(const struct load_result *result, bool echo_config,
                             struct buf *out);

/* {"instance_id":"x"}; the caller frees the string. {"all":true}: NULL. */
bool lmstudio_v1_parse_unload(const char *body, size_t len, char **ret_instance_id,
                              struct error *err);
void lmstudio_v1_format_unload(const char *instance_id, struct buf *out);

/* POST /api/v1/models/prefetch, {"model":"x"}; the caller frees the string. */
bool lmstudio_v1_parse_prefetch(const char *body, size_t len, char **ret_model,
                                struct error *err);
void lmstudio_v1_format_prefetch(const struct prefetch_result *result, struct buf *out);

/* PATCH /api/v1/instances/{id}: "ttl", "origin" or both. */
bool lmstudio_v1_parse_update(const char *body, size_t len, struct instance_change *ret_change,
                              struct error *err);

/* ---- what v1_models.c and v1_load.c share ---- */

/* "llm" or "embedding": LM Studio's word here. */
const char *lmstudio_v1_type(enum model_type type);

/* The settings an instance was loaded with, as the object `name` of out. */
void lmstudio_v1_add_config(yyjson_mut_doc *doc, yyjson_mut_val *out, const char *name,
                            const struct instance_view *view);

#endif
