/* SPDX-License-Identifier: MIT */
#include "hub/hub_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/names.h"
#include "base/xalloc.h"
#include "catalog/model_name.h"
#include "hub/hub_choice.h"
#include "hub/hub_plan.h"

/* The sizes take a question for each result: who waits gets those of the first seconds. */
enum { SIZES_MS = 8000 };

struct search {
    char *words;
    size_t max, count;
    nbytes memory;
    struct hub_environment env;
    struct search_result results[SEARCH_MAX];
    struct error err;
    struct search_sink sink;
};

static void add_quantization(struct search_result *result, const char *path) {
    char name[16];
    const char *file = path_name(path);
    model_name_quantization(file, name);
    size_t len = strlen(result->quantizations);
    bool known = !name[0] || model_name_is_projector(file) ||
                 strstr(result->quantizations, name);
    if (!known)
        (void)snprintf(result->quantizations + len, sizeof result->quantizations - len, "%s%s",
                       len ? ", " : "", name);
}

/* What would be got of this repository, and what else there is. */
static void add_files(const struct search *s, struct search_result *result,
                      struct hub_task *task) {
    struct hub_files files;
    struct hub_name name;
    struct hub_choice choice;
    struct error ignored;
    if (!hub_name_parse(result->repo, &name)) return;
    if (hub_list_files(result->repo, &s->env, &files, task, &ignored)) {
        for (size_t i = 0; i < files.count; i++) add_quantization(result, files.list[i].path);
        if (hub_choose(&files, &name, s->memory, &choice, &ignored)) {
            result->size = choice.bytes;
            result->fits = hub_fits(choice.bytes, s->memory);
            (void)snprintf(result->quantization, sizeof result->quantization, "%s",
                           choice.quantization);
            hub_choice_clear(&choice);
        }
    }
    hub_files_clear(&files);
}

static void search_work(void *ctx, struct hub_task *task) {
    struct search *s = ctx;
    struct hub_found found[SEARCH_MAX];
    s->count = hub_search(s->words, &s->env, found, s->max, task, &s->err);
    msec end = clock_boottime() + SIZES_MS;
    for (size_t i = 0; i < s->count; i++) {
        struct search_result *result = &s->results[i];
        *result = (struct search_result){ .downloads = found[i].downloads,
                                          .likes = found[i].likes };
        memcpy(result->repo, found[i].name, sizeof result->repo);
        if (clock_boottime() < end && !hub_task_is_stopped(task)) add_files(s, result, task);
    }
}

static void search_on_done(void *ctx) {
    struct search *s = ctx;
    s->sink.on_found(s->sink.ctx, s->results, s->count, s->err.code ? &s->err : NULL);
    hub_environment_clear(&s->env);
    free(s->words);
    free(s);
}

void hub_search_run(struct hub_tasks *tasks, const char *words, size_t max, bool ready,
                    const struct error *unless, struct search_sink sink) {
    struct search *s = xcalloc(1, sizeof *s);
    s->words = xstrdup(words);
    s->max = max < SEARCH_MAX ? max : SEARCH_MAX;
    s->memory = memory_total();
    s->err = *unless;
    s->sink = sink;
    hub_environment_read(&s->env);
    (void)hub_task_run(tasks, ready ? search_work : NULL, search_on_done, s);
}

/* ---- what can be got of a repository ---- */

struct option_search {
    char *repo;
    nbytes memory;
    struct hub_environment env;
    struct hub_files files;
    struct hub_option options[OPTIONS_MAX];
    size_t count;
    bool ok;
    struct error err;
    struct option_sink sink;
};

static void options_work(void *ctx, struct hub_task *task) {
    struct option_search *s = ctx;
    struct hub_name name;
    if (!hub_name_parse(s->repo, &name)) {
        error_set(&s->err, ERR_INVALID_REQUEST, "'%.80s' names no repository of the hub.",
                  s->repo);
        return;
    }
    char *repo = xasprintf("%s/%s", name.owner, name.repo);
    s->ok = hub_list_files(repo, &s->env, &s->files, task, &s->err);
    free(repo);
    if (s->ok) s->count = hub_list_options(&s->files, s->memory, s->options, OPTIONS_MAX);
}

static void options_on_done(void *ctx) {
    struct option_search *s = ctx;
    s->sink.on_listed(s->sink.ctx, s->options, s->count, s->ok ? NULL : &s->err);
    hub_files_clear(&s->files);
    hub_environment_clear(&s->env);
    free(s->repo);
    free(s);
}

void hub_options_run(struct hub_tasks *tasks, const char *repo, bool ready,
                     const struct error *unless, struct option_sink sink) {
    struct option_search *s = xcalloc(1, sizeof *s);
    s->repo = xstrdup(repo);
    s->memory = memory_total();
    s->err = *unless;
    s->sink = sink;
    hub_environment_read(&s->env);
    (void)hub_task_run(tasks, ready ? options_work : NULL, options_on_done, s);
}
