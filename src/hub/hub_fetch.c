/* SPDX-License-Identifier: MIT */
#include "hub/hub_fetch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "hub/hub_ranges.h"
#include "hub/partial_file.h"

enum { REDIRECTS_MAX = 10, LARGE_FILE = 256000000 };

/* One file on its way. */
struct transfer {
    const struct fetch *fetch;
    struct hub_http *http;
    struct partial_file partial;
    struct hub_response head; /* of the hub, about the file */
    char *source;             /* URL of the bytes */
    char *header;             /* for the request; NULL: none */
    bool token;               /* the source is the hub itself */
    bool one_by_one;          /* the host has not answered a range with 206 */
    bool progressed;          /* in this try */
    bool refused;             /* by partial_file; *err says why */
    int retry_after;          /* seconds, as the last answer asked */
    struct error err;
};

/* What became of a try. */
enum attempt_end { ATTEMPT_DONE, ATTEMPT_AGAIN, ATTEMPT_FAILED };

static bool transfer_is_stopped(void *ctx) {
    return hub_task_is_stopped(((struct transfer *)ctx)->fetch->task);
}

static char *repo_of(const struct fetch *fetch) {
    return xasprintf("%s/%s", fetch->name->owner, fetch->name->repo);
}

static enum attempt_end judge(struct transfer *t, const struct hub_response *response) {
    char *repo = repo_of(t->fetch);
    enum hub_verdict verdict = hub_judge(&response->answer, repo, &t->err);
    free(repo);
    t->retry_after = response->answer.retry_after;
    if (verdict == HUB_OK) return ATTEMPT_DONE;
    return verdict == HUB_RETRY ? ATTEMPT_AGAIN : ATTEMPT_FAILED;
}

/* ---- where the bytes are ---- */

static bool is_redirect(const struct hub_response *response) {
    return response->answer.status / 100 == 3 && response->location[0];
}

static char *resolve_url(const struct fetch *fetch) {
    struct buf url = BUF_INIT(HUB_URL_MAX);
    (void)buf_addf(&url, "%s/%s/%s/resolve/%s/%s", fetch->env->base, fetch->name->owner,
                   fetch->name->repo, fetch->commit, fetch->file->path);
    return buf_take(&url);
}

/* Ask the hub about the file. Redirects within the hub are followed; one to another host is
 * where the bytes are, and gets no token. */
static enum attempt_end find_at_hub(struct transfer *t) {
    struct hub_call call = {
        .head = true, .token = true, .is_stopped = transfer_is_stopped, .ctx = t
    };
    free(t->source);
    t->source = resolve_url(t->fetch);
    t->token = true;
    for (int i = 0; i < REDIRECTS_MAX; i++) {
        call.url = t->source;
        hub_http_perform(t->http, &call, &t->head);
        if (!is_redirect(&t->head)) return judge(t, &t->head);
        const char *location = t->head.location;
        bool own = location[0] == '/' && location[1] != '/';
        free(t->source);
        t->source = own ? xasprintf("%s%s", t->fetch->env->base, location) : xstrdup(location);
        t->token = own;
        if (!own) return ATTEMPT_DONE;
    }
    error_set(&t->err, ERR_IO, "The hub redirects without end.");
    return ATTEMPT_FAILED;
}

static enum attempt_end find_source(struct transfer *t) {
    char *url, *header;
    if (!t->fetch->next_source) return find_at_hub(t);
    if (!t->fetch->next_source(t->fetch->ctx, &url, &header)) return ATTEMPT_FAILED;
    free(t->source);
    free(t->header);
    t->source = url;
    t->header = header;
    return ATTEMPT_DONE;
}

/* The commit is fixed, so a file that differs from the list is the hub's fault. */
static bool is_as_planned(struct transfer *t) {
    const struct hub_file *file = t->fetch->file;
    bool same = (t->head.size == 0 || t->head.size == file->size) &&
                (!file->sha256[0] || !t->head.etag[0] || strlen(t->head.etag) != 64 ||
                 strcmp(t->head.etag, file->sha256) == 0);
    if (!same)
        error_set(&t->err, ERR_IO, "The hub says two things about %.120s; try again later.",
                  file->path);
    return same;
}

