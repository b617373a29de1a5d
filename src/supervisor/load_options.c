/* SPDX-License-Identifier: MIT */
/* load_options.c - what a load asks for, copied from its request. */
#include "base/xalloc.h"
#include "supervisor/internal.h"

void supervisor_read_options(const struct load_request *request,
                             struct load_options *ret_options) {
    *ret_options = (struct load_options){
        .model = request->model ? xstrdup(request->model) : NULL,
        .identifier = request->identifier ? xstrdup(request->identifier) : NULL,
        .ttl = request->ttl,
        .requested = request->settings,
        .keep = request->keep,
        .force = request->force,
        .allowed = request->allowed ? allowed_models_copy(request->allowed)
                                    : (struct allowed_models){ 0 },
    };
    ret_options->requested.chat_template = NULL;
    ret_options->requested.reasoning_ending = NULL;
    ret_options->requested.adapters = (struct load_adapters)LOAD_ADAPTERS_UNSET;
}

static bool settings_have_text(const struct load_settings *s, const char *text) {
    for (int64_t i = 0; i < s->adapters.count; i++) {
        if (s->adapters.list[i].path == text) return true;
    }
    return s->chat_template == text || s->reasoning_ending == text;
}

static bool call_has_text(const struct call *call, void *ctx) {
    if (call->kind == CALL_ESTIMATE)
        return settings_have_text(&call->estimate.options.requested, ctx);
    return call_load_sink(call) && settings_have_text(&call->load.options.requested, ctx);
}

static bool is_text_used(void *ctx, char *text) {
    const struct supervisor *sup = ctx;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct instance *in = &sup->instances[i];
        if (!in->identifier) continue;
        if (settings_have_text(&in->requested, text)) return true;
        if (settings_have_text(&in->effective, text)) return true;
    }
    return calls_any(sup->calls, call_has_text, text);
}

static bool intern(struct supervisor *sup, const char *what, const char *text,
                   const char **ret_kept, struct error *err) {
    const char *kept = text;
    if (!load_texts_intern(&sup->texts, what, is_text_used, sup, &kept, err)) return false;
    *ret_kept = kept;
    return true;
}

/* One after the other, so that those kept already count as used. */
bool supervisor_keep_adapters(struct supervisor *sup, struct load_adapters *adapters,
                              struct error *err) {
    for (int64_t i = 0; i < adapters->count; i++) {
        const char **path = &adapters->list[i].path;
        if (intern(sup, "The path of an adapter", *path, path, err)) continue;
        *adapters = (struct load_adapters)LOAD_ADAPTERS_UNSET;
        return false;
    }
    return true;
}

bool supervisor_keep_texts(struct supervisor *sup, const struct load_request *request,
                           struct load_settings *requested, struct error *err) {
    requested->adapters = request->settings.adapters;
    return supervisor_keep_adapters(sup, &requested->adapters, err) &&
           intern(sup, "A prompt template", request->settings.chat_template,
                  &requested->chat_template, err) &&
           intern(sup, "'reasoningBudgetMessage'", request->settings.reasoning_ending,
                  &requested->reasoning_ending, err);
}
