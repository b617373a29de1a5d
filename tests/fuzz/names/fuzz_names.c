/* SPDX-License-Identifier: MIT */
/*
 * fuzz_names.c - any bytes as a path and as a name that a client asks for. What comes out is
 * text that can be shown, and a model answers to its own names.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "catalog/catalog.h"
#include "catalog/model_name.h"
#include "catalog/text_safe.h"

static bool has_any(const char *text, const char *characters) {
    return text[strcspn(text, characters)] != '\0';
}

static void ask(struct model *model, const char *name) {
    const struct catalog catalog = { model, 1 };
    const char *close[3];
    const struct model *found = catalog_find(&catalog, name);
    assert(!found || found == model);
    assert(catalog_find(&catalog, model->key) == model);
    assert(model_name_matches(model, model->key));
    assert(model_name_matches(model, model->path));
    size_t count = catalog_close_names(&catalog, name, close);
    assert(count <= 1 && (count == 0 || close[0] == model->key));
    /* Who asks for "x.gguf" means "x": a key with such an end need not be close to itself. */
    bool odd = ascii_ends_with(model->key, strlen(model->key), ".gguf");
    assert(odd || catalog_close_names(&catalog, model->key, close) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line is the path below the models folder, the rest the name asked for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
    size_t path_len = line ? (size_t)(line - data) : size;
    char *path = xstrndup((const char *)data, path_len);
    char *name = line ? xstrndup((const char *)line + 1, size - path_len - 1) : xstrdup("x");
    char quantization[16];
    struct model_place place = model_place_parse(path);
    struct model model = { .path = xasprintf("/models/%s", path) };
    model.key = model_base(&place);
    model.publisher = text_safe(place.publisher ? place.publisher : "", place.publisher_len);
    char *stem = model_stem(&place);
    model_name_quantization(place.file, quantization);
    model.quantization = quantization;
    assert(model.key[0] && utf8_is_valid(model.key, strlen(model.key)) &&
           utf8_is_valid(stem, strlen(stem)));
    assert(!has_any(model.key, "@ \n\t\x7f"));
    ask(&model, name);
    free(stem);
    free(model.key);
    free(model.publisher);
    free(model.path);
    free(path);
    free(name);
    return 0;
}
