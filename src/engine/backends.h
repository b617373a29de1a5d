/* SPDX-License-Identifier: MIT */
/* backends.h - ggml's libraries for the kinds of processors, and their threads. */
#ifndef DOZE_ENGINE_BACKENDS_H
#define DOZE_ENGINE_BACKENDS_H

#include <ggml-backend.h>
#include <llama.h>
#include <stdbool.h>

/* Load those that lie beside libllama, wherever that is. Call it before a model is opened. */
void backends_load(void);

/* The folder of libllama and of the libraries beside it; the caller frees. NULL: unknown. */
char *backends_folder(void);

/* Is it a graphics card, or the graphics of a processor? */
bool backends_is_gpu(ggml_backend_dev_t device);

/* Is there a device beside the processor? */
bool backends_have_gpu(void);

/* The description of the first device that such a model is on; "cpu" if it is on none. */
const char *backends_device(const struct llama_model_params *params);

/* Threads that wait for graphs to compute, the caller's among them. For a context: without them
 * it makes and joins threads at every batch. NULL: the library has none. They last as long as
 * the process. */
struct ggml_threadpool *backends_new_threads(int count);

#endif
