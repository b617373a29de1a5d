/* SPDX-License-Identifier: MIT */
/*
 * template_apply.h - makes a conversation a prompt, in a form that the model's template takes.
 * For plan_shim.cpp; throws like the library.
 */
#ifndef DOZE_ENGINE_TEMPLATE_APPLY_H
#define DOZE_ENGINE_TEMPLATE_APPLY_H

#include "engine/plan_input.h"

struct applied {
    common_chat_params params;
    bool continues; /* the answer continues the last message */
    bool kept;      /* nothing was left out */
};

/* In the first form (history.h) that the template takes whole; else in the first that it takes.
 * If it takes none, throws what it says of the first. */
applied apply_template(reading &r);

#endif
