/* SPDX-License-Identifier: MIT */
/*
 * handlers.h - what table.c lists: one function for each endpoint that begins its work, and for
 * some one more that takes a channel's messages. Parameters are the client's: any JSON or NULL.
 */
#ifndef DOZE_API_LMSTUDIO_WS_HANDLERS_H
#define DOZE_API_LMSTUDIO_WS_HANDLERS_H

#include "api/lmstudio_ws/op.h"

/* NULL: the namespace has no endpoint of that kind and name. */
const struct lmws_endpoint *lmws_endpoint_find(enum lmws_namespace ns, enum lmws_op_kind kind,
                                               const char *name);

/* list.c */
void lmws_list_loaded(struct lmws_op *op, yyjson_val *param);
void lmws_get_model_info(struct lmws_op *op, yyjson_val *param);
void lmws_get_load_config(struct lmws_op *op, yyjson_val *param);
void lmws_get_base_prediction_config(struct lmws_op *op, yyjson_val *param);
void lmws_get_processing_state(struct lmws_op *op, yyjson_val *param);
void lmws_list_downloaded(struct lmws_op *op, yyjson_val *param);
void lmws_list_variants(struct lmws_op *op, yyjson_val *param);

/* load.c */
void lmws_load_model(struct lmws_op *op, yyjson_val *param);
void lmws_get_or_load(struct lmws_op *op, yyjson_val *param);
void lmws_load_message(struct lmws_op *op, yyjson_val *message);
void lmws_unload_model(struct lmws_op *op, yyjson_val *param);
void lmws_estimate_usage(struct lmws_op *op, yyjson_val *param);

/* predict.c */
void lmws_predict(struct lmws_op *op, yyjson_val *param);
void lmws_complete_raw_text(struct lmws_op *op, yyjson_val *param);
void lmws_predict_message(struct lmws_op *op, yyjson_val *message);

/* text.c */
void lmws_tokenize(struct lmws_op *op, yyjson_val *param);
void lmws_count_tokens(struct lmws_op *op, yyjson_val *param);
void lmws_apply_template(struct lmws_op *op, yyjson_val *param);
void lmws_embed_string(struct lmws_op *op, yyjson_val *param);

/* log.c */
void lmws_stream_logs(struct lmws_op *op, yyjson_val *param);
void lmws_stream_logs_message(struct lmws_op *op, yyjson_val *message);

/* repository.c */
void lmws_search_models(struct lmws_op *op, yyjson_val *param);
void lmws_download_options(struct lmws_op *op, yyjson_val *param);
void lmws_download_model(struct lmws_op *op, yyjson_val *param);
void lmws_download_message(struct lmws_op *op, yyjson_val *message);
/* The name by which lmws_hub.get downloads the option. Free it. */
char *lmws_option_name(const char *repo, const struct lmws_hub_option *option);
/* Messages of a download's channel; the second is its last, and ends the op. */
void lmws_send_progress(struct lmws_op *op, uint64_t done, uint64_t total,
                        double bytes_per_second);
void lmws_send_success(struct lmws_op *op, const char *model_key);

/* download_plan.c */
void lmws_find_staff_picks(struct lmws_op *op, yyjson_val *param);
void lmws_create_download_plan(struct lmws_op *op, yyjson_val *param);
void lmws_download_plan_message(struct lmws_op *op, yyjson_val *message);

/* system.c */
void lmws_system_version(struct lmws_op *op, yyjson_val *param);
void lmws_system_info(struct lmws_op *op, yyjson_val *param);
void lmws_system_start_http(struct lmws_op *op, yyjson_val *param);
void lmws_system_stop_http(struct lmws_op *op, yyjson_val *param);
void lmws_system_shutdown(struct lmws_op *op, yyjson_val *param);
void lmws_system_notify(struct lmws_op *op, yyjson_val *param);
void lmws_system_alive(struct lmws_op *op, yyjson_val *param);
void lmws_system_experiment_flags(struct lmws_op *op, yyjson_val *param);
void lmws_upload_file(struct lmws_op *op, yyjson_val *param);
void lmws_list_engines(struct lmws_op *op, yyjson_val *param);
void lmws_engine_selections(struct lmws_op *op, yyjson_val *param);
void lmws_link_status(struct lmws_op *op, yyjson_val *param);
void lmws_authentication_status(struct lmws_op *op, yyjson_val *param);
void lmws_is_authenticated(struct lmws_op *op, yyjson_val *param);
void lmws_model_catalog(struct lmws_op *op, yyjson_val *param);

#endif
