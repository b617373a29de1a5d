/* SPDX-License-Identifier: MIT */
/*
 * responses.h - the dialect of OpenAI's Responses API, which Codex and OpenAI's newer clients
 * speak. Pure.
 *
 * The reference is resources/responses/responses.d.ts of the npm package openai; what is
 * obeyed, ignored and refused is in docs/api.md. The whole conversation comes with each
 * body: Codex sends it so, and for others past.h puts it there.
 */
#ifndef DOZE_API_RESPONSES_RESPONSES_H
#define DOZE_API_RESPONSES_RESPONSES_H

#include "api/dialect.h"

/* OP_CHAT is POST /v1/responses. */
extern const struct dialect dialect_responses;

#endif
