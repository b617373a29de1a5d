/* SPDX-License-Identifier: MIT */
/*
 * v1_chat.h - LM Studio's POST /api/v1/chat: one message to a conversation that the server
 * keeps. Pure.
 *
 * The server keeps conversations as the Responses API has them (api/responses/past.h), so that
 * an answer of either can be continued by both. A body is brought into that form first; the
 * dialect's parse takes it from there, with the past joined to it.
 *
 * The reference is lmstudio.ai/docs/developer/rest: chat and streaming-events.
 */
#ifndef DOZE_API_LMSTUDIO_REST_V1_CHAT_H
#define DOZE_API_LMSTUDIO_REST_V1_CHAT_H

#include "api/dialect.h"

/* Append the body in the form of the Responses API: `input` a list of items, the system prompt
 * its first or, for a conversation that goes on, the field `instructions`. Sampling fields keep
 * their names. */
bool lmstudio_v1_chat_form(const char *body, size_t len, struct buf *out, struct error *err);

/* OP_CHAT is POST /api/v1/chat; parse takes what lmstudio_v1_chat_form wrote. */
extern const struct dialect dialect_lmstudio_v1_chat;

#endif
