/* SPDX-License-Identifier: MIT */
/*
 * internal.h - what the files of the WebSocket dialect share; nobody else includes it.
 *
 *   session.c          sessions, envelopes, dispatch
 *   table.c    the endpoints
 *   op.c       one call or channel: its replies and its end
 *   error.c    errors as the clients show them
 *   info.c     models and instances as they are listed
 *   find.c     which instance is meant
 *   config.c   configuration stacks; load keys both ways
 *   sampling.c prediction keys
 *   tags.h     thinking by the client's own tags
 *   template.c prompt templates
 *   history.c  conversations
 *   load.c     loadModel, getOrLoad, unloadModel, estimateModelUsage
 *   predict.c  predict, completeRawText: their beginning and end
 *   reply.c    their events
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

struct op;

enum op_kind { LMWS_RPC, LMWS_CHANNEL };

struct endpoint {
    unsigned namespaces; /* bits of enum lmws_namespace */
    enum op_kind kind;
    const char *name;
    /* Begin; param may be NULL. Ends the op now or later. */
    void (*begin)(struct op *op, yyjson_val *param);
    /* A message of the client on the open channel; NULL: none is expected. */
    void (*message)(struct op *op, yyjson_val *message);
};

const struct endpoint *ws_endpoint_find(enum lmws_namespace ns, enum op_kind kind,
                                        const char *name);

struct lmws_session {
    enum lmws_namespace ns;
    const struct lmws_host *host;
    const struct service *service;
    struct lmws_outlet outlet;
    struct op *ops;
    size_t op_count;
    bool admitted, refused, paused;
};

/* One call or channel that is open. Freed when it has ended and none of its handlers runs. */
struct op {
    struct lmws_session *session;
    struct op *prev, *next;
    const struct endpoint *endpoint;
    int64_t id;
    int entered; /* handlers of it that run */
    bool ended;
    call_id call; /* of the service; cancelled with the op */
    void *state;  /* the handler's own, */
    void (*clear_state)(void *state);
};

/* ---- op.c ---- */
struct op *op_new(struct lmws_session *session, const struct endpoint *endpoint, int64_t id);
struct op *op_find(struct lmws_session *session, enum op_kind kind, int64_t id);
/* Around every handler and sink: an op that ends inside lives on until op_leave. */
void op_enter(struct op *op);
void op_leave(struct op *op);
/* Nothing more is said; what runs for it is cancelled. */
void op_end(struct op *op);

/* Takes the document. rpcResult with this value (NULL: none); ends the op. */
void op_result(struct op *op, yyjson_mut_doc *doc, yyjson_mut_val *result);
/* A result of nothing. */
void op_done(struct op *op);
/* Takes the document: a message on a channel. */
void op_send(struct op *op, yyjson_mut_doc *doc, yyjson_mut_val *message);
/* {"type":type}, to be filled and sent with op_send. */
yyjson_mut_val *op_message(yyjson_mut_doc **ret_doc, const char *type);
/* channelClose; ends the op. */
void op_close(struct op *op);
/* Takes the document: rpcError or channelError with this error object; ends the op. */
void op_error(struct op *op, yyjson_mut_doc *doc, yyjson_mut_val *error);
/* Send any message; takes the document, whose root it is. */
void ws_session_send(struct lmws_session *session, yyjson_mut_doc *doc);

/* ---- error.c: each ends the op ---- */
void op_fail(struct op *op, const struct error *err);
void op_fail_not_offered(struct lmws_session *session, enum op_kind kind, int64_t id,
                         const char *endpoint);
void op_fail_path(struct op *op, const char *path, const struct error *err);
void op_fail_identifier(struct op *op, const char *identifier);
void op_fail_query(struct op *op, yyjson_val *query);
void op_fail_unloaded(struct op *op);
void op_fail_domain(struct op *op, const struct model_view *model);
/* The error object of a sentence. */
yyjson_mut_val *ws_error_object(yyjson_mut_doc *doc, const char *title);