static bool open_partial(struct transfer *t) {
    const struct hub_file *file = t->fetch->file;
    const char *etag = t->head.etag[0] ? t->head.etag : file->sha256;
    struct partial_source source = {
        .url = t->source, .etag = etag, .sha256 = file->sha256, .size = file->size
    };
    if (t->partial.path) return true;
    return partial_open(&t->partial, t->fetch->path, &source, &t->err);
}

/* ---- the bytes ---- */

/* 200: the host sends all of the file, whatever was asked for. */
static bool place_is_right(struct transfer *t, const struct hub_response *response) {
    if (response->answer.status == 206) return response->range_begin == t->partial.done;
    return partial_restart(&t->partial, &t->err);
}

static bool transfer_on_body(void *ctx, const struct hub_response *response, const char *bytes,
                             size_t len) {
    struct transfer *t = ctx;
    if (response->answer.status / 100 != 2) return true; /* a page that says why not */
    bool first = !t->progressed;
    t->progressed = true;
    if ((first && !place_is_right(t, response)) ||
        !partial_add(&t->partial, bytes, len, &t->err)) {
        t->refused = true;
        return false;
    }
    t->fetch->on_bytes(t->fetch->ctx, t->partial.done);
    return true;
}

static void get_in_one(struct transfer *t, struct hub_response *ret) {
    struct hub_call call = { .url = t->source,
                             .token = t->token,
                             .header = t->header,
                             .from = t->partial.done,
                             .on_body = transfer_on_body,
                             .is_stopped = transfer_is_stopped,
                             .ctx = t };
    hub_http_perform(t->http, &call, ret);
}

static bool transfer_on_ranges(void *ctx, const char *bytes, size_t len, nbytes waiting) {
    struct transfer *t = ctx;
    t->progressed = true;
    t->refused = !partial_add(&t->partial, bytes, len, &t->err);
    if (!t->refused) t->fetch->on_bytes(t->fetch->ctx, t->partial.done + waiting);
    return !t->refused;
}

static void get_in_ranges(struct transfer *t, struct hub_response *ret) {
    struct hub_ranges ranges = { .env = t->fetch->env,
                                 .url = t->source,
                                 .token = t->token,
                                 .from = t->partial.done,
                                 .end = t->partial.size,
                                 .connections = t->fetch->connections,
                                 .on_bytes = transfer_on_ranges,
                                 .is_stopped = transfer_is_stopped,
                                 .ctx = t };
    hub_ranges_get(&ranges, ret);
    t->one_by_one = ret->answer.status == 200;
    if (t->one_by_one) t->progressed = false; /* what follows is another answer's first byte */
}

static bool wants_ranges(const struct transfer *t) {
    return t->fetch->connections > 1 && t->fetch->file->size > LARGE_FILE && !t->one_by_one;
}

static enum attempt_end get_bytes(struct transfer *t) {
    struct hub_response response;
    const bool ranges = wants_ranges(t);
    if (ranges) get_in_ranges(t, &response);
    if (!ranges || t->one_by_one) get_in_one(t, &response);
    if (t->refused) return t->partial.full ? ATTEMPT_FAILED : ATTEMPT_AGAIN;
    if (response.answer.status == 416) {
        error_set(&t->err, ERR_IO, "The host has less of %.120s than it said.",
                  t->fetch->file->path);
        return partial_restart(&t->partial, &t->err) ? ATTEMPT_AGAIN : ATTEMPT_FAILED;
    }
    enum attempt_end end = judge(t, &response);
    /* The link to the bytes may have expired: 403 there is not the hub's refusal. */
    if (end == ATTEMPT_FAILED && !t->token) return ATTEMPT_AGAIN;
    if (end == ATTEMPT_DONE && !partial_is_whole(&t->partial)) {
        error_set(&t->err, ERR_IO, "The connection ended in the middle of %.120s.",
                  t->fetch->file->path);
        return ATTEMPT_AGAIN;
    }
    return end;
}

