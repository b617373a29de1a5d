/* SPDX-License-Identifier: MIT */
/*
 * chat_templates.h - the templates of one model, for the C++ that applies them. Their C
 * interface is in plan_shim.h.
 */
#ifndef DOZE_ENGINE_CHAT_TEMPLATES_H
#define DOZE_ENGINE_CHAT_TEMPLATES_H

#include "chat.h"

#include "engine/plan_shim.h"

struct chat_templates {
    const llama_model *model;
    common_chat_templates_ptr all;
    const llama_vocab *vocab;
    chat_caps caps;
    bool parallel_calls;
    mutable int plain = -1;  /* an answer may be plain text; -1: not known yet */
    mutable int crowded = 0; /* enum history_form that keeps messages with several calls, or
                                with a text and calls; found out when it is needed */
};

#endif
