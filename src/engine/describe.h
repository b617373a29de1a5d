/* SPDX-License-Identifier: MIT */
/* describe.h - what the daemon is told of a loaded model. */
#ifndef DOZE_ENGINE_DESCRIBE_H
#define DOZE_ENGINE_DESCRIBE_H

#include "base/buf.h"
#include "engine/engine.h"
#include "engine/sandbox.h"

/* Append the payload of MSG_READY. */
void describe_model(const struct engine *engine, const struct sandbox *sandbox,
                    double load_seconds, struct buf *out);

#endif
