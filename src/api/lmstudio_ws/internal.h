/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of the WebSocket dialect share; nobody else includes it.
 *
 *   session.c          sessions, envelopes, dispatch
 *   table.c    the endpoints
 *   op.c       one call or channel: its replies and its end
 *   fail.c     errors as the clients show them
 *   info.c     models and instances as they are listed
 *   find.c     which instance is meant
 *   config.c   configuration stacks; load keys both ways
 *   prediction_config.c  prediction keys
 *   tags.h     thinking by the client's own tags
 *   template.c prompt templates
 *   history.c  conversations
 *   load.c     loadModel, getOrLoad, unloadModel, estimateModelUsage
 *   predict.c  predict, completeRawText: their beginning and end
 *   prediction.c  their events
 *   text.c     tokenize, countTokens, applyPromptTemplate, embedString
 *   list.c     what is loaded and downloaded
 *   log.c      streamLogs
 *   system.c   system, files, runtime, repository
 */
#ifndef DOZE_API_LMSTUDIO_WS_INTERNAL_H
#define DOZE_API_LMSTUDIO_WS_INTERNAL_H

#include "api/lmstudio_ws/session.h"
#include "api/lmstudio_ws/tags.h"
#include "base/json.h"

enum {
    LMWS_OPS_MAX = 4096,       /* calls and channels open on one socket */
    LMWS_REPLY_MAX = 60 << 20, /* bytes of one message to a client */
};

struct lmws_op;

enum lmws_op_kind { LMWS_RPC, LMWS_CHANNEL };

struct lmws_endpoint {
    unsigned namespaces; /* bits of enum lmws_namespace */
    enum lmws_op_kind kind;
    const char *name;
    /* Begin; param may be NULL. Ends the op now or later. */
    void (*begin)(struct lmws_op *op, yyjson_val *param);
    /* A message of the client on the open channel; NULL: none is expected. */
    void (*message)(struct lmws_op *op, yyjson_val *message);
};

const struct lmws_endpoint *lmws_endpoint_find(enum lmws_namespace ns, enum lmws_op_kind kind,
                                               const char *name);

struct lmws_session {
    enum lmws_namespace ns;
    const struct lmws_host *host;
    const struct service *service;
    struct lmws_transport transport;
    struct lmws_op *ops;
    size_t op_count;
    bool admitted, refused, paused;
};

/* One call or channel that is open. Freed when it has ended and none of its handlers runs. */
struct lmws_op {
    struct lmws_session *session;
    struct lmws_op *prev, *next;
    const struct lmws_endpoint *endpoint;
    int64_t id;
    int entered; /* handlers of it that run */
    bool ended;
    call_id call; /* of the service; cancelled with the op */
    void *state;  /* the handler's own, */
    void (*clear_state)(void *state);
};

/* ---- op.c ---- */
struct lmws_op *lmws_op_new(struct lmws_session *session, const struct lmws_endpoint *endpoint,
                            int64_t id);
struct lmws_op *lmws_op_find(struct lmws_session *session, enum lmws_op_kind kind, int64_t id);
/* Around every handler and sink: an op that ends inside lives on until lmws_op_leave. */
void lmws_op_enter(struct lmws_op *op);
void lmws_op_leave(struct lmws_op *op);
/* Nothing more is said; what runs for it is cancelled. */
void lmws_op_end(struct lmws_op *op);

/* Takes the document. rpcResult with this value (NULL: none); ends the op. */
void lmws_op_result(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *result);
/* A result of nothing. */
void lmws_op_done(struct lmws_op *op);
/* Takes the document: a message on a channel. */
void lmws_op_send(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *message);
/* {"type":type}, to be filled and sent with lmws_op_send. */
yyjson_mut_val *lmws_op_message(yyjson_mut_doc **ret_doc, const char *type);
/* channelClose; ends the op. */
void lmws_op_close(struct lmws_op *op);
/* Takes the document: rpcError or channelError with this error object; ends the op. */
void lmws_op_error(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *error);
/* Send any message; takes the document, whose root it is. */
void lmws_session_send(struct lmws_session *session, yyjson_mut_doc *doc);