/* ---- info.c ---- */
/* LlmInfo or EmbeddingInfo. Strings are borrowed until the document is written. */
yyjson_mut_val *ws_model_info(yyjson_mut_doc *doc, const struct model_view *model);
/* The same with the fields of an instance. */
yyjson_mut_val *ws_instance_info(yyjson_mut_doc *doc, const struct lmws_host *host,
                                 const struct model_view *model,
                                 const struct instance_view *instance);
/* publisher/name/file.gguf, as clients write it. */
void ws_model_path(const struct model_view *model, struct buf *out);
bool ws_model_in_namespace(const struct model_view *model, enum lmws_namespace ns);
/* The name of a reference, and back: 0 if it is none of this run's. */
void ws_reference_format(const struct lmws_host *host, uint64_t reference, char *text,
                         size_t size);
uint64_t ws_reference_parse(const struct lmws_host *host, const char *text);

/* ---- find.c ---- */
/* Valid until the next call into the service. */
struct found {
    const struct model_view *model;
    const struct instance_view *instance;
};
enum found_how { FOUND_IT, FOUND_NOTHING, FOUND_UNLOADED };
bool instance_is_usable(const struct instance_view *instance);
enum found_how ws_specifier_find(const struct lmws_session *session, yyjson_val *specifier,
                                 struct found *ret_found);
/* The same; on failure the op is ended with the right error. */
bool ws_specifier_demand(struct op *op, yyjson_val *specifier, struct found *ret_found);
/* The instance with this identifier, and its model. */
bool ws_identifier_find(const struct lmws_session *session, const char *identifier,
                        struct found *ret_found);
/* The same, also while it still loads or is on its way out. */
bool ws_name_find(const struct lmws_session *session, const char *identifier,
                  struct found *ret_found);
/* The model that a key or path means; strings are borrowed until the next call into the
 * service. */
bool ws_key_find(const struct lmws_session *session, const char *name,
                 struct model_view *ret_model);

/* ---- config.c ---- */
/* The value of a key: of several layers or fields with it the last one's. NULL if there is
 * none. */
yyjson_val *ws_config_find(yyjson_val *stack, const char *key);
/* The same in "fields" alone. */
yyjson_val *ws_fields_find(yyjson_val *fields, const char *key);
/* A checkbox with a number; false if it is not there or not of that form. */
bool ws_checkbox_read(yyjson_val *value, bool *ret_checked, double *ret_number);
/* What a stack demands of a load. Borrows strings from the stack. */
void ws_load_config_read(yyjson_val *stack, const struct model_view *model,
                         struct load_request *ret_request);
/* {"fields":[...]}: how an instance was loaded. */
yyjson_mut_val *ws_load_config_format(yyjson_mut_doc *doc, const struct model_view *model,
                                      const struct instance_view *instance);
/* "fields" of a config, to which ws_config_add adds. */
yyjson_mut_val *ws_config_new(yyjson_mut_doc *doc, yyjson_mut_val **ret_fields);
void ws_config_add(yyjson_mut_doc *doc, yyjson_mut_val *fields, const char *key,
                   yyjson_mut_val *value);

/* ---- sampling.c ---- */
/* Keys about messages, tools and thinking do not count for a plain text. */
enum config_use { CONFIG_OF_CHAT, CONFIG_OF_TEXT };
/* Add what the stack says to a neutral body (service.h). Gives {"fields":[...]}, a value of the
 * same document: what counts, said by the client or not. NULL: a text is too long. */
yyjson_mut_val *ws_prediction_config_read(yyjson_val *stack, enum config_use use,
                                          const struct sampling_view *defaults,
                                          yyjson_mut_doc *doc, yyjson_mut_val *body,
                                          struct error *err);

/* ---- template.c ---- */
/* The text of a template in Jinja; NULL if it is none. */
const char *ws_template_jinja(yyjson_val *value);
/* Append a template in Jinja; that of texts around messages becomes one. False if it is
 * neither. The buffer is marked if it is too long. */
