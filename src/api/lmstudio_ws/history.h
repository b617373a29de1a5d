/* SPDX-License-Identifier: MIT */
/* history.h - a conversation of the SDK as the messages of a neutral body (service.h). */
#ifndef DOZE_API_LMSTUDIO_WS_HISTORY_H
#define DOZE_API_LMSTUDIO_WS_HISTORY_H

#include "api/lmstudio_ws/session.h"

/* Bytes of the files of one conversation; each counts as often as it is named. */
enum { LMWS_HISTORY_FILES_MAX = 64 << 20 };

struct lmws_history {
    const struct lmws_host *host;
    yyjson_val *history, *stack;
    bool shown; /* only: a file that is not here stands as its name */
};

/* Add "messages" to a neutral body. ERR_TOO_LARGE past LMWS_HISTORY_FILES_MAX. */
bool lmws_history_read(const struct lmws_history *history, yyjson_mut_doc *doc,
                       yyjson_mut_val *body, struct error *err);

#endif
