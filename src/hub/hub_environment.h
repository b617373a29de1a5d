/* SPDX-License-Identifier: MIT */
/*
 * hub_environment.h - which hub, and as whom: the variables that Hugging Face's own tools read.
 *
 * HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE (documented in
 * huggingface_hub, package_reference/environment_variables).
 */
#ifndef DOZE_HUB_HUB_ENVIRONMENT_H
#define DOZE_HUB_HUB_ENVIRONMENT_H

#include <stdbool.h>

struct hub_environment {
    char *base;  /* "https://host[:port]", without a slash at the end */
    char *token; /* NULL: none */
    char *cache; /* folder of models--owner--repo */
    bool plain;  /* http is allowed: the base is http on loopback */
    bool offline;
    bool base_is_bad; /* neither https nor http on loopback */
};

/* Loop's thread. Clear with hub_environment_clear. */
void hub_environment_read(struct hub_environment *ret);
void hub_environment_clear(struct hub_environment *env);

#endif
