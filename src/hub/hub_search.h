/* SPDX-License-Identifier: MIT */
/* hub_search.h - a search of the hub as a task: the results, with the size of what would be
 * downloaded of each. */
#ifndef DOZE_HUB_HUB_SEARCH_H
#define DOZE_HUB_HUB_SEARCH_H

#include "hub/downloads.h"
#include "hub/hub_task.h"

/* ready: the task may try; otherwise the sink gets *unless. */
void hub_search_run(struct hub_tasks *tasks, const char *words, size_t max, bool ready,
                    const struct error *unless, struct search_sink sink);

/* The same for what can be downloaded from one repository. */
void hub_options_run(struct hub_tasks *tasks, const char *repo, bool ready,
                     const struct error *unless, struct option_sink sink);

#endif
