/* SPDX-License-Identifier: MIT */
/*
 * make-model - makes GGUF files for tests and demos, without any trained weights.
 * Exit code: 0 made, 1 failed, 2 usage.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "make.h"
#include "options.h"
#include "say.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

#define COUNT(field, type, name, low, high, help)                                              \
    { name, OPTION_COUNT, offsetof(type, field), "N", low, high, help }
#define REAL(field, type, name, low, high, help)                                               \
    { name, OPTION_REAL, offsetof(type, field), "X", low, high, help }
#define TEXT(field, type, name, shown, help)                                                   \
    { name, OPTION_TEXT, offsetof(type, field), shown, 0, 0, help }
#define WORD(field, type, name, choice, help)                                                  \
    { name, OPTION_WORD, offsetof(type, field), choice, 0, 0, help }

#define DECODER_OPTIONS(type_)                                                                 \
    TEXT(decoder.out, type_, "out", "FILE", "the file to make (needed)"),                      \
        TEXT(decoder.name, type_, "name", "TEXT", "general.name of the file"),                 \
        WORD(decoder.arch, type_, "arch", "llama|qwen2|gemma3|mamba|jamba", "architecture"),   \
        WORD(decoder.type, type_, "type", "f16|f32|q8_0|q4_0", "of the matrices"),             \
        COUNT(decoder.layers, type_, "layers", 1, 512, "number of layers"),                    \
        COUNT(decoder.embd, type_, "embd", 8, 16384, "columns of the embedding"),              \
        COUNT(decoder.heads, type_, "heads", 1, 256, "attention heads"),                       \
        COUNT(decoder.kv_heads, type_, "kv-heads", 1, 256, "heads of keys and values"),        \
        COUNT(decoder.ff, type_, "ff", 8, 65536, "rows of the feed-forward part"),             \
        COUNT(decoder.context, type_, "context", 64, 1 << 20, "longest context in tokens"),    \
        COUNT(decoder.window, type_, "window", 1, 1 << 20, "sliding window of gemma3 (512)"),  \
        { "size",                                                                              \
          OPTION_BYTES,                                                                        \
          offsetof(type_, decoder.size),                                                       \
          "N[K|M|G]",                                                                          \
          1 << 16,                                                                             \
          INT64_C(1) << 36,                                                                    \
          "choose the shape so that the file has about this size" },                           \
        TEXT(decoder.chat_template, type_, "chat-template", "FILE", "Jinja template (ChatML)")

static const struct option_spec random_specs[] = {
    DECODER_OPTIONS(struct random_options),
    TEXT(vocab, struct random_options, "vocab", "small|FILE",
         "take the tokenizer of this GGUF"),
    COUNT(seed, struct random_options, "seed", 0, INT64_MAX, "other seeds, other weights"),
    { 0 },
};

static const struct option_spec spoken_specs[] = {
    DECODER_OPTIONS(struct spoken_options),
    TEXT(text, struct spoken_options, "text", "TEXT", "what the model says"),
    TEXT(text_file, struct spoken_options, "text-file", "FILE", "the same, from a file"),
    TEXT(then, struct spoken_options, "then", "TEXT",
         "say this after a tool's result, and without tools"),
    { "loop", OPTION_FLAG, offsetof(struct spoken_options, loop), NULL, 0, 0,
      "begin again at the end, for ever" },
    { 0 },
};

static const struct option_spec embedding_specs[] = {
    TEXT(out, struct embedding_options, "out", "FILE", "the file to make (needed)"),
    TEXT(name, struct embedding_options, "name", "TEXT", "general.name of the file"),
    WORD(pooling, struct embedding_options, "pooling", "mean|cls|rank",
         "how token vectors become one, or a score"),
    TEXT(vocab, struct embedding_options, "vocab", "small|FILE",
         "take the tokenizer of this GGUF"),
    COUNT(layers, struct embedding_options, "layers", 1, 512, "number of layers"),
    COUNT(embd, struct embedding_options, "embd", 8, 16384, "columns of the embedding"),
    COUNT(heads, struct embedding_options, "heads", 1, 256, "attention heads"),
    COUNT(ff, struct embedding_options, "ff", 8, 65536, "rows of the feed-forward part"),
    COUNT(context, struct embedding_options, "context", 64, 65536, "longest text in tokens"),
    COUNT(seed, struct embedding_options, "seed", 0, INT64_MAX, "other seeds, other weights"),
    { 0 },
};

static const struct option_spec projector_specs[] = {
    TEXT(out, struct projector_options, "out", "FILE", "the file to make (needed)"),
    WORD(kind, struct projector_options, "kind", "mlp|gemma3", "how pictures become tokens"),
    COUNT(embd, struct projector_options, "embd", 8, 16384, "columns of the model's embedding"),
    COUNT(seed, struct projector_options, "seed", 0, INT64_MAX, "other seeds, other weights"),
    { 0 },
};

static const struct option_spec adapter_specs[] = {
    TEXT(out, struct adapter_options, "out", "FILE", "the file to make (needed)"),
    TEXT(model, struct adapter_options, "model", "FILE", "the model that it is for (needed)"),
    TEXT(arch, struct adapter_options, "arch", "WORD", "say that it is for this one instead"),
    COUNT(rank, struct adapter_options, "rank", 1, 1024, "columns between A and B (4)"),
    COUNT(alpha, struct adapter_options, "alpha", 1, 1024, "how strong it is (4)"),
    COUNT(seed, struct adapter_options, "seed", 0, INT64_MAX, "other seeds, other weights"),
    { "invoked", OPTION_FLAG, offsetof(struct adapter_options, invoked), NULL, 0, 0,
      "an aLoRA adapter" },
    { 0 },
};

static const struct option_spec merged_specs[] = {
    TEXT(out, struct merged_options, "out", "FILE", "the file to make (needed)"),
    TEXT(model, struct merged_options, "model", "FILE", "the model without it (needed)"),
    TEXT(adapter, struct merged_options, "adapter", "FILE", "the adapter (needed)"),
    REAL(scale, struct merged_options, "scale", -100, 100, "how much of it (1)"),
    { 0 },
};

static const struct option_spec broken_specs[] = {
    TEXT(out, struct broken_options, "out", "FILE", "the file to make (needed)"),
    WORD(kind, struct broken_options, "kind", broken_kinds, ""),
    { 0 },
};

static const struct option_spec demo_specs[] = {
    TEXT(dir, struct demo_options, "dir", "DIR", "the models folder (needed)"),
    { 0 },
};

static const struct option_spec say_specs[] = {
    TEXT(model, struct say_options, "model", "FILE", "the model to ask (needed)"),
    TEXT(prompt, struct say_options, "prompt", "TEXT",
         "what stands before the answer (needed)"),
    TEXT(adapter, struct say_options, "adapter", "FILE", "a LoRA adapter that is applied"),
    REAL(scale, struct say_options, "scale", -100, 100, "how much of it (1)"),
    COUNT(tokens, struct say_options, "tokens", 1, 4096, "say at most this many tokens (64)"),
    { 0 },
};

static bool run_random(int argc, char **argv, const struct command_spec *spec,
                       struct error *err) {
    struct random_options options = { 0 };
    bool help;

    if (!options_parse(spec, argc, argv, &options, &help, err)) return false;
    return help ||
           (options_require(options.decoder.out, "out", err) && random_make(&options, err));
}

static bool run_spoken(int argc, char **argv, const struct command_spec *spec,
                       struct error *err) {
    struct spoken_options options = { 0 };
    bool help;

    if (!options_parse(spec, argc, argv, &options, &help, err)) return false;
    return help ||
           (options_require(options.decoder.out, "out", err) && spoken_make(&options, err));
}

static bool run_embedding(int argc, char **argv, const struct command_spec *spec,
                          struct error *err) {
    struct embedding_options options = { 0 };
    bool help;

    if (!options_parse(spec, argc, argv, &options, &help, err)) return false;
    return help || (options_require(options.out, "out", err) && embedding_make(&options, err));
}

static bool run_projector(int argc, char **argv, const struct command_spec *spec,
                          struct error *err) {
    struct projector_options options = { 0 };
    bool help;

    if (!options_parse(spec, argc, argv, &options, &help, err)) return false;
    return help || (options_require(options.out, "out", err) && projector_make(&options, err));
}

static bool run_adapter(int argc, char **argv, const struct command_spec *spec,
                        struct error *err) {
    struct adapter_options options = { 0 };
    bool help;

    if (!options_parse(spec, argc, argv, &options, &help, err)) return false;
    return help ||
           (options_require(options.out, "out", err) &&
            options_require(options.model, "model", err) && adapter_make(&options, err));
}

static bool run_merged(int argc, char **argv, const struct command_spec *spec,
                       struct error *err) {
    struct merged_options options = { .scale = 1 };
    bool help;

    if (!options_parse(spec, argc, argv, &options, &help, err)) return false;
    return help ||
           (options_require(options.out, "out", err) &&
            options_require(options.model, "model", err) &&
            options_require(options.adapter, "adapter", err) && merged_make(&options, err));
}

static bool run_broken(int argc, char **argv, const struct command_spec *spec,
                       struct error *err) {
    struct broken_options options = { 0 };
    bool help;

    if (!options_parse(spec, argc, argv, &options, &help, err)) return false;
    return help || (options_require(options.out, "out", err) &&
                    options_require(options.kind, "kind", err) && broken_make(&options, err));
}

static bool run_demo(int argc, char **argv, const struct command_spec *spec,
                     struct error *err) {
    struct demo_options options = { 0 };
    bool help;

    if (!options_parse(spec, argc, argv, &options, &help, err)) return false;
    return help || (options_require(options.dir, "dir", err) && demo_make(&options, err));
}

static bool say(const struct say_options *options, struct error *err) {
    struct buf text = BUF_INIT(1 << 20);
    bool ended;
    bool ok = say_text(options, &text, &ended, err);

    if (ok) printf("%s%s\n", buf_str(&text), ended ? "" : "…");
    buf_clear(&text);
    return ok;
}

static bool run_say(int argc, char **argv, const struct command_spec *spec, struct error *err) {
    struct say_options options = { .scale = 1 };
    bool help;

    if (!options_parse(spec, argc, argv, &options, &help, err)) return false;
    return help || (options_require(options.model, "model", err) &&
                    options_require(options.prompt, "prompt", err) && say(&options, err));
}

static const struct {
    struct command_spec spec;
    bool (*run)(int argc, char **argv, const struct command_spec *spec, struct error *err);
} commands[] = {
    { { "random", "a decoder with random weights", random_specs }, run_random },
    { { "spoken", "a decoder that says a given text", spoken_specs }, run_spoken },
    { { "embedding", "a BERT-shaped embedding model", embedding_specs }, run_embedding },
    { { "projector", "eyes for a model: the mmproj file beside it", projector_specs },
      run_projector },
    { { "adapter", "a LoRA adapter with random weights for a model", adapter_specs },
      run_adapter },
    { { "merged", "what a model and an adapter are together, in f32", merged_specs },
      run_merged },
    { { "broken", "a file that cannot be loaded", broken_specs }, run_broken },
    { { "demo", "two small spoken models that tell about doze", demo_specs }, run_demo },
    { { "say", "load a model and let it speak, without doze", say_specs }, run_say },
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_usage(FILE *out) {
    fputs("usage: make-model COMMAND [options]\n", out);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", commands[i].spec.name, commands[i].spec.summary);
    fputs("make-model COMMAND --help shows the options of a command.\n", out);
}

int main(int argc, char **argv) {
    struct error err;

    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        print_usage(stdout);
        return 0;
    }
    for (int i = 0; argc > 1 && i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].spec.name) != 0) continue;
        if (commands[i].run(argc - 1, argv + 1, &commands[i].spec, &err)) return 0;
        fprintf(stderr, "make-model: %s\n", err.text);
        return err.code == ERR_INVALID_REQUEST ? EXIT_USAGE : EXIT_FAILED;
    }
    print_usage(stderr);
    return EXIT_USAGE;
}
