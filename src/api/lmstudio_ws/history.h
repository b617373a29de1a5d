/* SPDX-License-Identifier: MIT */
/* history.h - a conversation of the SDK as the messages of a neutral body (service.h). */
#ifndef DOZE_API_LMSTUDIO_WS_HISTORY_H
#define DOZE_API_LMSTUDIO_WS_HISTORY_H

#include "api/lmstudio_ws/session.h"

enum {
    /* Bytes of the files of one conversation; each counts as often as it is named ... */
    LMWS_HISTORY_FILES_MAX = 64 << 20,
    LMWS_HISTORY_FILE_MIN = 1 << 10, /* ... and as at least this many */
};

/* The files that a conversation names, each once. */
struct lmws_held_files {
    struct lmws_file *list;
    size_t count;
    size_t bytes; /* of all, as often as they are named */
};

struct lmws_history {
    const struct lmws_host *host;
    yyjson_val *history, *stack;
    bool shown; /* only: a file that is not here stands as its name */
    struct lmws_held_files files;
};

/* Hold the files that it names, as far as they are here. ERR_TOO_LARGE past
 * LMWS_HISTORY_FILES_MAX. To be released also if that fails. */
bool lmws_history_hold(struct lmws_history *history, struct error *err)
    __attribute__((warn_unused_result));
/* Accepts one that holds none. */
void lmws_history_release(struct lmws_history *history);

/* Add "messages" to a neutral body, with the files that are held. Safe on any thread. */
bool lmws_history_read(const struct lmws_history *history, yyjson_mut_doc *doc,
                       yyjson_mut_val *body, struct error *err)
    __attribute__((warn_unused_result));

#endif
