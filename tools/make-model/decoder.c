/* SPDX-License-Identifier: MIT */
#include "decoder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum { TEMPLATE_MAX = 1 << 20 };

static const char chatml[] =
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}";

static enum ggml_type type_of(const char *word) {
    static const enum ggml_type types[] = { GGML_TYPE_F16, GGML_TYPE_F32, GGML_TYPE_Q8_0,
                                            GGML_TYPE_Q4_0 };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(ggml_type_name(types[i]), word) == 0) return types[i];
    return GGML_TYPE_F16;
}

static int64_t given_or(int64_t given, int64_t base) {
    return given ? given : base;
}

bool decoder_shape(const struct decoder_options *options, const struct shape *base,
                   int64_t vocab, struct shape *ret_shape, struct error *err) {
    struct shape shape = *base;

    if (options->arch) shape.arch = options->arch;
    if (options->type) shape.type = type_of(options->type);
    if (options->size && !shape_for_size(&shape, options->size, vocab, err)) return false;
    shape.layers = given_or(options->layers, shape.layers);
    shape.embd = given_or(options->embd, shape.embd);
    shape.heads = given_or(options->heads, shape.heads);
    shape.kv_heads = given_or(options->kv_heads, shape.kv_heads);
    shape.ff = given_or(options->ff, shape.ff);
    shape.context = given_or(options->context, shape.context);
    if (strcmp(shape.arch, "gemma3") == 0) shape.window = given_or(options->window, 512);
    if (!shape_check(&shape, err)) return false;
    *ret_shape = shape;
    return true;
}

char *read_text_file(const char *path, size_t max, struct error *err) {
    FILE *in = fopen(path, "rb");
    char *text = NULL;
    size_t len;

    if (!in) {
        (void)error_set(err, ERR_IO, "cannot read %s: %s", path, strerror(errno));
        return NULL;
    }
    text = xcalloc(max + 2, 1);
    len = fread(text, 1, max + 1, in);
    if (ferror(in) || len > max || strlen(text) != len) {
        (void)error_set(err, ERR_IO, "%s is not a text of at most %zu bytes", path, max);
        free(text);
        text = NULL;
    }
    (void)fclose(in);
    return text;
}

char *decoder_template(const struct decoder_options *options, struct error *err) {
    if (!options->chat_template) return xstrdup(chatml);
    return read_text_file(options->chat_template, TEMPLATE_MAX, err);
}
