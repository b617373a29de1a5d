/* SPDX-License-Identifier: MIT */
/*
 * sampling_fields.h - the fields that control the choice of tokens and have the same names in
 * the dialects of OpenAI and of Ollama: temperature, top_k, stop, ...
 */
#ifndef DOZE_API_SAMPLING_FIELDS_H
#define DOZE_API_SAMPLING_FIELDS_H

#include "api/translation.h"

/* Copy those that are there, normalised. */
bool sampling_fields_translate(struct translation *t);

#endif
