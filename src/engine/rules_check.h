/* SPDX-License-Identifier: MIT */
/*
 * rules_check.h - whether the schemas, grammar, template and pictures of a request can be
 * used, checked without a model, so that a request that cannot be answered costs no load.
 *
 * What clients send can make this code hang or crash: call it only in a process of its own
 * that ends afterwards.
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
