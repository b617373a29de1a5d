/* SPDX-License-Identifier: MIT */
#include "catalog/adapter_facts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "catalog/gguf_meta.h"

struct lora_header {
    struct adapter_facts *facts;
    char type[32]; /* adapter.type */
    bool odd_alpha, invoked;
};

void adapter_facts_clear(struct adapter_facts *facts) {
    free(facts->matrices);
    *facts = (struct adapter_facts){ 0 };
}

static void add_matrix(struct adapter_facts *facts, struct adapter_matrix matrix) {
    bool full = (facts->count & (facts->count - 1)) == 0; /* it doubles */
    if (full) {
        size_t room = facts->count ? 2 * facts->count : 1;
        facts->matrices = xrealloc(facts->matrices, room * sizeof matrix);
    }
    facts->matrices[facts->count++] = matrix;
}

/* Those of the embeddings stand the other way round: the engine looks at them. */
static void adapter_on_tensor(void *ctx, const struct gguf_tensor *tensor) {
    struct lora_header *header = ctx;
    size_t len = strlen(tensor->name), end = strlen(".lora_a");
    if (len <= end || strncmp(tensor->name, "token_embd.", 11) == 0) return;
    bool a = strcmp(tensor->name + len - end, ".lora_a") == 0;
    if (!a && strcmp(tensor->name + len - end, ".lora_b") != 0) return;
    add_matrix(header->facts, (struct adapter_matrix){
                                  .name = hash_add(HASH_BEGIN, tensor->name, len - end),
                                  .size = a ? tensor->columns : tensor->rows,
                                  .rows = !a,
                              });
}

/* The library takes it for granted that alpha is a float of 32 bits, and aborts. */
static void adapter_on_pair(void *ctx, const char *key, const struct gguf_value *value) {
    struct lora_header *header = ctx;
    if (strcmp(key, "adapter.type") == 0 && value->kind == GGUF_TEXT)
        snprintf(header->type, sizeof header->type, "%s", value->text);
    else if (strcmp(key, "adapter.lora.alpha") == 0)
        header->odd_alpha = value->kind != GGUF_REAL || !value->single ||
                            !isfinite(value->real);
    else if (strcmp(key, "adapter.alora.invocation_tokens") == 0)
        header->invoked = true;
}

static bool judge(const struct gguf_meta *meta, const struct lora_header *header,
                  struct error *err) {
    if (strcmp(meta->kind, "adapter") != 0) {
        return error_set(err, ERR_LOAD_FAILED,
                         "The file holds no adapter; its general.type is '%s'.", meta->kind);
    }
    if (strcmp(header->type, "lora") != 0) {
        return error_set(
            err, ERR_LOAD_FAILED,
            "The file holds an adapter of the type '%s'; only 'lora' is supported.",
            header->type);
    }
    if (header->invoked) {
        return error_set(err, ERR_LOAD_FAILED,
                         "The file holds an aLoRA adapter, which works from certain tokens on; "
                         "that is not supported, use a plain LoRA adapter.");
    }
    if (header->odd_alpha) {
        return error_set(err, ERR_LOAD_FAILED,
                         "The file is damaged: its adapter.lora.alpha is not a 32-bit float; "
                         "download it again.");
    }
    return meta->parameters > 0 ||
           error_set(err, ERR_LOAD_FAILED,
                     "The file holds an adapter without weights; make or download it again.");
}

static int by_name(const void *a, const void *b) {
    const struct adapter_matrix *x = a, *y = b;
    if (x->name != y->name) return x->name > y->name ? 1 : -1;
    return (int)x->rows - (int)y->rows;
}

bool adapter_facts_read(const struct gguf_source *source, struct adapter_facts *ret_facts,
                        struct error *err) {
    struct lora_header header = { .facts = ret_facts };
    struct gguf_meta meta;
    const struct gguf_visitor visitor = { .on_pair = adapter_on_pair,
                                          .on_tensor = adapter_on_tensor,
                                          .ctx = &header };
    *ret_facts = (struct adapter_facts){ 0 };
    if (!gguf_meta_visit(source, &visitor, &meta, err) || !judge(&meta, &header, err))
        return false;
    memcpy(ret_facts->architecture, meta.architecture, sizeof ret_facts->architecture);
    if (ret_facts->count > 0)
        qsort(ret_facts->matrices, ret_facts->count, sizeof *ret_facts->matrices, by_name);
    return true;
}

struct comparison {
    const struct adapter_facts *facts;
    struct error misfit; /* ERR_NONE: none so far */
};

static void compare(struct comparison *c, const struct adapter_matrix *matrix,
                    const struct gguf_tensor *tensor) {
    uint64_t has = matrix->rows ? tensor->rows : tensor->columns;
    if (has == matrix->size) return;
    error_set(&c->misfit, ERR_LOAD_FAILED,
              "it is for a model of another shape: for '%.60s' it needs %" PRIu64
              " %s, and the model has %" PRIu64,
              tensor->name, matrix->size, matrix->rows ? "rows" : "columns", has);
}

static void model_on_tensor(void *ctx, const struct gguf_tensor *tensor) {
    struct comparison *c = ctx;
    const struct adapter_facts *facts = c->facts;
    uint64_t name = hash_add(HASH_BEGIN, tensor->name, strlen(tensor->name));
    size_t low = 0, high = facts->count;
    if (c->misfit.code != ERR_NONE) return;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (facts->matrices[middle].name < name)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < facts->count && facts->matrices[low].name == name; low++)
        compare(c, &facts->matrices[low], tensor);
}

bool adapter_facts_fit(const struct adapter_facts *facts, const struct gguf_source *model,
                       struct error *err) {
    struct comparison c = { .facts = facts };
    struct gguf_meta meta;
    struct error unreadable; /* the load of the model will say so */
    const struct gguf_visitor visitor = { .on_tensor = model_on_tensor, .ctx = &c };
    (void)gguf_meta_visit(model, &visitor, &meta, &unreadable);
    if (c.misfit.code == ERR_NONE) return true;
    *err = c.misfit;
    return false;
}
