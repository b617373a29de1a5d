/* SPDX-License-Identifier: MIT */
/* history.h - a conversation of the SDK as the messages of a neutral body (service.h). */
#ifndef DOZE_API_LMSTUDIO_WS_HISTORY_H
#define DOZE_API_LMSTUDIO_WS_HISTORY_H

#include "api/lmstudio_ws/session.h"

/* Add "messages" to a neutral body. */
bool lmws_history_read(const struct lmws_host *host, yyjson_val *history, yyjson_val *stack,
                       yyjson_mut_doc *doc, yyjson_mut_val *body, struct error *err);

#endif
