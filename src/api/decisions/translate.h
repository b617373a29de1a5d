/* SPDX-License-Identifier: MIT */
/* translate.h - the body of POST /v1/decisions to neutral requests, one for each question. */
#ifndef DOZE_API_DECISIONS_TRANSLATE_H
#define DOZE_API_DECISIONS_TRANSLATE_H

#include "api/dialect.h"

enum { DECISION_MAX_OPTIONS = 26 }; /* A to Z */

/* parse of struct dialect. options.echo is a list with "type", "name" and "options" of each
 * question; an option is its value or label, of a predicate true and false. */
bool decisions_parse(enum service_op op, const char *body, size_t len,
                     struct parsed *ret_parsed, struct error *err);

#endif
