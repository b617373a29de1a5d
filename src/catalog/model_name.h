/* SPDX-License-Identifier: MIT */
/*
 * model_name.h - the names of a model, from the path of its file. Pure.
 *
 * "lmstudio-community/Qwen2.5-0.5B-Instruct-GGUF/Qwen2.5-0.5B-Instruct-Q8_0.gguf" has the
 * publisher "lmstudio-community", the folder "Qwen2.5-0.5B-Instruct-GGUF", and the base
 * "qwen2.5-0.5b-instruct". In the Hugging Face cache the first two are in the folder
 * "models--<publisher>--<folder>".
 */
#ifndef DOZE_CATALOG_MODEL_NAME_H
#define DOZE_CATALOG_MODEL_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct model_place { /* pieces of the path, not NUL-terminated; len 0: none */
    const char *publisher, *folder, *file;
    size_t publisher_len, folder_len;
    const char *revision; /* in the Hugging Face cache: "<revision>/<file>"; else NULL */
};

/* path: below the models folder, "publisher/model/file.gguf". */
struct model_place model_place_parse(const char *path);

/* The key before it is made unique: lower case, without split suffix, quantization and .gguf;
 * UTF-8 without control characters, blanks and '@'. Never empty. Caller frees. */
char *model_base(const struct model_place *place);

/* The file's name without split suffix and .gguf, safe to show. Caller frees. */
char *model_stem(const struct model_place *place);

/* The quantization at the end of a file name, in upper case ("Q4_K_M"); "" if none. */
void model_name_quantization(const char *file, char ret_name[16]);

/* Is it a projector for images? */
bool model_name_is_projector(const char *file);

/* A name as Ollama writes it, in doze's form: "x:latest" is "x", "x:tag" is "x@tag" or, with
 * the mark '-', "x-tag"; "hf.co/" before it is left out. NULL if it has none of these. The
 * caller frees it. */
char *model_name_untag(const char *name, char mark);

#endif
