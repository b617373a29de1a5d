/* SPDX-License-Identifier: MIT */
/* parsed.h - reads a body that becomes one request, for dialects other than OpenAI's. Pure. */
#ifndef DOZE_API_PARSED_H
#define DOZE_API_PARSED_H

#include "api/dialect.h"
#include "api/translation.h"

/* Parse a JSON object, read model, ttl and stream, and let `read` fill t->out, the neutral body
 * of a chat, a template or a rerank, which has "op" already. As parse of struct dialect. */
bool parsed_read_one(enum service_op op, const char *body, size_t len,
                     bool (*read)(struct parsed *parsed, struct translation *t),
                     struct parsed *ret_parsed, struct error *err);

#endif
