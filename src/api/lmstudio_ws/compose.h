/* SPDX-License-Identifier: MIT */
/* compose.h - a request with what an SDK client says, a conversation with files or one text,
 * which may be large: it is put together where the host works on large texts. */
#ifndef DOZE_API_LMSTUDIO_WS_COMPOSE_H
#define DOZE_API_LMSTUDIO_WS_COMPOSE_H

#include "api/lmstudio_ws/history.h"
#include "api/lmstudio_ws/op.h"

/* The request is whole, and sealed. Takes it. */
typedef void lmws_begin_fn(struct lmws_op *op, struct service_request *request);

/* Add the conversation to the request's body and call begin, now or later; the op fails if
 * that cannot be done, and is forgotten if it has ended meanwhile. Takes the request, and the
 * message that the session receives, of which the history is part. */
void lmws_compose(struct lmws_op *op, const struct lmws_history *history,
                  struct service_request *request, lmws_begin_fn *begin);

/* Puts the text, which belongs to the document, into the body. Safe on any thread. */
typedef void lmws_place_fn(yyjson_mut_doc *doc, yyjson_mut_val *body, yyjson_mut_val *text);

/* The same with a text, a string of the message. */
void lmws_compose_text(struct lmws_op *op, yyjson_val *text, lmws_place_fn *place,
                       struct service_request *request, lmws_begin_fn *begin);

#endif
