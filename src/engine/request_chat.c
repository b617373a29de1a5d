/* SPDX-License-Identifier: MIT */
#include "engine/request_chat.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "engine/guidance_schema.h"

void request_chat_clear(struct request_chat *chat) {
    free(chat->schema);
    free(chat->pictures);
    *chat = (struct request_chat){ 0 };
}

/* ---- limits ---- */

/* Above what honest clients send: the longest template of a model has 20 KB, a grammar of all
 * tools of an agent 60 KB. Smaller ones that take too long are ended (preparers.h). */
enum {
    MAX_TEMPLATE = 256 << 10,
    MAX_GRAMMAR = 1 << 20,
    MAX_SCHEMA_VALUES = 50000,
    MAX_GRAMMAR_NESTING = 200,
};

static bool text_fits(const char *field, const char *text, size_t most, struct error *err) {
    if (!text || strlen(text) <= most) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, field,
                           "'%s' has %zu bytes, but at most %zu are allowed; simplify it.",
                           field, strlen(text), most);
}

/* Parentheses of a grammar, those in its texts, too: they close as well, or there are few. */
static bool nesting_fits(const char *grammar, struct error *err) {
    int depth = 0, deepest = 0;
    for (const char *at = grammar; at && *at; at++) {
        depth += (*at == '(') - (*at == ')');
        if (depth > deepest) deepest = depth;
    }
    if (deepest <= MAX_GRAMMAR_NESTING) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "grammar",
                           "'grammar' is nested deeper than %d parentheses; use rules instead.",
                           MAX_GRAMMAR_NESTING);
}

/* json_parse() has limited the nesting. NULL has none. */
static size_t count_values(yyjson_val *val) {
    size_t sum = 1, i, count;
    yyjson_val *key, *item;
    if (!val) return 0;
    if (yyjson_is_arr(val)) {
        yyjson_arr_foreach(val, i, count, item) sum += count_values(item);
    } else {
        yyjson_obj_foreach(val, i, count, key, item) sum += count_values(item);
    }
    return sum;
}

static bool values_fit(const char *field, yyjson_val *val, struct error *err) {
    size_t values = count_values(val);
    if (values <= MAX_SCHEMA_VALUES) return true;
    return error_set_param(
        err, ERR_INVALID_REQUEST, field,
        "'%s' has schemas of %zu values, but at most %d are allowed; simplify "
        "them.",
        field, values, MAX_SCHEMA_VALUES);
}

/* In bytes, of those in it. NULL has none. */
static size_t longest_pattern(yyjson_val *val) {
    size_t longest = 0, i, count;
    yyjson_val *key, *item;
    if (!val) return 0;
    if (yyjson_is_arr(val)) {
        yyjson_arr_foreach(val, i, count, item) {
            size_t len = longest_pattern(item);
            if (len > longest) longest = len;
        }
        return longest;
    }
    yyjson_obj_foreach(val, i, count, key, item) {
        bool is = yyjson_is_str(item) && yyjson_equals_str(key, "pattern");
        size_t len = is ? yyjson_get_len(item) : longest_pattern(item);
        if (len > longest) longest = len;
    }
    return longest;
}

static bool patterns_fit(yyjson_val *schema, struct error *err) {
    size_t longest = longest_pattern(schema);
    if (longest <= PATTERN_MAX) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "response_format",
                           "The schema in 'response_format' has a pattern of %zu bytes, but at "
                           "most %d are allowed; shorten it.",
                           longest, PATTERN_MAX);
}

static bool within_limits(const struct request_chat *chat, struct error *err) {
    return text_fits("chat_template", chat->chat_template, MAX_TEMPLATE, err) &&
           values_fit("tools", chat->tools, err);
}

/* ---- fields ---- */

static bool message_wrong(struct error *err, size_t index, const char *what) {
    return error_set_param(err, ERR_INVALID_REQUEST, "messages", "messages[%zu] %s.", index,
                           what);
}

static bool add_picture(struct request_chat *chat, yyjson_val *part, size_t index,
                        struct error *err) {
    yyjson_val *url = yyjson_obj_get(yyjson_obj_get(part, "image_url"), "url");
    if (!yyjson_is_str(url))
        return message_wrong(err, index, "has an image_url part without a 'url'");
    if (chat->picture_count == REQUEST_MAX_PICTURES) {
        return error_set_param(err, ERR_INVALID_REQUEST, "messages",
                               "'messages' has more than %d pictures; send fewer.",
                               REQUEST_MAX_PICTURES);
    }
    chat->pictures = xrealloc(chat->pictures,
                              (chat->picture_count + 1) * sizeof *chat->pictures);
    chat->pictures[chat->picture_count++] = (struct picture_url){ .text = yyjson_get_str(url),
                                                                  .len = yyjson_get_len(url) };
    return true;
}

