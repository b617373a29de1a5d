/* SPDX-License-Identifier: MIT */
#include "api/lmstudio_ws/session.h"

#include <stdlib.h>
#include <string.h>

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
    session->refused = true; /* nothing is sent to nobody */
    while (session->ops) lmws_op_end(session->ops);
    free(session);
}

/* ---- authentication: the first message each way ---- */

static void send_verdict(struct lmws_session *session, const char *error) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_bool(doc, root, "success", error == NULL);
    if (error) yyjson_mut_obj_add_str(doc, root, "error", error);
    lmws_session_send(session, doc);
}

static void authenticate(struct lmws_session *session, yyjson_val *root) {
    const char *identifier = json_find_str(root, "clientIdentifier");
    const char *passkey = json_find_str(root, "clientPasskey");
    const struct lmws_host *host = session->host;
    bool formed = yyjson_get_int(yyjson_obj_get(root, "authVersion")) == 1 && identifier &&
                  passkey && strlen(identifier) <= 256 && strlen(passkey) <= 256;
    const char *error = NULL;
    if (!formed) {
        error = "The first message must be {\"authVersion\":1,\"clientIdentifier\":…,"
                "\"clientPasskey\":…}";
    } else if (!host->admit(host->self, identifier, passkey)) {
        error = "Invalid passkey for client: this server wants its API key (`apiToken` of the "
                "SDK, or LM_API_TOKEN)";
    }
    send_verdict(session, error);
    if (error) {
        session->refused = true;
        session->transport.hang_up(session->transport.ctx, "not authenticated");
        return;
    }
    session->admitted = true;
    session->transport.on_admitted(session->transport.ctx);
}

/* ---- envelopes ---- */

/* Ids are integers that the client counts; what is none cannot be answered. */
static bool id_read(yyjson_val *root, const char *name, int64_t *ret) {
    yyjson_val *val = yyjson_obj_get(root, name);
    if (!yyjson_is_int(val)) return false;
    *ret = yyjson_get_sint(val);
    return true;
}

static void warn(struct lmws_session *session, const char *text) {
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, root, "type", "communicationWarning");
    yyjson_mut_obj_add_str(doc, root, "warning", text);
    lmws_session_send(session, doc);
}

static void begin(struct lmws_session *session, enum lmws_op_kind kind, int64_t id,
                  const char *name, yyjson_val *param) {
    const struct lmws_endpoint *endpoint = lmws_endpoint_find(session->ns, kind, name);
    if (lmws_op_find(session, kind, id)) {
        warn(session, "The id is in use by a call or channel that is still open.");
        return;
    }
    if (!endpoint || session->op_count >= LMWS_OPS_MAX) {
        lmws_op_fail_not_offered(session, kind, id, endpoint ? NULL : name);
        return;
    }
    struct lmws_op *op = lmws_op_new(session, endpoint, id);
    lmws_op_enter(op);
    endpoint->begin(op, param);
    lmws_op_leave(op);
}

static void on_begin(struct lmws_session *session, yyjson_val *root, enum lmws_op_kind kind) {
    static const char *const ids[] = { "callId", "channelId" };
    static const char *const params[] = { "parameter", "creationParameter" };
    const char *endpoint = json_find_str(root, "endpoint");
    int64_t id;
    if (!id_read(root, ids[kind], &id)) {
        warn(session, "A call or channel without an integer id cannot be answered.");
        return;
    }
    begin(session, kind, id, endpoint ? endpoint : "", yyjson_obj_get(root, params[kind]));
}

static void on_rpc_call(struct lmws_session *session, yyjson_val *root) {
    on_begin(session, root, LMWS_RPC);
}

static void on_channel_create(struct lmws_session *session, yyjson_val *root) {
    on_begin(session, root, LMWS_CHANNEL);
}

static void acknowledge(struct lmws_session *session, yyjson_val *root, int64_t id) {
    int64_t ack;
    if (!id_read(root, "ackId", &ack)) return;
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *out = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, out, "type", "channelAck");
    yyjson_mut_obj_add_int(doc, out, "channelId", id);
    yyjson_mut_obj_add_int(doc, out, "ackId", ack);
    lmws_session_send(session, doc);
}

/* A message for a channel that has just ended is normal: both sides speak at once. */
static void on_channel_send(struct lmws_session *session, yyjson_val *root) {
    int64_t id;
    if (!id_read(root, "channelId", &id)) return;
    acknowledge(session, root, id);
    struct lmws_op *op = lmws_op_find(session, LMWS_CHANNEL, id);
    if (!op || !op->endpoint->message) return;
    lmws_op_enter(op);
    op->endpoint->message(op, yyjson_obj_get(root, "message"));
    lmws_op_leave(op);
}

static void on_keep_alive(struct lmws_session *session, yyjson_val *root) {
    (void)root;
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_obj_add_str(doc, yyjson_mut_doc_get_root(doc), "type", "keepAliveAck");
    lmws_session_send(session, doc);
}

/* No endpoint of either SDK has signals. */
static void refuse_signal(struct lmws_session *session, yyjson_val *root, const char *type) {
    int64_t id;
    if (!id_read(root, "subscribeId", &id)) return;
    yyjson_mut_doc *doc = answer_new();
    yyjson_mut_val *out = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_str(doc, out, "type", type);
    yyjson_mut_obj_add_int(doc, out, "subscribeId", id);
    yyjson_mut_obj_add_val(doc, out, "error", lmws_error_object(doc, "doze offers no signals"));
    lmws_session_send(session, doc);
}

static void on_signal(struct lmws_session *session, yyjson_val *root) {
    refuse_signal(session, root, "signalError");
}

static void on_writable_signal(struct lmws_session *session, yyjson_val *root) {
    refuse_signal(session, root, "writableSignalError");
}

/* The client complains, as a rule of a reply of ours that does not fit its schema. */
static void on_warning(struct lmws_session *session, yyjson_val *root) {
    const char *text = json_find_str(root, "warning");
    session->host->note(session->host->self, text ? text : "");
}

static void on_nothing(struct lmws_session *session, yyjson_val *root) {
    (void)session;
    (void)root;
}

static const struct {
    const char *type;
    void (*fn)(struct lmws_session *session, yyjson_val *root);
} envelopes[] = {
    { "rpcCall", on_rpc_call },
    { "channelCreate", on_channel_create },
    { "channelSend", on_channel_send },
    { "channelAck", on_nothing },
    { "keepAlive", on_keep_alive },
    { "signalSubscribe", on_signal },
    { "writableSignalSubscribe", on_writable_signal },
    { "signalUnsubscribe", on_nothing },
    { "writableSignalUnsubscribe", on_nothing },
    { "writableSignalUpdate", on_nothing },
    { "communicationWarning", on_warning },
};

static void dispatch(struct lmws_session *session, yyjson_val *root) {
    const char *type = json_find_str(root, "type");
    for (size_t i = 0; type && i < sizeof envelopes / sizeof envelopes[0]; i++) {
        if (strcmp(envelopes[i].type, type) != 0) continue;
        envelopes[i].fn(session, root);
        return;
    }
    warn(session, "This server knows no messages of that type.");
}

void lmws_session_receive(struct lmws_session *session, const char *text, size_t len) {
    struct error err;
    if (session->refused) return;
    yyjson_doc *doc = json_parse_object(text, len, &err);
    if (!session->admitted) {
        authenticate(session, yyjson_doc_get_root(doc));
    } else if (!doc) {
        warn(session, err.text);
    } else {
        dispatch(session, yyjson_doc_get_root(doc));
    }
    yyjson_doc_free(doc);
}
