/* SPDX-License-Identifier: MIT */
#include "api/responses/item.h"

#include <stdlib.h>

#include "api/responses/translate.h"
#include "base/json.h"
#include "base/xalloc.h"

static const char *const types[] = { [ITEM_NONE] = "",
                                     [ITEM_REASONING] = "reasoning",
                                     [ITEM_MESSAGE] = "message",
                                     [ITEM_CALL] = "function_call",
                                     [ITEM_CUSTOM] = "custom_tool_call" };
static const char *const id_prefixes[] = { [ITEM_NONE] = "",
                                           [ITEM_REASONING] = "rs",
                                           [ITEM_MESSAGE] = "msg",
                                           [ITEM_CALL] = "fc",
                                           [ITEM_CUSTOM] = "ctc" };

struct item item_new(enum item_kind kind, const char *response_id, int place) {
    return (struct item){ .kind = kind,
                          .id = xasprintf("%s_%s_%d", id_prefixes[kind], response_id, place),
                          .text = BUF_INIT(ITEM_TEXT_MAX) };
}

struct item item_new_call(const char *response_id, int place, int call,
                          const char *tool_call_id, const char *name, yyjson_mut_val *tools) {
    const char *space = NULL;
    yyjson_mut_val *tool = name ? responses_find_tool(tools, name, &space) : NULL;
    bool custom = yyjson_mut_equals_str(yyjson_mut_obj_get(tool, "type"), "custom");
    struct item item = item_new(custom ? ITEM_CUSTOM : ITEM_CALL, response_id, place);
    item.call = call;
    item.call_id = tool_call_id && *tool_call_id ? xstrdup(tool_call_id)
                                                 : xasprintf("call_%s_%d", response_id, call);
    item.name = xstrdup(name ? name : "");
    item.space = space;
    return item;
}

void item_clear(struct item *item) {
    free(item->id);
    free(item->call_id);
    free(item->name);
    buf_clear(&item->text);
    yyjson_mut_doc_free(item->logprobs);
    *item = (struct item){ 0 };
}

bool item_keep_logprobs(struct item *item, yyjson_val *entries) {
    yyjson_val *entry;
    yyjson_mut_val *list;
    size_t i, count;
    if (!item->logprobs) item->logprobs = json_array_new(&list);
    list = yyjson_mut_doc_get_root(item->logprobs);
    if (yyjson_mut_arr_size(list) + yyjson_arr_size(entries) > ITEM_LOGPROBS_MAX) return false;
    yyjson_arr_foreach(entries, i, count, entry) {
        yyjson_mut_val *kept = yyjson_val_mut_copy(item->logprobs, entry);
        yyjson_mut_arr_append(list, kept);
        item->logprobs_held += json_cost(kept);
    }
    return true;
}

yyjson_mut_val *item_format_logprobs(const struct item *item, yyjson_mut_doc *doc) {
    if (!item->logprobs) return yyjson_mut_arr(doc);
    return yyjson_mut_val_mut_copy(doc, yyjson_mut_doc_get_root(item->logprobs));
}

void item_text(const struct item *item, struct buf *out) {
    struct error ignored;
    yyjson_doc *doc = item->kind == ITEM_CUSTOM
                          ? json_parse_object(item->text.data, item->text.len, &ignored)
                          : NULL;
    const char *input = json_find_str(yyjson_doc_get_root(doc), "input");
    (void)buf_add_str(out, input ? input : buf_str(&item->text));
    yyjson_doc_free(doc);
}

yyjson_mut_val *item_format_part(const struct item *item, yyjson_mut_doc *doc,
                                 enum item_stage stage) {
    bool message = item->kind == ITEM_MESSAGE;
    yyjson_mut_val *part = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, part, "type", message ? "output_text" : "reasoning_text");
    yyjson_mut_obj_add_strcpy(doc, part, "text",
                              stage == ITEM_COMPLETE ? buf_str(&item->text) : "");
    if (message) {
        yyjson_mut_obj_add_arr(doc, part, "annotations");
        yyjson_mut_obj_add_val(doc, part, "logprobs",
                               stage == ITEM_COMPLETE ? item_format_logprobs(item, doc)
                                                      : yyjson_mut_arr(doc));
    }
    return part;
}

static void add_said(const struct item *item, yyjson_mut_doc *doc, yyjson_mut_val *out,
                     enum item_stage stage) {
    if (item->kind == ITEM_MESSAGE) {
        yyjson_mut_obj_add_str(doc, out, "role", "assistant");
    } else {
        yyjson_mut_obj_add_arr(doc, out, "summary");
        yyjson_mut_obj_add_null(doc, out, "encrypted_content");
    }
    yyjson_mut_val *content = yyjson_mut_obj_add_arr(doc, out, "content");
    if (stage == ITEM_COMPLETE)
        yyjson_mut_arr_append(content, item_format_part(item, doc, stage));
}

static void add_called(const struct item *item, yyjson_mut_doc *doc, yyjson_mut_val *out,
                       enum item_stage stage) {
    struct buf text = BUF_INIT(ITEM_TEXT_MAX);
    if (stage == ITEM_COMPLETE) item_text(item, &text);
    yyjson_mut_obj_add_strcpy(doc, out, "call_id", item->call_id);
    yyjson_mut_obj_add_strcpy(doc, out, "name", item->name);
    if (item->space) yyjson_mut_obj_add_strcpy(doc, out, "namespace", item->space);
    yyjson_mut_obj_add_strcpy(doc, out, item->kind == ITEM_CUSTOM ? "input" : "arguments",
                              buf_str(&text));
    buf_clear(&text);
}

yyjson_mut_val *item_format(const struct item *item, yyjson_mut_doc *doc,
                            enum item_stage stage) {
    yyjson_mut_val *out = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_strcpy(doc, out, "id", item->id);
    yyjson_mut_obj_add_str(doc, out, "type", types[item->kind]);
    yyjson_mut_obj_add_str(doc, out, "status",
                           stage == ITEM_COMPLETE ? "completed" : "in_progress");
    if (item->kind == ITEM_MESSAGE || item->kind == ITEM_REASONING) {
        add_said(item, doc, out, stage);
    } else {
        add_called(item, doc, out, stage);
    }
    return out;
}
