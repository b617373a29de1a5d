/* SPDX-License-Identifier: MIT */
/* Bodies of load, unload and update. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "api/lmstudio_rest/v1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_load(const char *body, size_t len) {
    struct load_request load;
    struct error err = { 0 };
    yyjson_doc *doc = NULL;
    bool echo = false;
    if (!lmstudio_v1_parse_load(body, len, &load, &echo, &doc, &err)) {
        assert(err.text[0]);
        return;
    }
    assert(load.model && *load.model && (!load.identifier || *load.identifier));
    const struct load_settings *s = &load.settings;
    assert(s->context_length >= 0 && s->parallel >= 0 && s->gpu_layers >= -2);
    assert(load.ttl.value >= 0);
    assert(s->adapters.count >= -1 && s->adapters.count <= LOAD_MAX_ADAPTERS);
    for (int64_t i = 0; i < s->adapters.count; i++)
        assert(*s->adapters.list[i].path &&
               s->adapters.list[i].scale <= LOAD_MAX_ADAPTER_SCALE);
    yyjson_doc_free(doc);
}

static void try_unload(const char *body, size_t len) {
    struct error err = { 0 };
    char *id = NULL;
    if (lmstudio_v1_parse_unload(body, len, &id, &err)) {
        assert(!id || *id); /* none: all of them */
    } else {
        assert(err.text[0] && !id);
    }
    free(id);
}

static void try_prefetch(const char *body, size_t len) {
    struct error err = { 0 };
    char *model = NULL;
    if (lmstudio_v1_parse_prefetch(body, len, &model, &err)) {
        assert(model && *model);
    } else {
        assert(err.text[0] && !model);
    }
    free(model);
}

static void try_update(const char *body, size_t len) {
    struct error err = { 0 };
    struct instance_change change = { 0 };
    if (lmstudio_v1_parse_update(body, len, &change, &err)) {
        assert(change.ttl.given || change.sets_origin);
    } else {
        assert(err.text[0]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    try_load((const char *)data, size);
    try_unload((const char *)data, size);
    try_update((const char *)data, size);
    try_prefetch((const char *)data, size);
    return 0;
}
