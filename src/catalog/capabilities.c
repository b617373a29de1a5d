/* SPDX-License-Identifier: MIT */
#include "catalog/capabilities.h"

#include <string.h>

static const char *const reasoning_words[] = {
    "<think>",
    "</think>",
    "[THINK]",
    "enable_thinking",
    "reasoning_effort",
    "reasoning_content",
    "<|channel|>analysis",
    "<|channel>thought",
};

/* llama-arch.cpp: the encoders among the architectures. */
static const char *const encoders[] = {
    "bert",         "modern-bert",  "nomic-bert", "nomic-bert-moe",  "neo-bert",
    "jina-bert-v2", "jina-bert-v3", "eurobert",   "gemma-embedding", "llama-embed",
    "t5encoder",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_';
}

bool template_has_tools(const char *text, size_t len) {
    static const char word[] = "tools";
    const size_t word_len = sizeof word - 1;
    size_t at = 0;
    while (len - at >= word_len) {
        const char *hit = memmem(text + at, len - at, word, word_len);
        if (!hit) return false;
        size_t start = (size_t)(hit - text);
        size_t after = start + word_len;
        bool whole = (start == 0 || !is_word_char(text[start - 1])) &&
                     (after == len || !is_word_char(text[after]));
        if (whole) return true;
        at = after;
    }
    return false;
}

bool template_has_reasoning(const char *text, size_t len) {
    for (size_t i = 0; i < COUNT(reasoning_words); i++) {
        const char *word = reasoning_words[i];
        if (len > 0 && memmem(text, len, word, strlen(word))) return true;
    }
    return false;
}

bool architecture_is_embedding(const char *architecture, int64_t pooling_type) {
    for (size_t i = 0; i < COUNT(encoders); i++) {
        if (strcmp(architecture, encoders[i]) == 0) return true;
    }
    return pooling_type > 0;
}

bool pooling_is_rank(int64_t pooling_type) {
    static const int64_t rank = 4; /* of llama.cpp's enum llama_pooling_type */
    return pooling_type == rank;
}

struct infill_mark {
    const char *text;
    unsigned bit;
};

static const struct infill_mark infill_keys[] = {
    { "tokenizer.ggml.fim_pre_token_id", 1 }, { "tokenizer.ggml.prefix_token_id", 1 },
    { "tokenizer.ggml.fim_suf_token_id", 2 }, { "tokenizer.ggml.suffix_token_id", 2 },
    { "tokenizer.ggml.fim_mid_token_id", 4 }, { "tokenizer.ggml.middle_token_id", 4 },
};

/* llama-vocab.cpp, where it looks for FIM_PRE, FIM_SUF and FIM_MID. */
static const struct infill_mark infill_tokens[] = {
    { "<|fim_prefix|>", 1 },
    { "<fim-prefix>", 1 },
    { "<fim_prefix>", 1 },
    { "<|code_prefix|>", 1 },
    { "<|prefix|>", 1 },
    { "<PRE>", 1 },
    { "\xe2\x96\x81<PRE>", 1 },
    { "<\xef\xbd\x9c"
      "fim\xe2\x96\x81"
      "begin\xef\xbd\x9c>",
      1 },
    { "<|fim_suffix|>", 2 },
    { "<fim-suffix>", 2 },
    { "<fim_suffix>", 2 },
    { "<|code_suffix|>", 2 },
    { "<|suffix|>", 2 },
    { "<SUF>", 2 },
    { "\xe2\x96\x81<SUF>", 2 },
    { "<\xef\xbd\x9c"
      "fim\xe2\x96\x81"
      "hole\xef\xbd\x9c>",
      2 },
    { "<|fim_middle|>", 4 },
    { "<fim-middle>", 4 },
    { "<fim_middle>", 4 },
    { "<|code_middle|>", 4 },
    { "<|middle|>", 4 },
    { "<MID>", 4 },
    { "\xe2\x96\x81<MID>", 4 },
    { "<\xef\xbd\x9c"
      "fim\xe2\x96\x81"
      "end\xef\xbd\x9c>",
      4 },
};

static unsigned infill_find(const struct infill_mark *marks, size_t count, const char *text,
                            size_t len) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(marks[i].text) == len && memcmp(marks[i].text, text, len) == 0)
            return marks[i].bit;
    }
    return 0;
}

unsigned infill_mark_of_key(const char *key) {
    return infill_find(infill_keys, COUNT(infill_keys), key, strlen(key));
}

unsigned infill_mark_of_token(const char *text, size_t len) {
    bool may_be = len >= 5 && len <= INFILL_MARK_MAX &&
                  (text[0] == '<' || (text[0] == '\xe2' && text[3] == '<'));
    return may_be ? infill_find(infill_tokens, COUNT(infill_tokens), text, len) : 0;
}
