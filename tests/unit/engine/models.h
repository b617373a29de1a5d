/* SPDX-License-Identifier: MIT */
/* models.h - GGUF files for the tests, made by make-model once and kept in MODELS_DIR. */
#ifndef DOZE_TEST_ENGINE_MODELS_H
#define DOZE_TEST_ENGINE_MODELS_H

/* Run `make-model KIND --out MODELS_DIR/NAME.gguf ARGS…` if the file is not there; the last
 * argument is NULL. The path; caller frees. */
char *model_make(const char *name, const char *kind, ...) __attribute__((sentinel));

#endif