/* No model here takes sound, and other programs read files. */
static bool check_part(struct request_chat *chat, yyjson_val *part, size_t index,
                       struct error *err) {
    const char *type = json_find_str(part, "type");
    if (!type) return message_wrong(err, index, "has a content part without a 'type'");
    if (strcmp(type, "image_url") == 0) return add_picture(chat, part, index, err);
    if (strcmp(type, "text") != 0) {
        return error_set_param(err, ERR_NOT_SUPPORTED, "messages",
                               "messages[%zu] has a content part of type '%.40s'; this engine "
                               "reads text and images. Leave audio and files out.",
                               index, type);
    }
    return yyjson_is_str(yyjson_obj_get(part, "text")) ||
           message_wrong(err, index, "has a text part whose 'text' is not a string");
}

static bool check_parts(struct request_chat *chat, yyjson_val *parts, size_t index,
                        struct error *err) {
    yyjson_arr_iter iter = yyjson_arr_iter_with(parts);
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&iter));) {
        if (!check_part(chat, part, index, err)) return false;
    }
    return true;
}

static bool check_message(struct request_chat *chat, yyjson_val *message, size_t index,
                          struct error *err) {
    if (!yyjson_is_obj(message)) return message_wrong(err, index, "is not an object");
    if (!yyjson_is_str(yyjson_obj_get(message, "role"))) {
        return message_wrong(err, index, "has no 'role'");
    }
    yyjson_val *content = yyjson_obj_get(message, "content");
    if (yyjson_is_arr(content)) return check_parts(chat, content, index, err);
    if (yyjson_is_str(content) || yyjson_is_null(content)) return true;
    if (content)
        return message_wrong(err, index, "has a 'content' that is not a string or an array");
    if (yyjson_is_arr(yyjson_obj_get(message, "tool_calls"))) return true;
    return message_wrong(err, index, "has neither 'content' nor 'tool_calls'");
}

static bool read_messages(struct request_chat *chat, yyjson_val *root, struct error *err) {
    yyjson_val *messages = NULL;
    if (!json_read_array(root, "messages", &messages, err)) return false;
    if (yyjson_arr_size(messages) == 0) {
        return error_set_param(err, ERR_INVALID_REQUEST, "messages",
                               "'messages' must hold at least one message.");
    }
    yyjson_arr_iter iter = yyjson_arr_iter_with(messages);
    size_t index = 0;
    for (yyjson_val *m; (m = yyjson_arr_iter_next(&iter)); index++) {
        if (!check_message(chat, m, index, err)) return false;
    }
    chat->messages = messages;
    return true;
}

static bool read_tools(struct request_chat *chat, yyjson_val *root, struct error *err) {
    yyjson_val *tools = NULL;
    if (!json_read_array(root, "tools", &tools, err)) return false;
    if (yyjson_arr_size(tools) == 0) return true;
    yyjson_arr_iter iter = yyjson_arr_iter_with(tools);
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&iter));) {
        if (!yyjson_is_str(yyjson_obj_get(yyjson_obj_get(tool, "function"), "name"))) {
            return error_set_param(err, ERR_INVALID_REQUEST, "tools",
                                   "Every tool must be {\"type\":\"function\",\"function\":"
                                   "{\"name\":…}}.");
        }
    }
    chat->tools = tools;
    return true;
}

static bool read_tool_choice(struct request_chat *chat, yyjson_val *root, struct error *err) {
    yyjson_val *choice = yyjson_obj_get(root, "tool_choice");
    if (!choice || yyjson_is_null(choice)) return true;
    const char *word = yyjson_get_str(choice);
    chat->tool_choice = word;
    chat->tool_name = yyjson_get_str(
        yyjson_obj_get(yyjson_obj_get(choice, "function"), "name"));
    bool known = word && (strcmp(word, "auto") == 0 || strcmp(word, "none") == 0 ||
                          strcmp(word, "required") == 0);
    if (known || chat->tool_name) return true;
    return error_set_param(err, ERR_INVALID_REQUEST, "tool_choice",
                           "'tool_choice' must be \"auto\", \"none\", \"required\" or "
                           "{\"type\":\"function\",\"function\":{\"name\":…}}.");
}

/* An empty or absent schema means any object. */
static bool read_schema(struct request_chat *chat, yyjson_val *format, struct error *err) {
    yyjson_val *schema = yyjson_obj_get(yyjson_obj_get(format, "json_schema"), "schema");
    if (!schema) schema = yyjson_obj_get(format, "schema");
    if (schema && !yyjson_is_obj(schema)) {
        return error_set_param(err, ERR_INVALID_REQUEST, "response_format",
                               "The schema in 'response_format' must be an object, not %s.",
                               json_type_phrase(schema));
    }
    if (!values_fit("response_format", schema, err) || !patterns_fit(schema, err)) return false;
    bool empty = yyjson_obj_size(schema) == 0;
    chat->schema = empty ? xstrdup("{\"type\":\"object\"}") : yyjson_val_write(schema, 0, NULL);
    return text_fits("response_format", chat->schema, SCHEMA_MAX, err);
}

