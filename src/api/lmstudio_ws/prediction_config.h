/* SPDX-License-Identifier: MIT */
/* prediction_config.h - the keys llm.prediction.* of a configuration stack. */
#ifndef DOZE_API_LMSTUDIO_WS_PREDICTION_CONFIG_H
#define DOZE_API_LMSTUDIO_WS_PREDICTION_CONFIG_H

#include "api/service.h"

/* For a plain text, keys about messages, tools and reasoning do not count. */
enum lmws_config_use { LMWS_CONFIG_CHAT, LMWS_CONFIG_TEXT };
/* Add what the stack sets to a neutral body (service.h). Returns {"fields":[...]}, a value of
 * the same document: all that counts, set by the client or not. NULL: a text is too long. */
yyjson_mut_val *lmws_prediction_config_read(yyjson_val *stack, enum lmws_config_use use,
                                            const struct sampling_view *defaults,
                                            yyjson_mut_doc *doc, yyjson_mut_val *body,
                                            struct error *err);

#endif
