/* SPDX-License-Identifier: MIT */
/*
 * Random weights, scaled so that what is said depends on the whole prompt: queries and keys are
 * large enough for attention to pick single positions, layers add as much as the embedding
 * holds.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "decoder.h"
#include "make.h"
#include "random.h"
#include "vocab.h"

/* Deviations for inputs of deviation 1, before division by the square root of the inputs'
 * number. */
#define QK_DEVIATION 1.6f
#define ADDED_DEVIATION 1.5f
#define LOGIT_DEVIATION 4.0f

enum { INVENTED_WORDS = 700 };

static const struct shape small_shape = { .arch = "llama",
                                          .layers = 2,
                                          .embd = 128,
                                          .heads = 4,
                                          .kv_heads = 2,
                                          .ff = 256,
                                          .context = 4096,
                                          .type = GGML_TYPE_F16 };

/* Words of two or three syllables with a space before them; no two alike. */
static void add_invented_words(struct vocab *vocab) {
    static const char consonants[] = "bdfgklmnprst", vowels[] = "aeiou";
    enum { SYLLABLES = (sizeof consonants - 1) * (sizeof vowels - 1) };

    for (int i = 0; i < INVENTED_WORDS; i++) {
        int first = i % SYLLABLES, second = (i / SYLLABLES + 7 * first) % SYLLABLES;
        char word[] = { ' ', consonants[first / 5], vowels[first % 5], consonants[second / 5],
                        vowels[second % 5] };
        vocab_add_piece(vocab, word, sizeof word);
    }
}

/* The output matrix: rows of control tokens and of single bytes are zero, so that greedy
 * decoding and sampling pass them by while a grammar may still force them. */
struct output_rows {
    const struct vocab *vocab;
    uint64_t seed;
    bool quiet_bytes;
    float deviation;
};

static void output_row(const void *ctx, int64_t row, float *out, int64_t n) {
    const struct output_rows *rows = ctx;
    struct random rng = random_seeded(rows->seed, UINT64_MAX, (uint64_t)row);
    bool quiet = rows->vocab->kinds[row] != TOKEN_NORMAL || row == rows->vocab->end ||
                 (rows->quiet_bytes && row < VOCAB_BYTES);

    random_normal_fill(&rng, quiet ? 0.0f : rows->deviation, out, (size_t)n);
}

static float shared_out(float deviation, int64_t inputs) {
    return deviation / sqrtf((float)inputs);
}

static void add_tensors(const struct shape *shape, const struct output_rows *rows,
                        struct gguf_file *file) {
    float deep = sqrtf((float)shape->layers);
    struct layer_fills fills = {
        .qk = { .deviation = shared_out(QK_DEVIATION, shape->embd) },
        .v = { .deviation = shared_out(1, shape->embd) },
        .out = { .deviation = shared_out(ADDED_DEVIATION, shape->embd) / deep },
        .gate_up = { .deviation = shared_out(1, shape->embd) },
        .down = { .deviation = shared_out(ADDED_DEVIATION, shape->ff) / deep },
    };
    int64_t vocab = (int64_t)rows->vocab->count;

    /* Gemma multiplies its embeddings by this root. */
    bool scaled = strcmp(shape->arch, "gemma3") == 0;
    float deviation = scaled ? shared_out(1, shape->embd) : 1;
    gguf_file_tensor(file, shape->type, shape->embd, vocab,
                     (struct fill){ .deviation = deviation }, "token_embd.weight");
    shape_add_layers(shape, &fills, file);
    gguf_file_tensor(file, shape->type, shape->embd, vocab,
                     (struct fill){ .row = output_row, .ctx = rows }, "output.weight");
}

static bool fetch_vocab(const struct random_options *options, const char *chat_template,
                        struct gguf_file *file, struct vocab *ret_vocab, struct error *err) {
    if (options->vocab && strcmp(options->vocab, "small") != 0)
        return vocab_copy(options->vocab, file, ret_vocab, err);
    vocab_init_bytes(ret_vocab, chat_template);
    add_invented_words(ret_vocab);
    vocab_store_bytes(ret_vocab, file);
    return true;
}

static bool build_and_write(const struct random_options *options, const struct vocab *vocab,
                            struct gguf_file *file, struct error *err) {
    const struct decoder_options *decoder = &options->decoder;
    struct output_rows rows = { .vocab = vocab, .seed = file->seed };
    struct shape shape;

    if (!decoder_shape(decoder, &small_shape, (int64_t)vocab->count, &shape, err)) return false;
    rows.quiet_bytes = !options->vocab || strcmp(options->vocab, "small") == 0;
    rows.deviation = shared_out(LOGIT_DEVIATION, shape.embd);
    shape_store(&shape, (int64_t)vocab->count, file);
    add_tensors(&shape, &rows, file);
    return gguf_file_write(file, decoder->out, err);
}

bool random_make(const struct random_options *options, struct error *err) {
    const struct decoder_options *decoder = &options->decoder;
    const char *arch = decoder->arch ? decoder->arch : small_shape.arch;
    struct gguf_file file;
    struct vocab vocab = { 0 };
    char *chat_template = decoder_template(decoder, err);
    bool ok;

    if (!chat_template) return false;
    gguf_file_init(&file, arch, decoder->name ? decoder->name : "doze random",
                   (uint64_t)options->seed);
    gguf_set_val_str(file.meta, "tokenizer.chat_template", chat_template);
    ok = fetch_vocab(options, chat_template, &file, &vocab, err);
    /* Over that of the vocabulary's file. */
    if (decoder->chat_template)
        gguf_set_val_str(file.meta, "tokenizer.chat_template", chat_template);
    ok = ok && build_and_write(options, &vocab, &file, err);
    vocab_clear(&vocab);
    gguf_file_clear(&file);
    free(chat_template);
    return ok;
}