static bool read_format(struct request_chat *chat, yyjson_val *root, struct error *err) {
    yyjson_val *format = NULL;
    const char *type = "text";
    if (!json_read_object(root, "response_format", &format, err)) return false;
    if (!json_read_str(format, "type", &type, err)) return false;
    if (strcmp(type, "text") == 0) return true;
    if (strcmp(type, "json_object") == 0 || strcmp(type, "json_schema") == 0) {
        return read_schema(chat, format, err);
    }
    return error_set_param(err, ERR_INVALID_REQUEST, "response_format",
                           "'response_format.type' must be \"text\", \"json_object\" or "
                           "\"json_schema\", not '%.40s'.",
                           type);
}

bool request_read_grammar(struct request_chat *chat, yyjson_val *root, struct error *err) {
    return json_read_str(root, "grammar", &chat->grammar, err) &&
           text_fits("grammar", chat->grammar, MAX_GRAMMAR, err) &&
           nesting_fits(chat->grammar, err);
}

/* 0, 1, or -1 if it is not given. */
static bool read_choice(yyjson_val *root, const char *name, int *ret, struct error *err) {
    bool value = false;
    if (!json_read_bool(root, name, &value, err)) return false;
    *ret = yyjson_is_bool(yyjson_obj_get(root, name)) ? value : -1;
    return true;
}

/* The others are the template's. */
static bool read_kwargs(struct request_chat *chat, yyjson_val *root, struct error *err) {
    if (!json_read_object(root, "chat_template_kwargs", &chat->kwargs, err)) return false;
    yyjson_val *thinking = yyjson_obj_get(chat->kwargs, "enable_thinking");
    return !thinking || yyjson_is_bool(thinking) ||
           error_set_param(err, ERR_INVALID_REQUEST, "chat_template_kwargs",
                           "'chat_template_kwargs.enable_thinking' must be true or false, not "
                           "%s.",
                           json_type_phrase(thinking));
}

/* Dialects refuse them first, in their own words. */
static bool names_a_tool(const struct request_chat *chat, struct error *err) {
    yyjson_val *tool;
    size_t i, count;
    bool required = chat->tool_choice && strcmp(chat->tool_choice, "required") == 0;
    if (!chat->tool_name && !required) return true;
    yyjson_arr_foreach(chat->tools, i, count, tool) {
        yyjson_val *name = yyjson_obj_get(yyjson_obj_get(tool, "function"), "name");
        if (required || yyjson_equals_str(name, chat->tool_name)) return true;
    }
    return error_set_param(err, ERR_INVALID_REQUEST, "tool_choice",
                           "'tool_choice' demands %s%.80s, but 'tools' has none.",
                           required ? "a tool" : "the function ",
                           required ? "" : chat->tool_name);
}

/* The model's own last message, unless it is whole, as one with calls is. */
static bool has_beginning(const struct request_chat *chat) {
    yyjson_val *last = yyjson_arr_get_last(chat->messages);
    yyjson_val *content = yyjson_obj_get(last, "content");
    bool text = (yyjson_is_str(content) && yyjson_get_len(content) > 0) ||
                yyjson_arr_size(content) > 0 ||
                yyjson_get_len(yyjson_obj_get(last, "reasoning_content")) > 0;
    return yyjson_equals_str(yyjson_obj_get(last, "role"), "assistant") && text &&
           yyjson_arr_size(yyjson_obj_get(last, "tool_calls")) == 0;
}

static bool can_continue(const struct request_chat *chat, struct error *err) {
    return chat->continue_final_message <= 0 || has_beginning(chat) ||
           error_set_param(err, ERR_INVALID_REQUEST, "continue_final_message",
                           "'continue_final_message' needs a last message of the assistant "
                           "that has text and no tool calls.");
}

bool request_read_chat(struct request_chat *chat, yyjson_val *root, struct error *err) {
    chat->add_generation_prompt = true;
    chat->reasoning_budget = -1;
    return read_choice(root, "parallel_tool_calls", &chat->parallel_tool_calls, err) &&
           read_choice(root, "continue_final_message", &chat->continue_final_message, err) &&
           read_kwargs(chat, root, err) &&
           json_read_str(root, "reasoning_effort", &chat->reasoning_effort, err) &&
           json_read_int(root, "reasoning_budget", 0, INT32_MAX, &chat->reasoning_budget,
                         err) &&
           request_read_grammar(chat, root, err) &&
           json_read_str(root, "chat_template", &chat->chat_template, err) &&
           json_read_bool(root, "add_generation_prompt", &chat->add_generation_prompt, err) &&
           read_messages(chat, root, err) && can_continue(chat, err) &&
           read_tools(chat, root, err) && read_tool_choice(chat, root, err) &&
           names_a_tool(chat, err) && within_limits(chat, err) && read_format(chat, root, err);
}
