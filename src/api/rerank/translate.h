/* SPDX-License-Identifier: MIT */
/* translate.h - the body of POST /v1/rerank to a neutral request. Pure. */
#ifndef DOZE_API_RERANK_TRANSLATE_H
#define DOZE_API_RERANK_TRANSLATE_H

#include "api/dialect.h"

/* parse of struct dialect. Where the answer shows the documents, they are options.echo. */
bool rerank_parse(enum service_op op, const char *body, size_t len, struct parsed *ret_parsed,
                  struct error *err);

#endif
