/* SPDX-License-Identifier: MIT */
/*
 * A model that says one text. Each token of the text occurs in it once (pieces.h) and has a
 * vector of +1 and -1 of its own as its embedding; all tokens that a prompt can consist of
 * share one more, the start vector. The layers add nothing, the norm leaves such vectors as
 * they are, and the output row of a token is the vector of the token before it: logit embd for
 * the right one, the products of unrelated vectors (a few times the square root of embd) for
 * the others. A second text has a start vector of its own, that of the marker <|then|>, with
 * which the template ends such a prompt.
 */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "decoder.h"
#include "make.h"
#include "pieces.h"
#include "random.h"
#include "vocab.h"

enum { TEXT_MAX = 16 * 1024, MARGIN_MIN = 20, WORD_BITS = 64 };

/* At the end of the template of a model with a second text. */
static const char then_marker[] = "<|then|>";
static const char then_template[] =
    "{%- set ns_then = namespace(yes=not tools) -%}"
    "{%- for message in messages if message.role == 'tool' -%}"
    "{%- set ns_then.yes = true -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt and ns_then.yes -%}{{- '<|then|>' -}}{%- endif -%}";

static const struct shape small_shape = { .arch = "llama",
                                          .layers = 2,
                                          .embd = 256,
                                          .heads = 4,
                                          .kv_heads = 2,
                                          .ff = 512,
                                          .context = 8192,
                                          .type = GGML_TYPE_F16 };

struct speech {
    size_t first, count; /* ids of the texts' tokens: first .. first + count - 1 */
    size_t second;       /* the first one of the second text; first + count: there is none */
    size_t end;          /* id of the end token */
    int64_t then;        /* id of <|then|>; -1: none */
    bool loop;
    size_t words;    /* 64-bit words of one sign vector */
    uint64_t *signs; /* count + 2 vectors, bit 1 means -1; the last two are the start vectors */
};

static const uint64_t *signs_of_token(const struct speech *speech, size_t id) {
    bool spoken = id >= speech->first && id < speech->first + speech->count;
    size_t start = speech->count + ((int64_t)id == speech->then ? 1 : 0);

    return speech->signs + speech->words * (spoken ? id - speech->first : start);
}

static void add_signs(const uint64_t *signs, float *out, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        out[i] += (signs[i / WORD_BITS] >> (i % WORD_BITS)) & 1 ? -1.0f : 1.0f;
}

static void embedding_row(const void *ctx, int64_t row, float *out, int64_t n) {
    memset(out, 0, (size_t)n * sizeof *out);
    add_signs(signs_of_token(ctx, (size_t)row), out, n);
}

/* The token after which a text's first token comes. */
static size_t start_of(const struct speech *speech, size_t id) {
    return id == speech->first ? speech->end : (size_t)speech->then;
}

static void output_row(const void *ctx, int64_t row, float *out, int64_t n) {
    const struct speech *speech = ctx;
    size_t id = (size_t)row, after = speech->first + speech->count;
    bool begins = id == speech->first || id == speech->second;

    memset(out, 0, (size_t)n * sizeof *out);
    if (id >= speech->first && id < after)
        add_signs(signs_of_token(speech, begins ? start_of(speech, id) : id - 1), out, n);
    if (id == (speech->loop ? speech->first : speech->end))
        add_signs(signs_of_token(speech, speech->second - 1), out, n);
    if (speech->second < after && id == (speech->loop ? speech->second : speech->end))
        add_signs(signs_of_token(speech, after - 1), out, n);
}

static void draw_signs(struct speech *speech, int64_t embd) {
    struct random rng = random_seeded(0, 0, 0);
    size_t spare = (size_t)embd % WORD_BITS;

    speech->words = ((size_t)embd + WORD_BITS - 1) / WORD_BITS;
    speech->signs = xcalloc((speech->count + 2) * speech->words, sizeof *speech->signs);
    for (size_t i = 0; i < (speech->count + 2) * speech->words; i++) {
        speech->signs[i] = random_next(&rng);
        if (spare && i % speech->words == speech->words - 1)
            speech->signs[i] &= (UINT64_C(1) << spare) - 1;
    }
}

/* The least distance between the right logit and any other: a row may be the sum of two
 * vectors. */
static int64_t margin(const struct speech *speech, int64_t embd) {
    int64_t worst = 0;

    for (size_t a = 0; a <= speech->count; a++) {
        for (size_t b = a + 1; b < speech->count + 2; b++) {
            int64_t product = embd;
            for (size_t w = 0; w < speech->words; w++)
                product -= 2 * __builtin_popcountll(speech->signs[a * speech->words + w] ^
                                                    speech->signs[b * speech->words + w]);
            if (llabs(product) > worst) worst = llabs(product);
        }
    }
    return embd - 2 * worst;
}

