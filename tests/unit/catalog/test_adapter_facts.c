/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catalog/adapter_facts.h"
#include "gguf_writer.h"

struct sample {
    const char *kind, *type;
    uint32_t alpha_type; /* of gguf.h */
    uint32_t alpha_bits; /* 0: no alpha */
    bool invoked;
    bool hollow; /* without tensors */
};

enum { ONE = 0x3f800000, INFINITE = 0x7f800000, TYPE_F32 = 0, FLOAT64 = 12 };

static bool read_memory(void *ctx, uint64_t offset, void *bytes, size_t len) {
    const struct buf *all = ctx;
    if (offset > all->len || len > all->len - offset) return false;
    memcpy(bytes, all->data + offset, len);
    return true;
}

static void put_adapter(struct buf *out, const struct sample *s) {
    int pairs = 1 + (s->kind != NULL) + (s->type != NULL) + (s->alpha_bits != 0) + s->invoked;
    put_header(out, !s->hollow, (uint64_t)pairs);
    put_text_pair(out, "general.architecture", "llama");
    if (s->kind) put_text_pair(out, "general.type", s->kind);
    if (s->type) put_text_pair(out, "adapter.type", s->type);
    if (s->alpha_bits) {
        put_string(out, "adapter.lora.alpha");
        put_u32(out, s->alpha_type);
        put_u32(out, s->alpha_bits);
        if (s->alpha_type == FLOAT64) put_u32(out, ONE);
    }
    if (s->invoked) {
        put_string(out, "adapter.alora.invocation_tokens");
        put_u32(out, W_ARRAY);
        put_u32(out, W_UINT32);
        put_u64(out, 1);
        put_u32(out, 7);
    }
    if (s->hollow) return;
    put_tensor(out, "blk.0.attn_q.weight.lora_a", 8, 2, TYPE_F32, 0);
    put_data(out, 8 * 2 * 4);
}

static bool read_facts(const struct sample *s, struct adapter_facts *facts, struct error *err) {
    struct buf bytes = BUF_INIT(1 << 12);
    put_adapter(&bytes, s);
    struct gguf_source source = { read_memory, &bytes, bytes.len };
    *err = (struct error){ 0 };
    bool ok = adapter_facts_read(&source, facts, err);
    adapter_facts_clear(&(struct adapter_facts){ .matrices = facts->matrices });
    buf_clear(&bytes);
    return ok;
}

static void test_a_lora_adapter_names_its_architecture(void **state) {
    (void)state;
    const struct sample samples[] = { { "adapter", "lora", W_FLOAT32, ONE, false, false },
                                      { "adapter", "lora", 0, 0, false, false } };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct adapter_facts facts;
        struct error err;
        assert_true(read_facts(&samples[i], &facts, &err));
        assert_string_equal(facts.architecture, "llama");
    }
}

static void test_what_cannot_be_applied_is_refused_for_its_reason(void **state) {
    (void)state;
    static const struct {
        struct sample sample;
        const char *part;
    } cases[] = {
        { { "model", "lora", W_FLOAT32, ONE, false, false }, "its general.type is 'model'" },
        { { NULL, NULL, 0, 0, false, false }, "its general.type is ''" },
        { { "adapter", "ia3", W_FLOAT32, ONE, false, false }, "of the type 'ia3'" },
        { { "adapter", NULL, W_FLOAT32, ONE, false, false }, "of the type ''" },
        { { "adapter", "lora", W_UINT32, 16, false, false }, "alpha is not a 32-bit float" },
        { { "adapter", "lora", W_FLOAT32, INFINITE, false, false },
          "alpha is not a 32-bit float" },
        { { "adapter", "lora", FLOAT64, ONE, false, false }, "alpha is not a 32-bit float" },
        { { "adapter", "lora", W_FLOAT32, ONE, true, false }, "aLoRA" },
        { { "adapter", "lora", W_FLOAT32, ONE, false, true }, "without weights" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct adapter_facts facts;
        struct error err;
        assert_false(read_facts(&cases[i].sample, &facts, &err));
        assert_int_equal(err.code, ERR_LOAD_FAILED);
        if (!strstr(err.text, cases[i].part))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].part);
    }
}

static void test_a_header_that_is_cut_is_no_adapter(void **state) {
    (void)state;
    const struct sample whole = { "adapter", "lora", W_FLOAT32, ONE, false, false };
    struct buf bytes = BUF_INIT(1 << 12);
    put_adapter(&bytes, &whole);
    for (size_t len = 0; len < bytes.len; len++) {
        struct buf cut = { .data = bytes.data, .len = len };
        struct gguf_source source = { read_memory, &cut, len };
        struct adapter_facts facts;
        struct error err = { 0 };
        assert_false(adapter_facts_read(&source, &facts, &err));
        adapter_facts_clear(&facts);
        assert_true(err.text[0] != '\0');
    }
    buf_clear(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_lora_adapter_names_its_architecture),
        cmocka_unit_test(test_what_cannot_be_applied_is_refused_for_its_reason),
        cmocka_unit_test(test_a_header_that_is_cut_is_no_adapter),
    };
    return cmocka_run_group_tests_name("adapter_facts", tests, NULL, NULL);
}
