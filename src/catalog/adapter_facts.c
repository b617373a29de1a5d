/* SPDX-License-Identifier: MIT */
#include "catalog/adapter_facts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "catalog/gguf_meta.h"

struct seen {
    char type[32]; /* adapter.type */
    bool odd_alpha, invoked;
};

/* The library takes it for granted that alpha is a float of 32 bits, and aborts. */
static void adapter_on_pair(void *ctx, const char *key, const struct gguf_value *value) {
    struct seen *seen = ctx;
    if (strcmp(key, "adapter.type") == 0 && value->kind == GGUF_TEXT)
        snprintf(seen->type, sizeof seen->type, "%s", value->text);
    else if (strcmp(key, "adapter.lora.alpha") == 0)
        seen->odd_alpha = value->kind != GGUF_REAL || !value->single || !isfinite(value->real);
    else if (strcmp(key, "adapter.alora.invocation_tokens") == 0)
        seen->invoked = true;
}

static bool judge(const struct gguf_meta *meta, const struct seen *seen, struct error *err) {
    if (strcmp(meta->kind, "adapter") != 0) {
        return error_set(err, ERR_LOAD_FAILED,
                         "The file holds no adapter; its general.type is '%s'.", meta->kind);
    }
    if (strcmp(seen->type, "lora") != 0) {
        return error_set(
            err, ERR_LOAD_FAILED,
            "The file holds an adapter of the type '%s'; only 'lora' is supported.",
            seen->type);
    }
    if (seen->invoked) {
        return error_set(err, ERR_LOAD_FAILED,
                         "The file holds an aLoRA adapter, which works from certain tokens on; "
                         "that is not supported, use a plain LoRA adapter.");
    }
    if (seen->odd_alpha) {
        return error_set(err, ERR_LOAD_FAILED,
                         "The file is damaged: its adapter.lora.alpha is no float of 32 bits; "
                         "download it again.");
    }
    return meta->parameters > 0 ||
           error_set(err, ERR_LOAD_FAILED,
                     "The file holds an adapter without weights; make or download it again.");
}

bool adapter_facts_read(const struct gguf_source *source, struct adapter_facts *ret_facts,
                        struct error *err) {
    struct seen seen = { 0 };
    struct gguf_meta meta;
    const struct gguf_visitor visitor = { .on_pair = adapter_on_pair, .ctx = &seen };
    if (!gguf_meta_visit(source, &visitor, &meta, err) || !judge(&meta, &seen, err))
        return false;
    memcpy(ret_facts->architecture, meta.architecture, sizeof ret_facts->architecture);
    return true;
}
