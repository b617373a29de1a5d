/* SPDX-License-Identifier: MIT */
/*
 * history.h - a conversation in the forms that chat templates take. Pure.
 *
 * Clients send what they have: system messages anywhere, two messages of the user in a row,
 * results in another order than the calls, calls that were cut off. Many templates refuse some
 * of that. So a conversation that is refused is tried in the next form. Each form gives up a
 * little more of what was sent, and every template takes the last.
 */
#ifndef DOZE_ENGINE_HISTORY_H
#define DOZE_ENGINE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#ifdef __cplusplus
extern "C" {
#endif

enum history_form {
    HISTORY_AS_SENT, /* but arguments of calls are objects, and parts of system messages and
                        results are one text */
    HISTORY_JOINED,  /* one system message, at the beginning, which the user follows; neighbours
                        of one role are one message; each call has a result, in the order of the
                        calls, and an id of nine letters and digits */
    HISTORY_NARROW,  /* and one call a message; a result has what the user says after it */
    HISTORY_PLAIN,   /* and calls and results are text (tool_text.h) */
    HISTORY_BARE,    /* and so is the system message, in the user's first one */
};
enum { HISTORY_FORMS = HISTORY_BARE + 1 };

/* messages: of a request that was checked (request_chat.c). system: more text for the end of
 * the system message, or NULL; for the forms from HISTORY_JOINED on. The caller frees. */
yyjson_doc *history_write(yyjson_val *messages, enum history_form form, const char *system);

/* What a conversation has of tools. */
struct history_facts {
    bool calls;    /* or results */
    bool unpaired; /* a call without a result right behind it, or the reverse */
    bool open;     /* the last message has calls that wait for results */
    bool crowded;  /* a message with several calls, or with a text and calls */
};
struct history_facts history_look(yyjson_val *messages);

/* False: the template has left out a system message. messages: as history_write() made them. */
bool history_kept(yyjson_val *messages, const char *prompt, size_t len);

#ifdef __cplusplus
}
#endif

#endif
