/* SPDX-License-Identifier: MIT */
/* backends.h - ggml's libraries for the kinds of processors. */
#ifndef DOZE_ENGINE_BACKENDS_H
#define DOZE_ENGINE_BACKENDS_H

/* Load those that lie beside libllama, wherever that is. Call it before a model is opened. */
void backends_load(void);

#endif
