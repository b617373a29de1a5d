/* SPDX-License-Identifier: MIT */
/* request_sampling.h - the sampling fields of a request. Internal to request.c. */
#ifndef DOZE_ENGINE_REQUEST_SAMPLING_H
#define DOZE_ENGINE_REQUEST_SAMPLING_H

#include "engine/request.h"

/* Overwrites the fields that are given. On failure what was allocated stays in *s. */
bool request_read_sampling(struct sampling *s, yyjson_val *root, int32_t vocab_size,
                           struct error *err);

#endif
