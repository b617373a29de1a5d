/* SPDX-License-Identifier: MIT */
/*
 * hub_plan.h - what a download will fetch: the repository's commit and the files of the model.
 * Asks the hub, so it blocks.
 */
#ifndef DOZE_HUB_HUB_PLAN_H
#define DOZE_HUB_HUB_PLAN_H

#include "hub/hub_http.h"
#include "hub/hub_listing.h"
#include "hub/hub_task.h"

struct hub_plan {
    struct hub_name name; /* as it was asked for */
    char commit[HUB_COMMIT_SIZE];
    char quantization[16];
    struct hub_file *files; /* the model's first file first */
    size_t count;
    nbytes bytes;
};

/* memory: as in hub_choice.h. A hub that is busy or cannot be reached is asked again for some
 * seconds. */
bool hub_plan_make(struct hub_plan *plan, const struct hub_name *name,
                   const struct hub_environment *env, nbytes memory, struct hub_task *task,
                   struct error *err);
void hub_plan_clear(struct hub_plan *plan);

/* Repositories with GGUF models that a search finds, the most downloaded first. words: "" finds
 * all. Returns how many were stored; 0 may be a failure, then err->code is set. */
size_t hub_search(const char *words, const struct hub_environment *env, struct hub_found *ret,
                  size_t max, struct hub_task *task, struct error *err);

/* The files of a repository, of its newest commit. */
bool hub_list_files(const char *repo, const struct hub_environment *env, struct hub_files *ret,
                    struct hub_task *task, struct error *err);

#endif
