/* SPDX-License-Identifier: MIT */
#include <cstring>

#include "json-schema-to-grammar.h"
#include "judge.h"

#include "engine/shim_error.h"

char *stock_grammar(const char *schema, struct error *err) {
    try {
        return strdup(json_schema_to_grammar(common_json::parse(schema)).c_str());
    } catch (const std::exception &e) {
        shim_error(err, ERR_INVALID_REQUEST, "The schema cannot be used", e);
        return nullptr;
    }
}
