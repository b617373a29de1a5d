/* SPDX-License-Identifier: MIT */
/* rules.h - the parts of a chat or completion that can make it unanswerable by any model: the
 * schemas that an answer must match, its grammar, its own template and its pictures. Pure. */
#ifndef DOZE_ENGINE_RULES_H
#define DOZE_ENGINE_RULES_H

#include "base/buf.h"
#include "engine/request.h"

/* Most bytes of a request's pictures, as sent, that are checked before a load. */
enum { RULES_PICTURES_MAX = 8 << 20 };

/* Append MSG_CHECK's payload (rules_check.h), unless there is nothing of the kind. seconds: how
 * long it may compute. Schemas of tools that are not strict degrade their tool only. */
void rules_write(const struct request_chat *chat, double seconds, struct buf *out);

#endif