/* ---- fail.c: each ends the op ---- */
void lmws_op_fail(struct lmws_op *op, const struct error *err);
void lmws_op_fail_not_offered(struct lmws_session *session, enum lmws_op_kind kind, int64_t id,
                              const char *endpoint);
void lmws_op_fail_path(struct lmws_op *op, const char *path, const struct error *err);
void lmws_op_fail_identifier(struct lmws_op *op, const char *identifier);
void lmws_op_fail_query(struct lmws_op *op, yyjson_val *query);
void lmws_op_fail_unloaded(struct lmws_op *op);
void lmws_op_fail_domain(struct lmws_op *op, const struct model_view *model);
/* The error object of a sentence. */
yyjson_mut_val *lmws_error_object(yyjson_mut_doc *doc, const char *title);

/* ---- info.c ---- */
/* LlmInfo or EmbeddingInfo. Strings are borrowed until the document is written. */
yyjson_mut_val *lmws_model_info(yyjson_mut_doc *doc, const struct model_view *model);
/* The same with the fields of an instance. */
yyjson_mut_val *lmws_instance_info(yyjson_mut_doc *doc, const struct lmws_host *host,
                                   const struct model_view *model,
                                   const struct instance_view *instance);
/* publisher/name/file.gguf, as clients write it. */
void lmws_model_path(const struct model_view *model, struct buf *out);
bool lmws_model_in_namespace(const struct model_view *model, enum lmws_namespace ns);
/* The name of a reference, and back: 0 if it is none of this run's. */
void lmws_reference_format(const struct lmws_host *host, uint64_t reference, char *text,
                           size_t size);
uint64_t lmws_reference_parse(const struct lmws_host *host, const char *text);

/* ---- find.c ---- */
/* Valid until the next call into the service. */
struct lmws_found {
    const struct model_view *model;
    const struct instance_view *instance;
};
enum lmws_finding { LMWS_FOUND, LMWS_FOUND_NONE, LMWS_FOUND_UNLOADED };
bool instance_is_usable(const struct instance_view *instance);
enum lmws_finding lmws_specifier_find(const struct lmws_session *session, yyjson_val *specifier,
                                      struct lmws_found *ret_found);
/* The same; on failure the op is ended with the right error. */
bool lmws_specifier_demand(struct lmws_op *op, yyjson_val *specifier,
                           struct lmws_found *ret_found);
/* The instance with this identifier, and its model. */
bool lmws_identifier_find(const struct lmws_session *session, const char *identifier,
                          struct lmws_found *ret_found);
/* The same, also while it still loads or is on its way out. */
bool lmws_name_find(const struct lmws_session *session, const char *identifier,
                    struct lmws_found *ret_found);
/* The model that a key or path means; strings are borrowed until the next call into the
 * service. */
bool lmws_key_find(const struct lmws_session *session, const char *name,
                   struct model_view *ret_model);

/* ---- config.c ---- */
/* The value of a key: of several layers or fields with it the last one's. NULL if there is
 * none. */
yyjson_val *lmws_config_find(yyjson_val *stack, const char *key);
/* The same in "fields" alone. */
yyjson_val *lmws_fields_find(yyjson_val *fields, const char *key);
/* A checkbox with a number; false if it is not there or not of that form. */
bool lmws_checkbox_read(yyjson_val *value, bool *ret_checked, double *ret_number);
/* What a stack demands of a load. Borrows strings from the stack. */
void lmws_load_config_read(yyjson_val *stack, const struct model_view *model,
                           struct load_request *ret_request);
/* {"fields":[...]}: how an instance was loaded. */
yyjson_mut_val *lmws_load_config_format(yyjson_mut_doc *doc, const struct model_view *model,
                                        const struct instance_view *instance);
/* "fields" of a config, to which lmws_config_add adds. */
yyjson_mut_val *lmws_config_new(yyjson_mut_doc *doc, yyjson_mut_val **ret_fields);
void lmws_config_add(yyjson_mut_doc *doc, yyjson_mut_val *fields, const char *key,
                     yyjson_mut_val *value);

