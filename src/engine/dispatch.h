/* SPDX-License-Identifier: MIT */
/* dispatch.h - what the daemon's frames do. */
#ifndef DOZE_ENGINE_DISPATCH_H
#define DOZE_ENGINE_DISPATCH_H

#include "engine/engine.h"

/* Act on one frame, or return the order that it is. */
enum engine_order dispatch_frame(struct engine *engine, const struct frame *frame)
    __attribute__((warn_unused_result));

#endif
