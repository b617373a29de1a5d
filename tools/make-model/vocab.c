/* SPDX-License-Identifier: MIT */
#include "vocab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Tokens that end an assistant's turn in common chat templates, in order of preference. */
static const char *const end_markers[] = {
    "<|im_end|>", "<|eot_id|>", "<|end_of_turn|>",
    "<|eom_id|>", "<|end|>",    "<|END_OF_TURN_TOKEN|>"
};

static size_t vocab_add(struct vocab *vocab, const char *text, enum token_kind kind) {
    size_t id = vocab->count++;

    vocab->tokens = xrealloc(vocab->tokens, vocab->count * sizeof *vocab->tokens);
    vocab->kinds = xrealloc(vocab->kinds, vocab->count * sizeof *vocab->kinds);
    vocab->tokens[id] = xstrdup(text);
    vocab->kinds[id] = (int32_t)kind;
    return id;
}

int64_t vocab_find(const struct vocab *vocab, const char *text) {
    for (size_t i = 0; i < vocab->count; i++)
        if (strcmp(vocab->tokens[i], text) == 0) return (int64_t)i;
    return -1;
}

/* GPT-2's printable stand-ins: the character that a byte is written as in a BPE vocabulary.
 * Appends its UTF-8 to out and gives the length. */
static size_t stand_in(unsigned char byte, char *out) {
    unsigned code = byte;

    if (byte < 33) {
        code = 256u + byte;
    } else if (byte >= 127 && byte <= 160) {
        code = 256u + 33u + (byte - 127u);
    } else if (byte == 173) {
        code = 256u + 67u;
    }
    if (code < 128) {
        out[0] = (char)code;
        return 1;
    }
    out[0] = (char)(0xc0 | (code >> 6));
    out[1] = (char)(0x80 | (code & 0x3f));
    return 2;
}

size_t vocab_add_piece(struct vocab *vocab, const char *bytes, size_t len) {
    char *text = xcalloc(2 * len + 1, 1);
    size_t used = 0;
    size_t id;

    for (size_t i = 0; i < len; i++) used += stand_in((unsigned char)bytes[i], text + used);
    id = vocab_add(vocab, text, TOKEN_NORMAL);
    free(text);
    return id;
}

/* Every <|word|> of the template becomes a control token. */
static void add_markers(struct vocab *vocab, const char *chat_template) {
    const char *at = chat_template;

    while ((at = strstr(at, "<|"))) {
        size_t len = strcspn(at + 2, "|<> \n\"'{}");

        if (len && strncmp(at + 2 + len, "|>", 2) == 0) {
            char *marker = xstrndup(at, len + 4);
            if (vocab_find(vocab, marker) < 0) vocab_add(vocab, marker, TOKEN_CONTROL);
            free(marker);
        }
        at += 2;
    }
}

void vocab_init_bytes(struct vocab *vocab, const char *chat_template) {
    static const char *const chatml[] = { "<|endoftext|>", "<|im_start|>", "<|im_end|>" };
    size_t i;

    *vocab = (struct vocab){ .end = -1 };
    for (int byte = 0; byte < VOCAB_BYTES; byte++)
        vocab_add_piece(vocab, &(char){ (char)byte }, 1);
    for (i = 0; i < sizeof chatml / sizeof *chatml; i++)
        vocab_add(vocab, chatml[i], TOKEN_CONTROL);
    if (chat_template) add_markers(vocab, chat_template);
    for (i = 0; vocab->end < 0 && i < sizeof end_markers / sizeof *end_markers; i++)
        if (!chat_template || strstr(chat_template, end_markers[i]))
            vocab->end = vocab_find(vocab, end_markers[i]);
    if (vocab->end < 0) vocab->end = VOCAB_BYTES; /* <|endoftext|> */
}

static void add_word_part(struct vocab *vocab, const char *text) {
    char start[16];

    (void)snprintf(start, sizeof start, "\xe2\x96\x81%s", text);
    vocab_add(vocab, start, TOKEN_NORMAL);
    vocab_add(vocab, text, TOKEN_NORMAL);
}

void vocab_init_wordpiece(struct vocab *vocab) {
    *vocab = (struct vocab){ .end = -1 };
    vocab_add(vocab, "[PAD]", TOKEN_CONTROL);
    vocab_add(vocab, "[UNK]", TOKEN_UNKNOWN);
    vocab_add(vocab, "[CLS]", TOKEN_CONTROL);
    vocab_add(vocab, "[SEP]", TOKEN_CONTROL);
    vocab_add(vocab, "[MASK]", TOKEN_CONTROL);
    for (char c = '!'; c <= '~'; c++) add_word_part(vocab, (char[]){ c, '\0' });
    for (char a = 'a'; a <= 'z'; a++)
        for (char b = 'a'; b <= 'z'; b++) add_word_part(vocab, (char[]){ a, b, '\0' });
}

