/* SPDX-License-Identifier: MIT */
/*
 * config.h - configuration stacks, {"layers":[{"layerName","config":{"fields":[{"key",
 * "value"}]}}]}, lowest priority first: what a client requests; how an instance was loaded.
 */
#ifndef DOZE_API_LMSTUDIO_WS_CONFIG_H
#define DOZE_API_LMSTUDIO_WS_CONFIG_H

#include "api/service.h"

enum {
    /* Layers and fields of a stack, together: each key is looked for in all of them. */
    LMWS_CONFIG_FIELDS_MAX = 4096,
    /* Values of a stack, or of other options of a call: they are copied on the loop, some of
     * them four times. Schemas and tools may have half of that. */
    LMWS_CONFIG_VALUES_MAX = 200000,
};

/* Fail with ERR_TOO_LARGE past that; NULL fits. */
bool lmws_config_fits(yyjson_val *stack, struct error *err);
bool lmws_options_fit(yyjson_val *options, struct error *err);
/* The value of a key: of several layers or fields with it the last one's. NULL if there is
 * none. */
yyjson_val *lmws_config_find(yyjson_val *stack, const char *key);
/* A checkbox with a number; false if it is not there or not of that form. */
bool lmws_checkbox_read(yyjson_val *value, bool *ret_checked, double *ret_number);
/* What a stack requests of a load; the rest stays unset. Borrows strings from the stack. */
void lmws_load_config_read(yyjson_val *stack, const struct model_view *model,
                           struct load_settings *ret_settings);
/* {"fields":[...]}: how an instance was loaded. */
yyjson_mut_val *lmws_load_config_format(yyjson_mut_doc *doc, const struct model_view *model,
                                        const struct instance_view *instance);
/* "fields" of a config, to which lmws_config_add adds; it copies the key. */
yyjson_mut_val *lmws_config_new(yyjson_mut_doc *doc, yyjson_mut_val **ret_fields);
void lmws_config_add(yyjson_mut_doc *doc, yyjson_mut_val *fields, const char *key,
                     yyjson_mut_val *value);

#endif
