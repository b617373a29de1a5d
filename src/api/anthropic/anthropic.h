/* SPDX-License-Identifier: MIT */
/*
 * anthropic.h - the dialect of Anthropic's Messages API, which Claude Code and Anthropic's SDKs
 * speak. Pure.
 *
 * The reference is resources/messages/messages.d.ts of the npm package @anthropic-ai/sdk; what
 * is obeyed, ignored and refused is in docs/api.md.
 */
#ifndef DOZE_API_ANTHROPIC_ANTHROPIC_H
#define DOZE_API_ANTHROPIC_ANTHROPIC_H

#include "api/dialect.h"

/* OP_CHAT is POST /v1/messages, OP_TEMPLATE is POST /v1/messages/count_tokens. */
extern const struct dialect dialect_anthropic;

/* As in struct dialect. */
void anthropic_format_error(const struct error *err, struct buf *out);

/* GET /v1/models for a client that sends anthropic-version. */
void anthropic_format_models(const struct service_models *models, struct buf *out);

#endif
