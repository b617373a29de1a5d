/* SPDX-License-Identifier: MIT */
/* prompt.h - the tokens of a request's prompt or inputs. */
#ifndef DOZE_ENGINE_PROMPT_H
#define DOZE_ENGINE_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "engine/model.h"
#include "engine/picture_prompt.h"
#include "engine/plan_shim.h"
#include "engine/request.h"
#include "engine/tokens.h"

/* What a request is prepared for. */
struct prompt_limits {
    const struct model *model;
    size_t length;                   /* tokens of one conversation */
    struct picture_prompt *pictures; /* of the chat; NULL: it has none */
};

/* The template applied to a conversation; free it with plan_free(). NULL with the errors of
 * plan_new, or ERR_NOT_SUPPORTED for an embedding model. */
struct plan *prompt_plan(const struct prompt_limits *limits, const struct request_chat *chat,
                         struct error *err);

/* Append the tokens of a chat's or completion's prompt, cut as the request says. plan: of a
 * chat. ERR_INVALID_REQUEST, ERR_NOT_SUPPORTED, or ERR_CONTEXT_LENGTH if they do not fit. */
bool prompt_read(const struct prompt_limits *limits, const struct request *request,
                 const struct plan *plan, struct tokens *ret, struct error *err);

/* Append the tokens of a plan's prompt, whether they fit or not. */
bool prompt_of_plan(const struct prompt_limits *limits, const struct plan *plan,
                    struct tokens *ret, struct error *err);

/* Replace *ret by the tokens of an input of an embedding, cut at the end if it may be. Fails as
 * prompt_read() does. */
bool prompt_read_input(const struct prompt_limits *limits, const struct input *input,
                       bool truncate, struct tokens *ret, struct error *err);

#endif
