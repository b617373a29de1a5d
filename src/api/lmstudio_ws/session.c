/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/session.h"

#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_ws/config.h"
#include "api/lmstudio_ws/fail.h"
#include "api/lmstudio_ws/handlers.h"
#include "api/write.h"
#include "base/json.h"
#include "base/xalloc.h"

static const struct {
    const char *name;
    enum lmws_namespace ns;
} namespaces[] = {
    { "llm", LMWS_LLM },           { "embedding", LMWS_EMBEDDING },
    { "system", LMWS_SYSTEM },     { "diagnostics", LMWS_DIAGNOSTICS },
    { "files", LMWS_FILES },       { "repository", LMWS_REPOSITORY },
    { "plugins", LMWS_PLUGINS },   { "runtime", LMWS_RUNTIME },
    { "decision", LMWS_DECISION },
};

enum lmws_namespace lmws_namespace_parse(const char *name) {
    for (size_t i = 0; i < sizeof namespaces / sizeof namespaces[0]; i++) {
        if (strcmp(namespaces[i].name, name) == 0) return namespaces[i].ns;
    }
    return 0;
}

struct lmws_session *lmws_session_new(enum lmws_namespace ns, const struct lmws_host *host,
                                      struct lmws_transport transport) {
    struct lmws_session *session = xcalloc(1, sizeof *session);
    *session = (struct lmws_session){
        .ns = ns, .host = host, .service = host->service, .transport = transport
    };
    return session;
}

void lmws_session_pause(struct lmws_session *session, bool paused) {
    const struct service *service = session->service;
    session->paused = paused;
    for (struct lmws_op *op = session->ops; op; op = op->next) {
        if (op->call) service->pause(service->self, op->call, paused);
    }
}

void lmws_session_free(struct lmws_session *session) {
    session->refused = true; /* send nothing: the socket is gone */
    while (session->ops) lmws_op_end(session->ops);
    free(session);
}

/* ---- authentication: the first message each way ---- */

/* NULL: let in; else the reason why not. */
static const char *check_credentials(struct lmws_session *session, yyjson_val *root) {
    const struct lmws_host *host = session->host;
    const char *identifier = json_find_str(root, "clientIdentifier");
    const char *passkey = json_find_str(root, "clientPasskey");
    bool formed = yyjson_get_int(yyjson_obj_get(root, "authVersion")) == 1 && identifier &&
                  passkey && strlen(identifier) <= 256 && strlen(passkey) <= 256;
    if (!formed) {
        return "The first message must be {\"authVersion\":1,\"clientIdentifier\":…,"
               "\"clientPasskey\":…}";
    }
    if (host->admit(host->self, session->transport.peer, identifier, passkey, session->key))
        return NULL;
    return "Invalid passkey for client: set this server's API key as `apiToken` of the SDK or "
           "as LM_API_TOKEN";
}

static void authenticate(struct lmws_session *session, yyjson_val *root) {
    const char *error = check_credentials(session, root);
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *verdict = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_bool(doc, verdict, "success", error == NULL);
    if (error) yyjson_mut_obj_add_str(doc, verdict, "error", error);
    lmws_session_send(session, doc);
    if (error) {
        session->refused = true;
        session->transport.hang_up(session->transport.ctx, "not authenticated");
        return;
    }
    session->admitted = true;
    session->transport.on_admitted(session->transport.ctx);
}

/* ---- envelopes ---- */

struct envelope {
    const char *type;
    /* NULL: known, and nothing to do. */
    void (*receive)(struct lmws_session *session, yyjson_val *root,
                    const struct envelope *envelope);
    enum lmws_op_kind opens; /* what receive_open opens */
    const char *refusal;     /* type of the answer to a signal */
};

static void warn(struct lmws_session *session, const char *text) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "type", "communicationWarning");
    yyjson_mut_obj_add_str(doc, root, "warning", text);
    lmws_session_send(session, doc);
}

/* Ids are integers that the client counts; anything else cannot be answered. */
static bool id_read(yyjson_val *root, const char *name, int64_t *ret) {
    yyjson_val *val = yyjson_obj_get(root, name);
    if (!yyjson_is_int(val)) return false;
    *ret = yyjson_get_sint(val);
    return true;
}

/* May the client do that, now and with these parameters? */
static bool may_begin(struct lmws_session *session, const struct lmws_endpoint *endpoint,
                      yyjson_val *param, struct error *err) {
    const struct lmws_host *host = session->host;
    return host->may(host->self, session->key, endpoint->permission, &session->allowed, err) &&
           lmws_config_fits(yyjson_obj_get(param, "predictionConfigStack"), err) &&
           lmws_config_fits(yyjson_obj_get(param, "loadConfigStack"), err) &&
           lmws_options_fit(yyjson_obj_get(param, "opts"), err);
}

