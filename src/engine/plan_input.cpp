/* SPDX-License-Identifier: MIT */
#include "engine/plan_input.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "json-schema-to-grammar.h"

#include "engine/schema.h"

common_json to_common(yyjson_val *val) {
    size_t i, count;
    yyjson_val *key, *item;
    switch (yyjson_get_type(val)) {
    case YYJSON_TYPE_BOOL:
        return common_json(yyjson_get_bool(val));
    case YYJSON_TYPE_NUM:
        if (yyjson_is_uint(val)) return common_json(yyjson_get_uint(val));
        if (yyjson_is_sint(val)) return common_json(yyjson_get_sint(val));
        return common_json(yyjson_get_real(val));
    case YYJSON_TYPE_STR:
        return common_json(std::string(yyjson_get_str(val), yyjson_get_len(val)));
    case YYJSON_TYPE_ARR: {
        auto array = common_json::array();
        yyjson_arr_foreach(val, i, count, item) array.push_back(to_common(item));
        return array;
    }
    case YYJSON_TYPE_OBJ: {
        auto object = common_json::object();
        yyjson_obj_foreach(val, i, count, key, item) {
            object[std::string(yyjson_get_str(key), yyjson_get_len(key))] = to_common(item);
        }
        return object;
    }
    default:
        return common_json(nullptr);
    }
}

static std::string to_text(yyjson_val *val) {
    const std::unique_ptr<char, decltype(&free)> text(yyjson_val_write(val, 0, nullptr), free);
    return text ? text.get() : "null";
}

static common_json only_tool(yyjson_val *tools, const char *name) {
    size_t i, count;
    yyjson_val *tool;
    yyjson_arr_foreach(tools, i, count, tool) {
        yyjson_val *function = yyjson_obj_get(tool, "function");
        if (yyjson_equals_str(yyjson_obj_get(function, "name"), name)) {
            return common_json::array({ to_common(tool) });
        }
    }
    return common_json::array(); /* request_chat.c has refused it */
}

static void read_tools(const struct chat_input *in, const common_json &tools,
                       common_chat_templates_inputs &inputs) {
    const std::string choice = in->tool_choice ? in->tool_choice : "auto";
    inputs.tool_choice = common_chat_tool_choice_parse_oaicompat(choice);
    inputs.tools = common_chat_tools_parse_oaicompat(tools);
    if (in->tool_name) inputs.tool_choice = COMMON_CHAT_TOOL_CHOICE_REQUIRED;
}

/* The library takes keyword arguments as JSON texts by name. `enable_thinking` and the effort
 * "none" also have a field of their own. */
static void read_kwargs(const struct chat_input *in, common_chat_templates_inputs &inputs) {
    size_t i, count;
    yyjson_val *key, *item;
    yyjson_obj_foreach(in->kwargs, i, count, key, item) {
        inputs.chat_template_kwargs[yyjson_get_str(key)] = to_text(item);
    }
    yyjson_val *thinking = yyjson_obj_get(in->kwargs, "enable_thinking");
    if (thinking) inputs.enable_thinking = yyjson_get_bool(thinking);
    if (!in->reasoning_effort) return;
    if (strcmp(in->reasoning_effort, "none") == 0) {
        inputs.enable_thinking = false;
    } else {
        inputs.chat_template_kwargs["reasoning_effort"] =
            common_json::make(in->reasoning_effort).dump();
    }
}

common_chat_templates_inputs read_input(const reading &r) {
    const struct chat_input *in = r.in;
    common_chat_templates_inputs inputs;
    inputs.reasoning_format = COMMON_REASONING_FORMAT_DEEPSEEK; /* as its own field */
    inputs.add_generation_prompt = in->add_generation_prompt;
    inputs.parallel_tool_calls = in->parallel_tool_calls < 0 ? r.templates->parallel_calls
                                                             : in->parallel_tool_calls != 0;
    read_tools(in, r.tools, inputs);
    if (inputs.tool_choice != COMMON_CHAT_TOOL_CHOICE_REQUIRED) inputs.json_schema = r.schema;
    read_kwargs(in, inputs);
    return inputs;
}

/* ---- schemas that the library cannot read ---- */

static common_json tidied(const common_json &schema, bool loosen) {
    const std::string text = schema.dump();
    const doc_ptr doc(yyjson_read(text.c_str(), text.size(), 0), yyjson_doc_free);
    const doc_ptr written(schema_write(yyjson_doc_get_root(doc.get()), loosen),
                          yyjson_doc_free);
    return to_common(yyjson_doc_get_root(written.get()));
}

