/* SPDX-License-Identifier: MIT */
/*
 * rules_check.h - whether answers can be kept to a schema or a grammar, seen without a model:
 * a request whose rules cannot be used costs no load.
 *
 * What a client sends is worked on here by code that may take long or die of it: only in a
 * process of its own that ends afterwards.
 */
#ifndef DOZE_ENGINE_RULES_CHECK_H
#define DOZE_ENGINE_RULES_CHECK_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/error.h"

/* The payload of MSG_CHECK. False with ERR_INVALID_REQUEST if no model could use them. What
 * depends on the model's vocabulary or template passes. */
bool rules_check(yyjson_val *rules, struct error *err);

#endif
