/* SPDX-License-Identifier: MIT */
/* judge.h - what judge.c needs of the engine's C++ library. */
#ifndef DOZE_JUDGE_H
#define DOZE_JUDGE_H

#ifdef __cplusplus
extern "C" {
#endif

#include "base/error.h"

/* The grammar that llama-server makes of a schema, JSON; the caller frees. NULL: it refuses. */
char *stock_grammar(const char *schema, struct error *err);

#ifdef __cplusplus
}
#endif

#endif
