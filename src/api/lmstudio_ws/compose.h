/* SPDX-License-Identifier: MIT */
/* compose.h - a request with a conversation of the SDK, whose files may be large: it is put
 * together where the host works on large texts. */
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

#endif
