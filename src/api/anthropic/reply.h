/* SPDX-License-Identifier: MIT */
/* reply.h - the members of dialect_anthropic that write answers; see struct dialect. */
#ifndef DOZE_API_ANTHROPIC_REPLY_H
#define DOZE_API_ANTHROPIC_REPLY_H

#include "api/dialect.h"

struct reply *anthropic_reply_new(const struct reply_options *options, int count,
                                  const char *id, int64_t created);
void anthropic_reply_free(struct reply *reply);
enum reply_step anthropic_reply_event(struct reply *reply, int index,
                                      const struct service_event *ev, struct buf *out);
void anthropic_format_waiting(const struct reply *reply, struct buf *out);
void anthropic_format_error(const struct error *err, struct buf *out);

#endif