static bool readable(const common_json &schema) {
    try {
        (void)json_schema_to_grammar(schema);
        return true;
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &) {
        return false;
    }
}

/* A tool keeps as much of its schema as can be read. The model sees all of it. */
static bool loosen_tool(common_json &function, std::vector<std::string> &notes) {
    if (!function.contains("parameters") || readable(function.at("parameters"))) return false;
    const common_json given = function.at("parameters");
    const bool object = given.is_object();
    const common_json exact = object ? tidied(given, false) : given;
    if (object && readable(exact)) {
        function["parameters"] = exact;
        return true;
    }
    const common_json loose = object ? tidied(given, true) : given;
    const std::string name = function.value("name", "");
    const bool usable = object && readable(loose);
    function["parameters"] = usable ? loose : common_json::parse("{\"type\":\"object\"}");
    function["description"] = function.value("description", "") +
                              "\nSchema of the arguments: " + given.dump();
    notes.push_back("The schema of the tool '" + name + "' cannot be enforced " +
                    (usable ? "in all its parts; these take any value."
                            : "; its arguments may be any object."));
    return true;
}

/* The library's complaint without its headline. */
static const char *last_line(const char *text) {
    const char *end = strrchr(text, '\n');
    return end ? end + 1 : text;
}

/* A tool that is strict is called by its schema or not at all. */
static void tighten_tool(common_json &function) {
    const common_json given = function.value("parameters", common_json::object());
    const common_json exact = given.is_object() ? tidied(given, false) : given;
    try {
        (void)json_schema_to_grammar(exact);
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &e) {
        throw schema_error("tools", "of the strict tool '" + function.value("name", "") + "'",
                           last_line(e.what()));
    }
    if (!readable(given)) function["parameters"] = exact;
}

static void tighten_tools(common_json &tools) {
    for (size_t i = 0; i < tools.size(); i++) {
        if (tools[i].value("strict", false)) tighten_tool(tools[i]["function"]);
    }
}

common_json callable_tools(const struct chat_input *in) {
    if (!in->tools) return common_json::array();
    auto tools = in->tool_name ? only_tool(in->tools, in->tool_name) : to_common(in->tools);
    if (!in->tool_choice || strcmp(in->tool_choice, "none") != 0) tighten_tools(tools);
    return tools;
}

bool loosen_tools(reading &r) {
    bool changed = false;
    if (r.loosened) return false;
    r.loosened = true;
    for (size_t i = 0; i < r.tools.size(); i++)
        changed = loosen_tool(r.tools[i]["function"], r.notes) || changed;
    return changed;
}

/* A string with no more to it. */
static bool is_free_text(const common_json &schema) {
    if (!schema.is_object() || !schema.contains("type")) return false;
    const auto &type = schema.at("type");
    if (!type.is_string() || type.get<std::string>() != "string") return false;
    for (const char *key : { "enum", "const", "pattern", "format", "minLength", "maxLength",
                             "anyOf", "oneOf", "allOf", "not" }) {
        if (schema.contains(key)) return false;
    }
    return true;
}

/* By the names of the library's rules: a rule for an argument, and one for its schema unless it
 * is a text. */
static bool keeps_arguments(const std::string &parser, const common_json &function) {
    const auto parameters = function.value("parameters", common_json::object());
    if (!parameters.is_object() || !parameters.contains("properties")) return true;
    for (const auto &[name, schema] : parameters.at("properties").items()) {
        const auto rule = "\"tool-" + function.value("name", "") + "-arg-" + name;
        const bool text = is_free_text(schema) && parser.find(rule + "\"") != std::string::npos;
        if (!text && parser.find(rule + "-schema\"") == std::string::npos) return false;
    }
    return true;
}

bool breaks_promise(const reading &r, const std::string &parser) {
    if (parser.find("\"tool-arg-name\"") == std::string::npos) return false;
    for (size_t i = 0; i < r.tools.size(); i++) {
        if (r.tools[i].value("strict", false) &&
            !keeps_arguments(parser, r.tools[i]["function"]))
            return true;
    }
    return false;
}

std::string answer_schema(const struct chat_input *in) {
    if (!in->schema) return "";
    try {
        const auto schema = tidied(common_json::parse(in->schema), false);
        (void)json_schema_to_grammar(schema);
        return schema.dump();
    } catch (const std::bad_alloc &) {
        throw;
    } catch (const std::exception &e) {
        throw schema_error("response_format", "in 'response_format'", last_line(e.what()));
    }
}
