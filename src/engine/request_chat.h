/* SPDX-License-Identifier: MIT */
/* request_chat.h - the chat fields of a request. Internal to request.c. */
#ifndef DOZE_ENGINE_REQUEST_CHAT_H
#define DOZE_ENGINE_REQUEST_CHAT_H

#include "engine/request.h"

/* On failure what was allocated stays in *chat. */
bool request_read_chat(struct request_chat *chat, yyjson_val *root, struct error *err);

/* The grammar alone, which a completion has, too. */
bool request_read_grammar(struct request_chat *chat, yyjson_val *root, struct error *err);

void request_chat_clear(struct request_chat *chat);

#endif
