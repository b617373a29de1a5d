/* SPDX-License-Identifier: MIT */
/*
 * hub_choice.h - which files of a repository make the model that was asked for. Pure.
 *
 * The file or quantization that was named; else Q4_K_M, else Q8_0, else the largest that fits
 * the machine, else the smallest. A split model is all of its parts. A model that sees has a
 * projector beside it: in F16 if there is one.
 */
#ifndef DOZE_HUB_HUB_CHOICE_H
#define DOZE_HUB_HUB_CHOICE_H

#include "hub/hub_listing.h"

struct hub_choice {
    const struct hub_file **files; /* borrowed from the listing; the model's first file first,
                                      a projector last */
    size_t count;
    nbytes bytes;
    char quantization[16]; /* of the model; "" if its name does not tell */
};

/* memory: bytes that a model may have here; 0: unknown. Fails with ERR_NOT_FOUND, naming what
 * there is, and ERR_NOT_SUPPORTED for a repository without a GGUF file. Free with
 * hub_choice_clear. */
bool hub_choose(const struct hub_files *files, const struct hub_name *name, nbytes memory,
                struct hub_choice *ret, struct error *err);
void hub_choice_clear(struct hub_choice *choice);

/* A whole model of a repository. */
struct hub_option {
    const char *path; /* of its first file; borrowed from the listing */
    char quantization[16];
    nbytes bytes;
    bool fits;
    bool recommended; /* hub_choose takes it if nothing is named */
};

/* All of them, at most max, in the order of the listing. Returns how many. */
size_t hub_list_options(const struct hub_files *files, nbytes memory, struct hub_option *ret,
                        size_t max);

/* Does a model whose files have this many bytes fit into the memory? A tenth on top is for its
 * context. */
bool hub_fits(nbytes bytes, nbytes memory);

#endif
