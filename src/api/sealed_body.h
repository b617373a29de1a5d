/* SPDX-License-Identifier: MIT */
/*
 * sealed_body.h - a neutral body as the text that its worker gets, with facts about it.
 *
 * A request may wait long for its worker, and a text takes a fraction of the memory of a tree.
 * Pure.
 */
#ifndef DOZE_API_SEALED_BODY_H
#define DOZE_API_SEALED_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

struct sealed_body {
    char *text; /* JSON, owned; NULL: there is none, or no memory for it */
    size_t len;
    bool has_images;   /* among the parts of its messages */
    size_t values;     /* of its tree */
    size_t text_bytes; /* of all strings in it: messages, their parts, tools; without pictures,
                          whose tokens are few beside their bytes */
};

struct sealed_body sealed_body_make(yyjson_mut_doc *body);
void sealed_body_clear(struct sealed_body *body);

/* Add a field that is true. A body past the limits of json_parse stays as it is. */
void sealed_body_mark(struct sealed_body *body, const char *field);

#endif
