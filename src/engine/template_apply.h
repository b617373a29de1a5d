/* SPDX-License-Identifier: MIT */
/*
 * template_apply.h - turns a conversation into a prompt, in a form that the model's template
 * takes. For plan_shim.cpp; throws like the library.
 */
#ifndef DOZE_ENGINE_TEMPLATE_APPLY_H
#define DOZE_ENGINE_TEMPLATE_APPLY_H

#include "engine/plan_input.h"

struct applied {
    common_chat_params params;
    bool continues; /* the answer continues the last message */
    bool kept;      /* nothing was left out */
};

/* Apply the template in the first form (history.h) that it takes without leaving anything out;
 * else in the first that it takes. If it takes none, throws its error about the first. */
applied apply_template(reading &r);

#endif
