/* SPDX-License-Identifier: MIT */
/*
 * rules_check.h - whether the schemas, grammar, template and pictures of a request can be used,
 * seen without a model: a request whose rules cannot be used costs no load.
 *
 * What a client sends is worked on here by code that may take long or die of it: only in a
 * process of its own that ends afterwards.
 */
#ifndef DOZE_ENGINE_RULES_CHECK_H
#define DOZE_ENGINE_RULES_CHECK_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/error.h"

/* The payload of MSG_CHECK. Fails as the worker does if no model could use them. What
 * depends on the model's vocabulary or template passes. */
bool rules_check(yyjson_val *rules, struct error *err);

#endif
