/* SPDX-License-Identifier: MIT */
/*
 * op.h - one call or channel that a client has opened: its messages and its end.
 *
 * The bottom of the dialect: a session with what is open on it, and the way out to the client.
 * A handler (handlers.h) begins an op's work; the op ends with one rpcResult, rpcError,
 * channelClose or channelError, now or in a callback of the service.
 */
#ifndef DOZE_API_LMSTUDIO_WS_OP_H
#define DOZE_API_LMSTUDIO_WS_OP_H

#include "api/lmstudio_ws/session.h"

enum {
    LMWS_OPS_MAX = 4096,       /* calls and channels open on one socket ... */
    LMWS_OPS_ALL = 8192,       /* ... on all sockets ... */
    LMWS_OPS_RESERVE = 4096,   /* ... and these in addition, for sockets ... */
    LMWS_OPS_FEW = 64,         /* ... with less than these */
    LMWS_REPLY_MAX = 60 << 20, /* bytes of one message to a client */
};

enum lmws_op_kind { LMWS_RPC, LMWS_CHANNEL };

struct lmws_op;

struct lmws_endpoint {
    unsigned namespaces; /* bits of enum lmws_namespace */
    enum lmws_op_kind kind;
    const char *name;
    enum permission permission; /* that the client's key needs */
    /* Begin; param may be NULL. Ends the op now or later. */
    void (*begin)(struct lmws_op *op, yyjson_val *param);
    /* A message of the client on the open channel; NULL: none is expected. */
    void (*message)(struct lmws_op *op, yyjson_val *message);
};

struct lmws_session {
    enum lmws_namespace ns;
    const struct lmws_host *host;
    const struct service *service;
    struct lmws_transport transport;
    struct lmws_op *ops;
    size_t op_count;
    bool admitted, refused, paused;
    bool receiving;                       /* inside lmws_session_receive */
    bool waits;                           /* for the end of what is done with a message */
    yyjson_doc *message;                  /* that is being received */
    char key[LMWS_KEY_SIZE];              /* by which the host knows the client's key */
    const struct allowed_models *allowed; /* while an endpoint begins; never NULL then */
};

/* Freed when it ends: what ends it must be the last thing that a handler does with it. */
struct lmws_op {
    struct lmws_session *session;
    struct lmws_op *prev, *next;
    const struct lmws_endpoint *endpoint;
    int64_t id;
    call_id call; /* of the service; 0: none. Cancelled with the op */
    void *state;  /* the handler's own; freed with the op, after clear_state if there is one */
    void (*clear_state)(void *state);
    struct byte_hold held;    /* for what it repeats of the client's words */
    struct lmws_op **watcher; /* becomes NULL with the op's end; NULL: nobody's */
};

/* ---- life ---- */

/* May it open one more? */
bool lmws_session_has_room(const struct lmws_session *session);
/* The message that is being received, to be kept for longer; NULL: it was taken already. */
yyjson_doc *lmws_session_take_message(struct lmws_session *session);

/* What is done with the message begins, and is over: the last thing to be called then. */
void lmws_session_wait(struct lmws_session *session);
void lmws_session_go_on(struct lmws_session *session);

struct lmws_op *lmws_op_new(struct lmws_session *session, const struct lmws_endpoint *endpoint,
                            int64_t id);
/* NULL: none of that kind is open under this id. */
struct lmws_op *lmws_op_find(struct lmws_session *session, enum lmws_op_kind kind, int64_t id);
/* End without a message; cancels the call that runs for it. */
void lmws_op_end(struct lmws_op *op);

/* ---- messages: each takes the document that its value belongs to ---- */

/* Send any message, the root of the document. */
void lmws_session_send(struct lmws_session *session, yyjson_mut_doc *doc);
/* rpcResult with this value, or without one if it is NULL; ends the op. */
void lmws_op_result(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *result);
/* rpcResult without a value; ends the op. */
void lmws_op_done(struct lmws_op *op);
/* {"type":type} in a new document, to be filled and sent with lmws_op_send. */
yyjson_mut_val *lmws_op_message(yyjson_mut_doc **ret_doc, const char *type);
/* A message on a channel. */
void lmws_op_send(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *message);
/* channelClose; ends the op. */
void lmws_op_close(struct lmws_op *op);
/* rpcError or channelError with this error object (fail.h); ends the op. */
void lmws_op_error(struct lmws_op *op, yyjson_mut_doc *doc, yyjson_mut_val *error);

#endif
