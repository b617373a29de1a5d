/* SPDX-License-Identifier: MIT */
/*
 * decisions.h - the dialect of OpenAI's POST /v1/decisions: questions about a text, each with
 * the probability of every answer. Pure.
 *
 * Each question is a chat of its own whose options have letters; the answer is read from the
 * scores of its first token. The reference is resources/decisions of OpenAI's clients; errors
 * are OpenAI's.
 */
#ifndef DOZE_API_DECISIONS_DECISIONS_H
#define DOZE_API_DECISIONS_DECISIONS_H

#include "api/dialect.h"

/* OP_CHAT. */
extern const struct dialect dialect_decisions;

#endif
