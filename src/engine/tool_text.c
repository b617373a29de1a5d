/* SPDX-License-Identifier: MIT */
#include "engine/tool_text.h"

#include <string.h>

#include "base/json.h"

static void describe_one(struct buf *out, yyjson_val *tool) {
    (void)buf_add_str(out, "\n");
    (void)json_write_val(yyjson_obj_get(tool, "function"), out);
}

void tool_text_describe(struct buf *out, yyjson_val *tools, struct tool_text_rules rules) {
    size_t i, count;
    yyjson_val *tool;
    (void)buf_add_str(
        out,
        "You can call tools. A call of a tool has this exact format:\n" TOOL_TEXT_CALL
        "{\"name\": \"tool_name\", \"arguments\": {\"param1\": \"value1\"}}" TOOL_TEXT_CALL_END
        "\n\nAVAILABLE TOOLS:");
    yyjson_arr_foreach(tools, i, count, tool) describe_one(out, tool);
    (void)buf_add_str(out, "\n\nRULES:\n- Call only tools from AVAILABLE TOOLS.\n"
                           "- Give all required arguments.\n");
    (void)buf_add_str(out, rules.parallel ? "- Use one " TOOL_TEXT_CALL " for each call.\n"
                                          : "- Make one call at a time.\n");
    (void)buf_add_str(out,
                      "- An answer that calls tools has no other text. The results come in "
                      "the next message, as " TOOL_TEXT_RESULT "; never write one.\n");
    (void)buf_add_str(out, rules.required ? "- The next answer has to be a call."
                                          : "- If no tool is of use, answer without one.");
}

void tool_text_call(struct buf *out, const char *name, const char *arguments) {
    if (out->len > 0) (void)buf_add_str(out, "\n");
    (void)buf_add_str(out, TOOL_TEXT_CALL "{\"name\": ");
    (void)json_write_str(out, name, strlen(name));
    (void)buf_add_str(out, ", \"arguments\": ");
    (void)buf_add_str(out, arguments);
    (void)buf_add_str(out, "}" TOOL_TEXT_CALL_END);
}

void tool_text_result(struct buf *out, const char *text, size_t len) {
    if (out->len > 0) (void)buf_add_str(out, "\n");
    (void)buf_add_str(out, TOOL_TEXT_RESULT);
    (void)buf_add(out, text, len);
    (void)buf_add_str(out, TOOL_TEXT_RESULT_END);
}