static enum attempt_end attempt(struct transfer *t) {
    t->progressed = t->refused = false;
    enum attempt_end end = find_source(t);
    if (end != ATTEMPT_DONE) return end;
    if (!is_as_planned(t)) return ATTEMPT_AGAIN;
    if (!open_partial(t)) return ATTEMPT_FAILED;
    t->fetch->on_bytes(t->fetch->ctx, t->partial.done);
    return partial_is_whole(&t->partial) ? ATTEMPT_DONE : get_bytes(t);
}

/* ---- the whole ---- */

static enum fetch_end fetch_failed(const struct transfer *t, struct error *err) {
    if (hub_task_is_stopped(t->fetch->task)) return FETCH_STOPPED;
    *err = t->err;
    return t->partial.full ? FETCH_FULL : FETCH_FAILED;
}

/* Try until all bytes are there. A try that brought some is not counted. */
static enum fetch_end fetch_bytes(struct transfer *t, struct error *err) {
    const struct fetch *fetch = t->fetch;
    for (unsigned tries = 0;;) {
        enum attempt_end end = attempt(t);
        if (end == ATTEMPT_DONE) return FETCH_DONE;
        if (end == ATTEMPT_FAILED || hub_task_is_stopped(fetch->task))
            return fetch_failed(t, err);
        tries = t->progressed ? 1 : tries + 1;
        if (tries > HUB_TRIES_MAX && !fetch->is_watched(fetch->ctx))
            return fetch_failed(t, err);
        fetch->on_retry(fetch->ctx, &t->err);
        double chance = (double)(uv_hrtime() % 1000) / 1000;
        hub_task_sleep(fetch->task, hub_delay(tries, t->retry_after, chance));
    }
}

/* The checksum was wrong: the bytes are set aside, and fetched once more. */
static enum fetch_end fetch_checked(struct transfer *t, struct error *err) {
    for (int round = 0; round < 2; round++) {
        enum fetch_end end = fetch_bytes(t, err);
        if (end != FETCH_DONE) return end;
        if (partial_is_right(&t->partial))
            return partial_sync(&t->partial, &t->err) ? FETCH_DONE : fetch_failed(t, err);
        error_set(&t->err, ERR_IO,
                  "The hub sent %.120s twice with a wrong checksum; try again later.",
                  t->fetch->file->path);
        if (!partial_set_aside(&t->partial, &t->err)) return fetch_failed(t, err);
    }
    return fetch_failed(t, err);
}

/* Hugging Face's own tools may have the file: its cache names it by its checksum. */
static bool link_from_cache(const struct fetch *fetch) {
    struct stat st;
    if (!fetch->file->sha256[0] || fetch->next_source) return false;
    char *blob = xasprintf("%s/models--%s--%s/blobs/%s", fetch->env->cache, fetch->name->owner,
                           fetch->name->repo, fetch->file->sha256);
    char *part = xasprintf("%s.part", fetch->path);
    bool linked = stat(blob, &st) == 0 && S_ISREG(st.st_mode) &&
                  (nbytes)st.st_size == fetch->file->size;
    if (linked) {
        partial_remove(fetch->path);
        linked = link(blob, part) == 0;
    }
    free(blob);
    free(part);
    return linked;
}

enum fetch_end hub_fetch(const struct fetch *fetch, struct error *err) {
    if (link_from_cache(fetch)) {
        fetch->on_bytes(fetch->ctx, fetch->file->size);
        return FETCH_DONE;
    }
    struct transfer t = { .fetch = fetch, .http = hub_http_new(fetch->env, err) };
    if (!t.http) return FETCH_FAILED;
    enum fetch_end end = fetch_checked(&t, err);
    partial_close(&t.partial);
    hub_http_free(t.http);
    free(t.source);
    free(t.header);
    return end;
}
