/* SPDX-License-Identifier: MIT */
#include "supervisor/draft_model.h"

#include <string.h>

#include "base/no_model.h"
#include "load/load_settings.h"

/* Tokens that llama.cpp lets a draft model have more or fewer at the end
 * (common/speculative.cpp). */
enum { MOST_APART = 128 };

#define REFUSE(err, ...) error_set_param(err, ERR_INVALID_REQUEST, "draft_model", __VA_ARGS__)

static const struct model *find(const struct catalog *catalog, const char *name) {
    for (size_t i = 0; *name == '/' && i < catalog->count; i++) {
        if (strcmp(catalog->models[i].path, name) == 0) return &catalog->models[i];
    }
    const struct model *model = catalog_find(catalog, name);
    return model && strlen(model->key) < LOAD_NAME_SIZE ? model : NULL;
}

static bool has_same_vocabulary(const struct model *a, const struct model *b) {
    uint64_t apart = a->vocabulary > b->vocabulary ? a->vocabulary - b->vocabulary
                                                   : b->vocabulary - a->vocabulary;
    return strcmp(a->tokenizer, b->tokenizer) == 0 && apart <= MOST_APART &&
           a->vocabulary_print == b->vocabulary_print;
}

static bool fits(const struct model *draft, const struct model *model, struct error *err) {
    if (draft == model)
        return REFUSE(err, "'%.80s' cannot be its own draft model; choose a smaller one.",
                      model->key);
    if (draft->problem)
        return REFUSE(err, "The draft model '%.80s' cannot be loaded: %s", draft->key,
                      draft->problem);
    if (draft->type == MODEL_EMBEDDINGS)
        return REFUSE(err,
                      "'%.80s' is an embedding model and guesses no tokens; choose a "
                      "small language model as draft model.",
                      draft->key);
    if (!has_same_vocabulary(draft, model))
        return REFUSE(err,
                      "The draft model '%.80s' has another vocabulary than '%.80s'; "
                      "choose a smaller model of the same family.",
                      draft->key, model->key);
    return true;
}

bool draft_model_find(const struct catalog *catalog, const struct model *model,
                      const char *name, const struct model **ret_draft, struct error *err) {
    if (model->type == MODEL_EMBEDDINGS)
        return REFUSE(err,
                      "'%.80s' writes no text and can have no draft model; leave "
                      "'draft_model' out.",
                      model->key);
    const struct model *draft = find(catalog, name);
    if (!draft)
        return REFUSE(err,
                      "There is no draft model '%.80s'; " MODELS_LISTED_BY " lists the models.",
                      name);
    if (!fits(draft, model, err)) return false;
    *ret_draft = draft;
    return true;
}
