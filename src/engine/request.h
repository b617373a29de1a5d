/* SPDX-License-Identifier: MIT */
/*
 * request.h - the neutral JSON of api/service.h as a struct, with every field checked. Pure:
 * knows no model. Token numbers are checked against a vocabulary's size that the caller gives.
 */
#ifndef DOZE_ENGINE_REQUEST_H
#define DOZE_ENGINE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/error.h"
#include "engine/overflow.h"
#include "engine/stops.h"

enum { REQUEST_MAX_STOPS = 64, REQUEST_MAX_STOP_LEN = 4096, REQUEST_MAX_INPUTS = 65536 };
enum { REQUEST_MAX_LOGPROBS = 100, REQUEST_MAX_BIASES = 4096 };

enum request_op {
    REQUEST_CHAT,
    REQUEST_COMPLETION,
    REQUEST_EMBEDDING,
    REQUEST_RERANK, /* the last that needs the model itself */
    REQUEST_TOKENIZE,
    REQUEST_TEMPLATE,
};

struct token_bias {
    int32_t token;
    float bias;
};

struct sampling {
    int64_t max_tokens; /* -1: to the end of the context */
    double temperature, top_p, min_p;
    double typical_p;                      /* 1: off */
    double xtc_probability, xtc_threshold; /* probability 0: off */
    double mirostat_tau, mirostat_eta;     /* target surprise and learning rate */
    double repeat_penalty, presence_penalty, frequency_penalty;
    int64_t mirostat; /* version 1 or 2; 0: off */
    int64_t top_k;    /* 0: off */
    bool seeded;
    uint32_t seed;
    int64_t logprobs; /* alternatives per token; -1: no logprobs at all */
    bool cache_prompt;
    struct token_bias *biases;
    size_t bias_count;
    struct stops stops;
};

/* A text or a list of tokens; one of them. */
struct input {
    const char *text; /* may hold NULs; borrowed from the document */
    size_t len;
    int32_t *tokens;
    size_t count;
};

/* As image_url parts carry them; borrowed from the document. */
struct picture_url {
    const char *text;
    size_t len;
};
enum { REQUEST_MAX_PICTURES = 64 };

struct request_chat {                                       /* NULL: not given */
    yyjson_val *messages, *tools, *kwargs;                  /* of the document */
    char *schema;                                           /* JSON, owned */
    const char *tool_choice, *tool_name, *reasoning_effort; /* words of the document */
    const char *grammar, *chat_template;                    /* texts of the document */
    int parallel_tool_calls;                                /* -1: not given */
    int64_t reasoning_budget; /* tokens of each reasoning part; -1: no limit */
    bool add_generation_prompt;
    int continue_final_message;   /* -1: not given */
    struct picture_url *pictures; /* of all messages, in order; owned */
    size_t picture_count;
};

struct request {
    yyjson_doc *doc; /* what borrowed strings point into */
    enum request_op op;
    struct sampling sampling;
    struct request_chat chat;
    uint64_t cache_key; /* of a chat or completion: its conversation's; 0: none */
    /* A completion's prompt, an embedding's inputs, the documents to rank, tokenize's text. */
    struct input *inputs;
    size_t input_count;
    struct input query; /* of a rerank */
    const char *suffix; /* of a completion; NULL: none */
    bool echo;
    enum overflow overflow;                  /* of a chat or completion */
    bool truncate;                           /* of an embedding: cut what is too long */
    bool report_prompt;                      /* of a chat: STARTED carries its prompt */
    bool add_special, parse_special, pieces; /* of tokenize */
    int bos, eos;                            /* of template, see there; -1: not given */
    bool count;                              /* of template: answer how many tokens it has */
};

/* Fails with ERR_INVALID_REQUEST naming the field, or ERR_NOT_SUPPORTED (audio, unknown op).
 * defaults: what sampling fields that are absent become. Clear it with request_clear(). */
bool request_parse(struct request *ret, const char *text, size_t len,
                   const struct sampling *defaults, int32_t vocab_size, struct error *err);

/* Accepts a zeroed one. */
void request_clear(struct request *request);

/* Temperature 0.8, top_k 40, top_p 0.95, min_p 0.05, no penalties, no others: libllama's own.
 */
struct sampling sampling_defaults(void);

#endif