void vocab_clear(struct vocab *vocab) {
    for (size_t i = 0; i < vocab->count; i++) free(vocab->tokens[i]);
    free(vocab->tokens);
    free(vocab->kinds);
    *vocab = (struct vocab){ .end = -1 };
}

static void store_tokens(const struct vocab *vocab, struct gguf_file *file) {
    gguf_set_arr_str(file->meta, "tokenizer.ggml.tokens", (const char **)vocab->tokens,
                     vocab->count);
    gguf_set_arr_data(file->meta, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, vocab->kinds,
                      vocab->count);
}

void vocab_store_bytes(const struct vocab *vocab, struct gguf_file *file) {
    struct gguf_context *meta = file->meta;

    gguf_set_val_str(meta, "tokenizer.ggml.model", "gpt2");
    gguf_set_val_str(meta, "tokenizer.ggml.pre", "gpt-2");
    store_tokens(vocab, file);
    gguf_set_arr_str(meta, "tokenizer.ggml.merges", (const char *[]){ "" }, 0);
    gguf_set_val_u32(meta, "tokenizer.ggml.bos_token_id", VOCAB_BYTES);
    gguf_set_val_u32(meta, "tokenizer.ggml.padding_token_id", VOCAB_BYTES);
    gguf_set_val_u32(meta, "tokenizer.ggml.eos_token_id", (uint32_t)vocab->end);
    gguf_set_val_bool(meta, "tokenizer.ggml.add_bos_token", false);
}

void vocab_store_wordpiece(const struct vocab *vocab, struct gguf_file *file) {
    struct gguf_context *meta = file->meta;

    gguf_set_val_str(meta, "tokenizer.ggml.model", "bert");
    store_tokens(vocab, file);
    gguf_set_val_u32(meta, "tokenizer.ggml.padding_token_id", 0);
    gguf_set_val_u32(meta, "tokenizer.ggml.unknown_token_id", 1);
    gguf_set_val_u32(meta, "tokenizer.ggml.bos_token_id", 2);
    gguf_set_val_u32(meta, "tokenizer.ggml.cls_token_id", 2);
    gguf_set_val_u32(meta, "tokenizer.ggml.eos_token_id", 3);
    gguf_set_val_u32(meta, "tokenizer.ggml.seperator_token_id",
                     3); /* spelled so by llama.cpp */
    gguf_set_val_u32(meta, "tokenizer.ggml.mask_token_id", 4);
    gguf_set_val_u32(meta, "tokenizer.ggml.token_type_count", 2);
}

static void keep_tokenizer_keys(struct gguf_context *source) {
    static const char prefix[] = "tokenizer.";

    for (int64_t i = gguf_get_n_kv(source) - 1; i >= 0; i--) {
        char *key = xstrdup(gguf_get_key(source, i)); /* removing frees the original */

        if (strncmp(key, prefix, sizeof prefix - 1) != 0) (void)gguf_remove_key(source, key);
        free(key);
    }
}

static void read_tokens(const struct gguf_context *source, int64_t tokens,
                        struct vocab *vocab) {
    int64_t kinds = gguf_find_key(source, "tokenizer.ggml.token_type");
    int64_t end = gguf_find_key(source, "tokenizer.ggml.eos_token_id");
    size_t count = gguf_get_arr_n(source, tokens);
    const int32_t *kind = kinds < 0 ? NULL : gguf_get_arr_data(source, kinds);

    *vocab = (struct vocab){ .end = end < 0 ? -1 : (int64_t)gguf_get_val_u32(source, end) };
    vocab->tokens = xcalloc(count, sizeof *vocab->tokens);
    vocab->kinds = xcalloc(count, sizeof *vocab->kinds);
    vocab->count = count;
    for (size_t i = 0; i < count; i++) {
        vocab->tokens[i] = xstrdup(gguf_get_arr_str(source, tokens, i));
        vocab->kinds[i] = kind ? kind[i] : TOKEN_NORMAL;
    }
}

bool vocab_copy(const char *path, struct gguf_file *file, struct vocab *ret_vocab,
                struct error *err) {
    struct gguf_init_params params = { .no_alloc = true };
    struct gguf_context *source = gguf_init_from_file(path, params);
    int64_t tokens;

    if (!source) return error_set(err, ERR_IO, "%s is not a readable GGUF file", path);
    tokens = gguf_find_key(source, "tokenizer.ggml.tokens");
    if (tokens < 0) {
        gguf_free(source);
        return error_set(err, ERR_INVALID_REQUEST,
                         "%s holds no vocabulary (tokenizer.ggml.tokens); name another file",
                         path);
    }
    read_tokens(source, tokens, ret_vocab);
    keep_tokenizer_keys(source);
    gguf_set_kv(file->meta, source);
    gguf_free(source);
    return true;
}
