/* SPDX-License-Identifier: MIT */
/* v0.h - LM Studio's first REST dialect, /api/v0: OpenAI's with statistics. Pure. */
#ifndef DOZE_API_LMSTUDIO_REST_V0_H
#define DOZE_API_LMSTUDIO_REST_V0_H

#include "api/dialect.h"

extern const struct dialect dialect_lmstudio_v0;

/* GET /api/v0/models */
void lmstudio_v0_format_models(const struct service_models *models, struct buf *out);
/* One model or instance by its id as listed; false if there is none. */
bool lmstudio_v0_format_model(const struct service_models *models, const char *id,
                              struct buf *out);

#endif