/* ---- prediction_config.c ---- */
/* Keys about messages, tools and thinking do not count for a plain text. */
enum lmws_config_use { LMWS_CONFIG_CHAT, LMWS_CONFIG_TEXT };
/* Add what the stack says to a neutral body (service.h). Gives {"fields":[...]}, a value of the
 * same document: what counts, said by the client or not. NULL: a text is too long. */
yyjson_mut_val *lmws_prediction_config_read(yyjson_val *stack, enum lmws_config_use use,
                                            const struct sampling_view *defaults,
                                            yyjson_mut_doc *doc, yyjson_mut_val *body,
                                            struct error *err);

/* ---- template.c ---- */
/* The text of a template in Jinja; NULL if it is none. */
const char *lmws_template_jinja(yyjson_val *value);
/* Append a template in Jinja; that of texts around messages becomes one. False if it is
 * neither. The buffer is marked if it is too long. */
bool lmws_template_write(yyjson_val *value, struct buf *out);

/* ---- history.c ---- */
/* Add "messages" to a neutral body. */
bool lmws_history_read(const struct lmws_host *host, yyjson_val *history, yyjson_val *stack,
                       yyjson_mut_doc *doc, yyjson_mut_val *body, struct error *err);

/* ---- prediction.c ---- */
/* One prediction on its channel. */
struct lmws_prediction {
    char *model_info, *load_config, *prediction_config; /* JSON */
    bool reasoning_apart;                               /* reasoning is told from content */
    bool reasoning_open;   /* its start tag was sent, its end tag not */
    struct lmws_tags tags; /* that the client names, for models whose template does not */
    int held_tokens;       /* of the text that they hold back and no fragment has told */
    bool started;
    struct buf call;           /* arguments of the tool call that is being written */
    char *call_id, *call_name; /* call_name NULL: none is */
    int call_index;
    struct service_usage usage;
    const char *stop_string; /* while success is being sent */
    int gpu_layers;          /* -1: all */
};
void lmws_prediction_clear(void *prediction);
void lmws_prediction_on_event(void *op, call_id call, const struct service_event *ev);
/* The client wants no more of it. */
void lmws_prediction_cancel(struct lmws_op *op);

/* ---- handlers of table.c ---- */
void lmws_list_loaded(struct lmws_op *op, yyjson_val *param);
void lmws_get_model_info(struct lmws_op *op, yyjson_val *param);
void lmws_get_load_config(struct lmws_op *op, yyjson_val *param);
void lmws_get_base_prediction_config(struct lmws_op *op, yyjson_val *param);
void lmws_get_processing_state(struct lmws_op *op, yyjson_val *param);
void lmws_list_downloaded(struct lmws_op *op, yyjson_val *param);
void lmws_list_variants(struct lmws_op *op, yyjson_val *param);
void lmws_load_model(struct lmws_op *op, yyjson_val *param);
void lmws_get_or_load(struct lmws_op *op, yyjson_val *param);
void lmws_load_message(struct lmws_op *op, yyjson_val *message);
void lmws_unload_model(struct lmws_op *op, yyjson_val *param);
void lmws_estimate_usage(struct lmws_op *op, yyjson_val *param);
void lmws_predict(struct lmws_op *op, yyjson_val *param);
void lmws_complete_raw_text(struct lmws_op *op, yyjson_val *param);
void lmws_predict_message(struct lmws_op *op, yyjson_val *message);
void lmws_tokenize(struct lmws_op *op, yyjson_val *param);
void lmws_count_tokens(struct lmws_op *op, yyjson_val *param);
void lmws_apply_template(struct lmws_op *op, yyjson_val *param);
void lmws_embed_string(struct lmws_op *op, yyjson_val *param);
void lmws_stream_logs(struct lmws_op *op, yyjson_val *param);
void lmws_stream_logs_message(struct lmws_op *op, yyjson_val *message);
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
