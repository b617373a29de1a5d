/* SPDX-License-Identifier: MIT */
/* templates.h - llama.cpp's chat templates (TEMPLATES_DIR), for tests that plan chats. */
#ifndef DOZE_TEST_ENGINE_TEMPLATES_H
#define DOZE_TEST_ENGINE_TEMPLATES_H

#include <stdbool.h>

#include "engine/model.h"

/* Every chat brings its own template. */
extern struct model templates_model;

/* For cmocka_run_group_tests(). */
int templates_open(void **state);
int templates_close(void **state);

/* A model with the vocabulary VOCABS_DIR/ggml-vocab-<name>.gguf. */
bool templates_open_vocab(const char *vocab);

/* The file's text; caller frees. */
char *templates_read(const char *path);

#endif
