/* SPDX-License-Identifier: MIT */
#include "hub/hub_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/percent.h"
#include "base/xalloc.h"
#include "hub/hub_choice.h"

enum { PAGE_MAX = 16 << 20, PAGES_MAX = 100, TRIES = 4 };

/* A conversation with the hub's API. */
struct asking {
    struct hub_http *http;
    const struct hub_environment *env;
    struct hub_task *task;
    const char *about; /* "owner/repo", or what is searched for */
    struct buf body;   /* of the last answer */
    struct hub_response response;
};

static bool asking_on_body(void *ctx, const struct hub_response *response, const char *bytes,
                           size_t len) {
    struct asking *a = ctx;
    (void)response;
    return buf_add(&a->body, bytes, len);
}

static bool asking_is_stopped(void *ctx) {
    return hub_task_is_stopped(((struct asking *)ctx)->task);
}

static bool asking_begin(struct asking *a, const struct hub_environment *env,
                         struct hub_task *task, const char *about, struct error *err) {
    *a =
        (struct asking){ .env = env, .task = task, .about = about, .body = BUF_INIT(PAGE_MAX) };
    if (env->offline)
        return error_set(err, ERR_INVALID_REQUEST,
                         "HF_HUB_OFFLINE is set for doze; unset it and restart doze.");
    if (env->base_is_bad)
        return error_set(err, ERR_INVALID_REQUEST,
                         "HF_ENDPOINT must begin with https:// (or be http on this machine); "
                         "it is '%.80s'.",
                         env->base);
    a->http = hub_http_new(env, err);
    return a->http != NULL;
}

static void asking_end(struct asking *a) {
    hub_http_free(a->http);
    buf_clear(&a->body);
}

static bool fail_stopped(struct error *err) {
    return error_set(err, ERR_SHUTTING_DOWN, "The server is shutting down.");
}

/* GET a JSON text of the hub, with a few tries. */
static bool ask(struct asking *a, const char *url, struct error *err) {
    struct hub_call call = { .url = url,
                             .token = true,
                             .on_body = asking_on_body,
                             .is_stopped = asking_is_stopped,
                             .ctx = a };
    for (unsigned try = 1;; try++) {
        buf_reset(&a->body);
        hub_http_perform(a->http, &call, &a->response);
        if (a->body.overflowed)
            return error_set(err, ERR_IO, "The hub's answer is larger than %d MiB.",
                             PAGE_MAX >> 20);
        enum hub_verdict verdict = hub_judge(&a->response.answer, a->about, err);
        if (verdict == HUB_OK) return true;
        if (verdict == HUB_FAILED || try == TRIES) return false;
        hub_task_sleep(a->task, hub_delay(try, a->response.answer.retry_after, 0.5));
        if (hub_task_is_stopped(a->task)) return fail_stopped(err);
    }
}

static char *api_url(const struct asking *a, const char *path, const char *more) {
    struct buf url = BUF_INIT(HUB_URL_MAX);
    (void)buf_addf(&url, "%s/api/models/%s%s", a->env->base, path, more);
    return buf_take(&url);
}

/* The next page must be the hub's own: the token goes with it. */
static char *next_url(const struct asking *a) {
    size_t len = 0, base_len = strlen(a->env->base);
    const char *next = hub_next_page(a->response.link, &len);
    if (!next) return NULL;
    if (next[0] == '/' && len > 1 && next[1] != '/')
        return xasprintf("%s%.*s", a->env->base, (int)len, next);
    bool own = len > base_len && strncmp(next, a->env->base, base_len) == 0 &&
               next[base_len] == '/';
    return own ? xstrndup(next, len) : NULL;
}

static bool ask_commit(struct asking *a, const char *repo, const char *revision,
                       char ret_commit[HUB_COMMIT_SIZE], struct error *err) {
    char *url = api_url(a, repo, "/refs");
    bool ok = ask(a, url, err) &&
              hub_read_commit(buf_str(&a->body), a->body.len, *revision ? revision : "main",
                              ret_commit, err);
    free(url);
    return ok;
}

static bool ask_files(struct asking *a, const char *repo, const char *commit,
                      struct hub_files *files, struct error *err) {
    char *more = xasprintf("/tree/%s?recursive=true", commit);
    char *url = api_url(a, repo, more);
    bool ok = true;
    free(more);
    for (int page = 0; ok && url && page < PAGES_MAX; page++) {
        ok = ask(a, url, err) && hub_read_tree(buf_str(&a->body), a->body.len, files, err);
        free(url);
        url = ok ? next_url(a) : NULL;
    }
    free(url);
    return ok;
}

static void keep_choice(struct hub_plan *plan, const struct hub_choice *choice) {
    plan->files = xcalloc(choice->count, sizeof *plan->files);
    plan->count = choice->count;
    plan->bytes = choice->bytes;
    (void)snprintf(plan->quantization, sizeof plan->quantization, "%s", choice->quantization);
    for (size_t i = 0; i < choice->count; i++) plan->files[i] = *choice->files[i];
}

bool hub_plan_make(struct hub_plan *plan, const struct hub_name *name,
                   const struct hub_environment *env, nbytes memory, struct hub_task *task,
                   struct error *err) {
    struct asking a;
    struct hub_files files = { 0 };
    struct hub_choice choice;
    if (!name->owner[0])
        return error_set(err, ERR_INVALID_REQUEST,
                         "Name a repository of the hub, such as owner/repo.");
    char *repo = xasprintf("%s/%s", name->owner, name->repo);
    *plan = (struct hub_plan){ .name = *name };
    bool ok = asking_begin(&a, env, task, repo, err) &&
              ask_commit(&a, repo, name->revision, plan->commit, err) &&
              ask_files(&a, repo, plan->commit, &files, err) &&
              hub_choose(&files, name, memory, &choice, err);
    if (ok) {
        keep_choice(plan, &choice);
        hub_choice_clear(&choice);
    }
    hub_files_clear(&files);
    asking_end(&a);
    free(repo);
    return ok;
}

void hub_plan_clear(struct hub_plan *plan) {
    free(plan->files);
    *plan = (struct hub_plan){ 0 };
}

size_t hub_search(const char *words, const struct hub_environment *env, struct hub_found *ret,
                  size_t max, struct hub_task *task, struct error *err) {
    struct asking a;
    struct buf url = BUF_INIT(HUB_URL_MAX);
    size_t count = 0;
    err->code = ERR_NONE;
    (void)buf_addf(&url, "%s/api/models?filter=gguf&sort=downloads&direction=-1&limit=%zu",
                   env->base, max);
    if (*words) (void)buf_add_str(&url, "&search=");
    (void)percent_encode(&url, words, "");
    if (asking_begin(&a, env, task, "the search", err) && ask(&a, buf_str(&url), err))
        count = hub_read_search(buf_str(&a.body), a.body.len, ret, max, err);
    asking_end(&a);
    buf_clear(&url);
    return count;
}

bool hub_list_files(const char *repo, const struct hub_environment *env, struct hub_files *ret,
                    struct hub_task *task, struct error *err) {
    struct asking a;
    *ret = (struct hub_files){ 0 };
    bool ok = asking_begin(&a, env, task, repo, err) && ask_files(&a, repo, "main", ret, err);
    asking_end(&a);
    return ok;
}
