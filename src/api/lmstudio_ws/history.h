/* SPDX-License-Identifier: MIT */
/* history.h - a conversation of the SDK as the messages of a neutral body (service.h). */
#ifndef DOZE_API_LMSTUDIO_WS_HISTORY_H
#define DOZE_API_LMSTUDIO_WS_HISTORY_H

#include "api/lmstudio_ws/session.h"

struct lmws_history {
    const struct lmws_host *host;
    yyjson_val *history, *stack;
    bool shown; /* only: a file that is not here stands as its name */
};

/* Add "messages" to a neutral body. */
bool lmws_history_read(const struct lmws_history *history, yyjson_mut_doc *doc,
                       yyjson_mut_val *body, struct error *err);

#endif
