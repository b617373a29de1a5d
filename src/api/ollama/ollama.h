/* SPDX-License-Identifier: MIT */
/*
 * ollama.h - the dialect of Ollama's own API, below /api. Pure.
 *
 * The reference is api/types.go of Ollama's sources; what is obeyed, ignored and refused stands
 * in docs/ollama.md.
 */
#ifndef DOZE_API_OLLAMA_OLLAMA_H
#define DOZE_API_OLLAMA_OLLAMA_H

#include "api/dialect.h"

/* OP_CHAT is POST /api/chat, OP_EMBEDDING is POST /api/embed. A body without messages or inputs
 * becomes OP_TOKENIZE of nothing: it loads the model. */
extern const struct dialect dialect_ollama;
/* OP_COMPLETION is POST /api/generate, and becomes OP_CHAT where the template is used;
 * OP_EMBEDDING is POST /api/embeddings. */
extern const struct dialect dialect_ollama_prompt;

/* As in struct dialect. */
void ollama_format_error(const struct error *err, struct buf *out);

/* GET /api/version */
void ollama_format_version(struct buf *out);
/* GET /api/tags: every name that works, with a tag. */
void ollama_format_tags(const struct service_models *models, struct buf *out);
/* GET /api/ps: what is loaded. now: Unix ms. */
void ollama_format_ps(const struct service_models *models, int64_t now, struct buf *out);
/* What the header of a model's file says. */
struct ollama_file {
    yyjson_mut_doc *info; /* an object: its pairs by GGUF's names; empty if it cannot be read */
    const char *template; /* NULL: it has none */
    bool infill;          /* the model can fill in the middle */
};
/* POST /api/show. Borrows the file, which is not changed. */
void ollama_format_show(const struct model_view *model, const struct ollama_file *file,
                        struct buf *out);

/* A body that is about one model. */
struct ollama_named {
    char *name;  /* "model", or "name" as older clients write; the caller frees it */
    bool stream; /* true unless the body says otherwise */
};
bool ollama_parse_named(const char *body, size_t len, struct ollama_named *ret,
                        struct error *err);
/* Is the name, as a client writes it, this key in full, with or without a tag? */
bool ollama_is_name_of(const char *name, const char *key);

/* How far POST /api/pull is. */
struct ollama_progress {
    const char *status;
    const char *sha256;        /* of the first file; NULL: the rest is not known either */
    uint64_t total, completed; /* bytes */
};
void ollama_format_progress(const struct ollama_progress *progress, struct buf *out);

#endif
