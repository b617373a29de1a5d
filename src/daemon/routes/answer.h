/* SPDX-License-Identifier: MIT */
/* answer.h - has instances answer an exchange: calls -> events -> dialect -> bytes. The same
 * for every dialect and kind of work. */
#ifndef DOZE_DAEMON_ROUTES_ANSWER_H
#define DOZE_DAEMON_ROUTES_ANSWER_H

#include "base/byte_budget.h"
#include "daemon/routes/parsing.h"

/* Bounds the memory of all answers that are kept until they are complete. */
struct byte_budget answers_budget(void);

/* Answer the parsed request, if the client may use its model. Takes what is stored and held
 * for it, and its claim. False: p->err says why, and the exchange is still the caller's. */
bool answer_begin(struct parsing *p);

#endif