bool ws_template_write(yyjson_val *value, struct buf *out);

/* ---- history.c ---- */
/* Add "messages" to a neutral body. */
bool ws_history_read(const struct lmws_host *host, yyjson_val *history, yyjson_val *stack,
                     yyjson_mut_doc *doc, yyjson_mut_val *body, struct error *err);

/* ---- reply.c ---- */
/* One prediction on its channel. */
struct prediction {
    char *model_info, *load_config, *prediction_config; /* JSON */
    bool reasoning_apart;                               /* reasoning is told from content */
    bool reasoning_open; /* its start tag was sent, its end tag not */
    struct tags tags;    /* that the client names, for models whose template does not */
    int held_tokens;     /* of the text that they hold back and no fragment has told */
    bool started;
    struct buf call;           /* arguments of the tool call that is being written */
    char *call_id, *call_name; /* call_name NULL: none is */
    int call_index;
    struct service_usage usage;
    const char *stop_string; /* while success is being sent */
    int gpu_layers;          /* -1: all */
};
void ws_prediction_clear(void *prediction);
void ws_prediction_on_event(void *op, call_id call, const struct service_event *ev);
/* The client wants no more of it. */
void ws_prediction_cancel(struct op *op);

/* ---- handlers of table.c ---- */
void ws_list_loaded(struct op *op, yyjson_val *param);
void ws_get_model_info(struct op *op, yyjson_val *param);
void ws_get_load_config(struct op *op, yyjson_val *param);
void ws_get_base_prediction_config(struct op *op, yyjson_val *param);
void ws_get_processing_state(struct op *op, yyjson_val *param);
void ws_list_downloaded(struct op *op, yyjson_val *param);
void ws_list_variants(struct op *op, yyjson_val *param);
void ws_load_model(struct op *op, yyjson_val *param);
void ws_get_or_load(struct op *op, yyjson_val *param);
void ws_load_message(struct op *op, yyjson_val *message);
void ws_unload_model(struct op *op, yyjson_val *param);
void ws_estimate_usage(struct op *op, yyjson_val *param);
void ws_predict(struct op *op, yyjson_val *param);
void ws_complete_raw_text(struct op *op, yyjson_val *param);
void ws_predict_message(struct op *op, yyjson_val *message);
void ws_tokenize(struct op *op, yyjson_val *param);
void ws_count_tokens(struct op *op, yyjson_val *param);
void ws_apply_template(struct op *op, yyjson_val *param);
void ws_embed_string(struct op *op, yyjson_val *param);
void ws_stream_logs(struct op *op, yyjson_val *param);
void ws_stream_logs_message(struct op *op, yyjson_val *message);
void ws_system_version(struct op *op, yyjson_val *param);
void ws_system_info(struct op *op, yyjson_val *param);
void ws_system_start_http(struct op *op, yyjson_val *param);
void ws_system_stop_http(struct op *op, yyjson_val *param);
void ws_system_shutdown(struct op *op, yyjson_val *param);
void ws_system_notify(struct op *op, yyjson_val *param);
void ws_system_alive(struct op *op, yyjson_val *param);
void ws_system_experiment_flags(struct op *op, yyjson_val *param);
void ws_upload_file(struct op *op, yyjson_val *param);
void ws_list_engines(struct op *op, yyjson_val *param);
void ws_engine_selections(struct op *op, yyjson_val *param);
void ws_link_status(struct op *op, yyjson_val *param);
void ws_authentication_status(struct op *op, yyjson_val *param);
void ws_is_authenticated(struct op *op, yyjson_val *param);
void ws_model_catalog(struct op *op, yyjson_val *param);

/* ---- a small reader: a field of any value; NULL if it is not there or no string ---- */
static inline const char *text_field(yyjson_val *obj, const char *name) {
    yyjson_val *val = yyjson_obj_get(obj, name);
    return yyjson_is_str(val) ? yyjson_get_str(val) : NULL;
}

#endif
