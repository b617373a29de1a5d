/* SPDX-License-Identifier: MIT */
/* Bodies of LM Studio v1's load, unload and update: NAME.request.json must become
 * NAME.neutral.json, what was understood or the refusal. */
#include <stdlib.h>
#include <string.h>

#include "api/lmstudio_rest/v1.h"
#include "api/lmstudio_rest/v1_chat.h"
#include "cmocka_prelude.h"
#include "golden.h"

static void add_ttl(struct buf *out, struct ttl ttl) {
    if (!ttl.given) {
        buf_add_str(out, "ttl: not given\n");
    } else if (ttl.value == MSEC_NEVER) {
        buf_add_str(out, "ttl: never\n");
    } else {
        buf_addf(out, "ttl: %lld ms\n", (long long)ttl.value);
    }
}

static bool load_describe(const char *body, size_t len, struct buf *out, struct error *err) {
    struct load_request load;
    bool echo = false;
    yyjson_doc *doc = NULL;
    if (!lmstudio_v1_parse_load(body, len, &load, &echo, &doc, err)) return false;
    buf_addf(out, "model: %s\nidentifier: %s\n", load.model,
             load.identifier ? load.identifier : "by default");
    add_ttl(out, load.ttl);
    buf_addf(out, "context_length: %lld\n", (long long)load.settings.context_length);
    buf_addf(out, "eval_batch_size: %lld\n", (long long)load.settings.eval_batch_size);
    buf_addf(out, "parallel: %lld\n", (long long)load.settings.parallel);
    buf_addf(out, "num_experts: %lld\n", (long long)load.settings.num_experts);
    buf_addf(out, "flash_attention: %d\n", load.settings.flash_attention);
    buf_addf(out, "offload_kv_cache_to_gpu: %d\n", load.settings.offload_kv_cache_to_gpu);
    buf_addf(out, "gpu_layers: %lld\n", (long long)load.settings.gpu_layers);
    if (load.settings.rope_frequency_base > 0 || load.settings.rope_frequency_scale > 0)
        buf_addf(out, "rope: %g %g\n", load.settings.rope_frequency_base,
                 load.settings.rope_frequency_scale);
    buf_addf(out, "keep: %d\nforce: %d\necho: %d\n", load.keep, load.force, echo);
    yyjson_doc_free(doc);
    return true;
}

static bool unload_describe(const char *body, size_t len, struct buf *out, struct error *err) {
    char *id = NULL;
    if (!lmstudio_v1_parse_unload(body, len, &id, err)) return false;
    buf_addf(out, "instance_id: %s\nanswer: ", id);
    lmstudio_v1_format_unload(id, out);
    buf_add_str(out, "\n");
    free(id);
    return true;
}

static bool prefetch_describe(const char *body, size_t len, struct buf *out,
                              struct error *err) {
    char *model = NULL;
    if (!lmstudio_v1_parse_prefetch(body, len, &model, err)) return false;
    const struct prefetch_result read = { model, 397805248, false };
    const struct prefetch_result loaded = { model, 397805248, true };
    buf_addf(out, "model: %s\nread: ", model);
    lmstudio_v1_format_prefetch(&read, out);
    buf_add_str(out, "\nloaded: ");
    lmstudio_v1_format_prefetch(&loaded, out);
    buf_add_str(out, "\n");
    free(model);
    return true;
}

static bool form_describe(const char *body, size_t len, struct buf *out, struct error *err) {
    return lmstudio_v1_chat_form(body, len, out, err) && buf_add_str(out, "\n");
}

static bool update_describe(const char *body, size_t len, struct buf *out, struct error *err) {
    struct instance_change change;
    if (!lmstudio_v1_parse_update(body, len, &change, err)) return false;
    add_ttl(out, change.ttl);
    buf_addf(out, "origin: %s\n",
             change.sets_origin ? instance_origin_name(change.origin) : "not given");
    return true;
}

struct action {
    const char *word;
    bool (*describe)(const char *body, size_t len, struct buf *out, struct error *err);
};
static const struct action actions[] = {
    { "load-", load_describe },     { "unload-", unload_describe },
    { "update-", update_describe }, { "prefetch-", prefetch_describe },
    { "form-", form_describe },
};

static void run(const struct golden_case *c) {
    const char *name = strchr(c->name, '/') + 1;
    struct buf body, out = BUF_INIT(1 << 16);
    struct error err = { 0 };
    const struct action *action = NULL;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strncmp(name, actions[i].word, strlen(actions[i].word)) == 0) action = &actions[i];
    }
    if (!action) {
        fail_msg("%s: the name must begin with load-, unload-, update-, prefetch- or form-",
                 c->name);
        return;
    }
    assert_true(golden_read(c, ".request.json", &body));
    if (!action->describe(buf_str(&body), body.len, &out, &err)) {
        assert_int_equal(out.len, 0);
        buf_addf(&out, "refused: %d %s\nparam: %s\n%s\n", error_status(err.code),
                 error_name(err.code), err.param, err.text);
    }
    golden_check(c, ".neutral.txt", &out);
    buf_clear(&body);
    buf_clear(&out);
}

int main(void) {
    return golden_run("lmstudio-v1", ".request.json", run) != 0;
}
