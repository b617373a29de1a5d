/* SPDX-License-Identifier: MIT */
/* item.h - one item of a response's output while it is being written. Pure. */
#ifndef DOZE_API_RESPONSES_ITEM_H
#define DOZE_API_RESPONSES_ITEM_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/buf.h"

/* ITEM_CUSTOM: the call of a tool whose input is a text. */
enum item_kind { ITEM_NONE, ITEM_REASONING, ITEM_MESSAGE, ITEM_CALL, ITEM_CUSTOM };

/* Is the JSON of an item, a part or a tool of this type? */
static inline bool item_is_type(yyjson_val *val, const char *type) {
    return yyjson_equals_str(yyjson_obj_get(val, "type"), type);
}

enum { ITEM_TEXT_MAX = 64 << 20, ITEM_LOGPROBS_MAX = 1 << 18 /* tokens */ };

/* Zeroed: none. */
struct item {
    enum item_kind kind;
    char *id;             /* "msg_x_0": of the response's id and the item's place */
    int call;             /* of a call: its index among the calls */
    char *call_id, *name; /* of a call */
    const char *space;    /* of a call: the tool's namespace, borrowed; NULL: none */
    struct buf text;      /* its words, or a call's arguments */
    /* Of a message: its tokens with their log probabilities; NULL: they are not asked for. */
    yyjson_mut_doc *logprobs;
    size_t logprobs_held; /* bytes of it */
};

/* Begin an item at a place of the output. tool_call_id and name are those of a call; tools the
 * request's, which say what kind of call it is. */
struct item item_new(enum item_kind kind, const char *response_id, int place);
struct item item_new_call(const char *response_id, int place, int call,
                          const char *tool_call_id, const char *name, yyjson_mut_val *tools);
void item_clear(struct item *item);

/* Keep the worker's entries with a message. False: there are too many. */
bool item_keep_logprobs(struct item *item, yyjson_val *entries);

/* The input of a custom tool, which is the only argument of a function (tools.c). The item's
 * own text for other kinds. Appends. */
void item_text(const struct item *item, struct buf *out);

/* How an item is written: when it has begun, without its content, or when it is complete. */
enum item_stage { ITEM_BEGUN, ITEM_COMPLETE };

/* The item as part of doc. */
yyjson_mut_val *item_format(const struct item *item, yyjson_mut_doc *doc,
                            enum item_stage stage);

/* The one part of a message or a thought, as part of doc. */
yyjson_mut_val *item_format_part(const struct item *item, yyjson_mut_doc *doc,
                                 enum item_stage stage);

/* What is kept of a message's log probabilities, an array as part of doc. */
yyjson_mut_val *item_format_logprobs(const struct item *item, yyjson_mut_doc *doc);

#endif