static void add_tensors(const struct shape *shape, const struct speech *speech, int64_t vocab,
                        struct gguf_file *file) {
    struct layer_fills nothing = { 0 };

    gguf_file_tensor(file, shape->type, shape->embd, vocab,
                     (struct fill){ .row = embedding_row, .ctx = speech }, "token_embd.weight");
    shape_add_layers(shape, &nothing, file);
    gguf_file_tensor(file, shape->type, shape->embd, vocab,
                     (struct fill){ .row = output_row, .ctx = speech }, "output.weight");
}

/* The tokens of `text` and of `then` (may be NULL). */
static bool add_texts(struct vocab *vocab, const char *text, const char *then,
                      struct speech *speech, struct error *err) {
    char *both = xasprintf("%s%s", text, then ? then : "");
    size_t len = strlen(text), all = strlen(both), start = 0, first_count;
    size_t *ends = xcalloc(all / 2 + 2, sizeof *ends);

    first_count = speech->count = pieces_cut(both, len, ends);
    if (then) speech->count = pieces_cut_more(both, all, speech->count, ends);
    speech->first = vocab->count;
    speech->second = speech->first + first_count;
    speech->end = (size_t)vocab->end;
    speech->then = then ? vocab_find(vocab, then_marker) : -1;
    for (size_t i = 0; i < speech->count; start = ends[i++])
        vocab_add_piece(vocab, both + start, ends[i] - start);
    free(ends);
    free(both);
    return !then || speech->count > first_count ||
           error_set_param(err, ERR_INVALID_REQUEST, "then",
                           "--then is a word of --text; give a longer one");
}

static bool write_speech(const struct spoken_options *options, const char *chat_template,
                         const struct vocab *vocab, struct speech *speech, struct error *err) {
    const struct decoder_options *decoder = &options->decoder;
    struct gguf_file file;
    struct shape shape;
    bool ok;

    if (!decoder_shape(decoder, &small_shape, (int64_t)vocab->count, &shape, err)) return false;
    draw_signs(speech, shape.embd);
    if (margin(speech, shape.embd) < MARGIN_MIN)
        return error_set_param(
            err, ERR_INVALID_REQUEST, "embd",
            "--embd %lld is too small for a text of %zu tokens; give a larger "
            "one",
            (long long)shape.embd, speech->count);
    gguf_file_init(&file, shape.arch, decoder->name ? decoder->name : "doze spoken", 0);
    gguf_set_val_str(file.meta, "tokenizer.chat_template", chat_template);
    vocab_store_bytes(vocab, &file);
    shape_store(&shape, (int64_t)vocab->count, &file);
    add_tensors(&shape, speech, (int64_t)vocab->count, &file);
    ok = gguf_file_write(&file, decoder->out, err);
    gguf_file_clear(&file);
    return ok;
}

static bool may_be_said(const char *text) {
    size_t len = strlen(text);

    return len >= 2 && len <= TEXT_MAX;
}

static char *spoken_text(const struct spoken_options *options, struct error *err) {
    char *text;

    if (!options->text == !options->text_file) {
        (void)error_set(err, ERR_INVALID_REQUEST, "give one of --text and --text-file");
        return NULL;
    }
    text = options->text ? xstrdup(options->text)
                         : read_text_file(options->text_file, TEXT_MAX, err);
    if (text && (!may_be_said(text) || (options->then && !may_be_said(options->then)))) {
        (void)error_set(err, ERR_INVALID_REQUEST, "a text must have 2 to %d bytes", TEXT_MAX);
        free(text);
        return NULL;
    }
    return text;
}

/* The caller frees; NULL on failure. */
static char *spoken_template(const struct spoken_options *options, struct error *err) {
    char *own = decoder_template(&options->decoder, err), *whole;

    if (!own || !options->then) return own;
    whole = xasprintf("%s%s", own, then_template);
    free(own);
    return whole;
}

bool spoken_make(const struct spoken_options *options, struct error *err) {
    char *text = spoken_text(options, err);
    char *chat_template = text ? spoken_template(options, err) : NULL;
    struct speech speech = { .loop = options->loop };
    struct vocab vocab = { 0 };
    bool ok = false;

    if (chat_template) {
        vocab_init_bytes(&vocab, chat_template);
        ok = add_texts(&vocab, text, options->then, &speech, err) &&
             write_speech(options, chat_template, &vocab, &speech, err);
    }
    vocab_clear(&vocab);
    free(speech.signs);
    free(chat_template);
    free(text);
    return ok;
}
