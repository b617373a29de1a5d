/* SPDX-License-Identifier: MIT */
/* rules.h - what of a chat or completion decides by itself whether any model can answer it: the
 * schemas that an answer is kept to, its grammar, its own template and its pictures. Pure. */
#ifndef DOZE_ENGINE_RULES_H
#define DOZE_ENGINE_RULES_H

#include "base/buf.h"
#include "engine/request.h"

/* Bytes of a request's pictures, as they are sent, that are looked at before a load. */
enum { RULES_PICTURES_MAX = 8 << 20 };

/* Append MSG_CHECK's payload (rules_check.h), unless there is nothing of the kind. seconds: how
 * long it may compute. Schemas of tools that are not strict degrade their tool only. */
void rules_write(const struct request_chat *chat, double seconds, struct buf *out);

#endif
