/* SPDX-License-Identifier: MIT */
/*
 * plan_input.h - all of a request but its messages, in the types of libllama-common. For the
 * C++ behind plan_shim.h; throws like the library.
 */
#ifndef DOZE_ENGINE_PLAN_INPUT_H
#define DOZE_ENGINE_PLAN_INPUT_H

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "chat.h"
#include "json.h"

#include "engine/chat_templates.h"

using doc_ptr = std::unique_ptr<yyjson_doc, decltype(&yyjson_doc_free)>;

/* What a plan is made of. */
struct reading {
    const struct chat_templates *templates;
    const struct chat_input *in;
    common_json tools;  /* that may be called */
    std::string schema; /* ""; or of an answer that is not a call */
    bool loosened;      /* the tools' schemas were looked at */
    std::vector<std::string> notes;
};

/* A schema of the request cannot be used. */
struct schema_error : std::invalid_argument {
    const char *param;
    std::string whose; /* "in 'response_format'" */
    schema_error(const char *at, const std::string &of, const char *why)
        : std::invalid_argument(why), param(at), whose(of) {}
};

/* As the library's own kind of JSON, without a text in between. The caller has limited the
 * nesting (json_parse). */
common_json to_common(yyjson_val *val);

/* The tools that may be called; strict ones with schemas in a form that the library reads.
 * Throws schema_error. */
common_json callable_tools(const struct chat_input *in);

/* Does the template's format, whose parser this is, write each argument on its own, and accept
 * more for a strict tool than the tool's schema does? */
bool breaks_promise(const reading &r, const std::string &parser);

/* The schema of response_format in a form that the library reads; "" if there is none. Throws
 * schema_error if it cannot be enforced. */
std::string answer_schema(const struct chat_input *in);

/* All but the messages. An answer that has to be a call has no other schema. */
common_chat_templates_inputs read_input(const reading &r);

/* Replace what the library cannot read in the tools' schemas, once, with a note for each. True
 * if a tool has changed. */
bool loosen_tools(reading &r);

#endif