static void open_op(struct lmws_session *session, enum lmws_op_kind kind, int64_t id,
                    const char *name, yyjson_val *param) {
    const struct lmws_endpoint *endpoint = lmws_endpoint_find(session->ns, kind, name);
    if (lmws_op_find(session, kind, id)) {
        warn(session, "This id belongs to a call or channel that is still open; use another.");
        return;
    }
    if (!endpoint) {
        lmws_op_fail_not_offered(session, kind, id, name);
        return;
    }
    if (!lmws_session_has_room(session)) {
        lmws_op_fail_full(session, kind, id);
        return;
    }
    struct error err;
    struct lmws_op *op = lmws_op_new(session, endpoint, id);
    if (may_begin(session, endpoint, param, &err))
        endpoint->begin(op, param);
    else
        lmws_op_fail(op, &err);
    session->allowed = NULL;
}

static void receive_open(struct lmws_session *session, yyjson_val *root,
                         const struct envelope *envelope) {
    bool rpc = envelope->opens == LMWS_RPC;
    const char *endpoint = json_find_str(root, "endpoint");
    int64_t id;
    if (!id_read(root, rpc ? "callId" : "channelId", &id)) {
        warn(session, "A call needs an integer callId, a channel an integer channelId.");
        return;
    }
    open_op(session, envelope->opens, id, endpoint ? endpoint : "",
            yyjson_obj_get(root, rpc ? "parameter" : "creationParameter"));
}

static void acknowledge(struct lmws_session *session, int64_t channel, int64_t ack) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "type", "channelAck");
    yyjson_mut_obj_add_int(doc, root, "channelId", channel);
    yyjson_mut_obj_add_int(doc, root, "ackId", ack);
    lmws_session_send(session, doc);
}

/* A message for a channel that has just ended is normal: both sides speak at once. */
static void receive_channel_message(struct lmws_session *session, yyjson_val *root,
                                    const struct envelope *envelope) {
    int64_t id, ack;
    (void)envelope;
    if (!id_read(root, "channelId", &id)) return;
    if (id_read(root, "ackId", &ack)) acknowledge(session, id, ack);
    struct lmws_op *op = lmws_op_find(session, LMWS_CHANNEL, id);
    if (!op || !op->endpoint->message) return;
    op->endpoint->message(op, yyjson_obj_get(root, "message"));
}

static void receive_keep_alive(struct lmws_session *session, yyjson_val *root,
                               const struct envelope *envelope) {
    (void)root;
    (void)envelope;
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_obj_add_str(doc, yyjson_mut_doc_get_root(doc), "type", "keepAliveAck");
    lmws_session_send(session, doc);
}

/* No endpoint that the SDKs use has signals. */
static void receive_signal(struct lmws_session *session, yyjson_val *root,
                           const struct envelope *envelope) {
    int64_t id;
    if (!id_read(root, "subscribeId", &id)) return;
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *out = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, out, "type", envelope->refusal);
    yyjson_mut_obj_add_int(doc, out, "subscribeId", id);
    yyjson_mut_obj_add_val(doc, out, "error",
                           lmws_error_object(doc, "doze does not support signals."));
    lmws_session_send(session, doc);
}

/* Mostly about a reply of ours that does not fit the client's schema. */
static void receive_warning(struct lmws_session *session, yyjson_val *root,
                            const struct envelope *envelope) {
    const char *text = json_find_str(root, "warning");
    (void)envelope;
    session->host->note(session->host->self, text ? text : "");
}

static const struct envelope envelopes[] = {
    { "rpcCall", receive_open, LMWS_RPC, NULL },
    { "channelCreate", receive_open, LMWS_CHANNEL, NULL },
    { "channelSend", receive_channel_message, 0, NULL },
    { "channelAck", NULL, 0, NULL },
    { "keepAlive", receive_keep_alive, 0, NULL },
    { "signalSubscribe", receive_signal, 0, "signalError" },
    { "writableSignalSubscribe", receive_signal, 0, "writableSignalError" },
    { "signalUnsubscribe", NULL, 0, NULL },
    { "writableSignalUnsubscribe", NULL, 0, NULL },
    { "writableSignalUpdate", NULL, 0, NULL },
    { "communicationWarning", receive_warning, 0, NULL },
};

static void dispatch(struct lmws_session *session, yyjson_val *root) {
    const char *type = json_find_str(root, "type");
    for (size_t i = 0; type && i < sizeof envelopes / sizeof envelopes[0]; i++) {
        const struct envelope *envelope = &envelopes[i];
        if (strcmp(envelope->type, type) != 0) continue;
        if (envelope->receive) envelope->receive(session, root, envelope);
        return;
    }
    warn(session, "Unknown message type.");
}

yyjson_doc *lmws_message_parse(const char *text, size_t len, struct error *err) {
    return json_parse_object(text, len, err);
}

void lmws_session_receive(struct lmws_session *session, yyjson_doc *doc,
                          const struct error *err) {
    session->message = doc;
    session->receiving = true;
    if (session->refused) {
        /* no further answer is sent */
    } else if (!session->admitted) {
        authenticate(session, yyjson_doc_get_root(doc));
    } else if (!doc) {
        warn(session, err->text);
    } else {
        dispatch(session, yyjson_doc_get_root(doc));
    }
    yyjson_doc_free(lmws_session_take_message(session));
    session->receiving = false;
}
