/* SPDX-License-Identifier: MIT */
#include "engine/chat_templates.h"

#include <exception>
#include <memory>

#include "engine/shim_error.h"

static bool thinks(const common_chat_templates *all) {
    try {
        return common_chat_templates_support_enable_thinking(all);
    } catch (const std::exception &) {
        return false; /* it refuses even one line; a request will be told why */
    }
}

struct chat_templates *chat_templates_new(const struct llama_model *model, const char *override,
                                          struct error *err) {
    try {
        auto t = std::make_unique<chat_templates>();
        t->model = model;
        t->all = common_chat_templates_init(model, override ? override : "");
        t->vocab = llama_model_get_vocab(model);
        auto caps = common_chat_templates_get_caps(t->all.get());
        t->caps.explicit_template = override ||
                                    common_chat_templates_was_explicit(t->all.get());
        t->caps.tool_use = caps["supports_tools"] && caps["supports_tool_calls"];
        t->caps.reasoning = thinks(t->all.get());
        t->parallel_calls = caps["supports_parallel_tool_calls"];
        return t.release();
    } catch (const std::exception &e) {
        shim_error(err, ERR_LOAD_FAILED, "The chat template cannot be parsed", e);
        return nullptr;
    }
}

bool chat_templates_can_parse(const char *text, struct error *err) {
    try {
        (void)common_chat_templates_init(nullptr, text);
        return true;
    } catch (const std::exception &e) {
        shim_error(err, ERR_INVALID_REQUEST, "The chat template cannot be parsed", e);
        return false;
    }
}

void chat_templates_free(struct chat_templates *templates) {
    delete templates;
}

struct chat_caps chat_templates_caps(const struct chat_templates *templates) {
    return templates->caps;
}
