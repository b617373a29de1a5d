/* SPDX-License-Identifier: MIT */
/* layers.h - load settings from JSON, for the tests of load_settings.h and load_plan.h. */
#ifndef TESTS_LOAD_LAYERS_H
#define TESTS_LOAD_LAYERS_H

#include "base/json.h"
#include "load/load_settings.h"

/* The text must be JSON; false: it is refused as settings, and *settings is as it was. */
bool parse_settings(const char *text, struct load_settings *settings, struct error *err);
/* Asserts that they are valid and name no adapters, whose paths would go with the document. */
struct load_settings layer(const char *text);
/* The same; the caller frees the document, which has the paths. */
yyjson_doc *read_adapters(const char *text, struct load_settings *ret);

#endif
