/* SPDX-License-Identifier: MIT */
#include "catalog/matryoshka.h"

#include <ctype.h>
#include <stddef.h>
#include <strings.h>

/* From the models' cards, as letters and digits only. */
static const char *const families[] = {
    "nomicembedtextv15", "nomicembedtextv2", "mxbaiembedlargev1", "mxbaiembed2dlargev1",
    "arcticembedmv15",   "arcticembedmv20",  "arcticembedlv20",   "qwen3embedding",
    "embeddinggemma",    "jinaembeddingsv3", "jinaembeddingsv4",  "jinaembeddingsv5",
    "stellaen",
};

/* Does the text begin with it, letters and digits only and whatever its case? */
static bool begins(const char *text, const char *name) {
    for (; *name; text++) {
        if (!*text) return false;
        if (!isalnum((unsigned char)*text)) continue;
        if (strncasecmp(text, name++, 1) != 0) return false;
    }
    return true;
}

static bool contains(const char *text, const char *name) {
    for (; *text; text++) {
        if (begins(text, name)) return true;
    }
    return false;
}

bool model_shortens_vectors(const struct model *model) {
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        if (contains(model->key, families[i]) || contains(model->display_name, families[i]))
            return true;
    }
    return false;
}
