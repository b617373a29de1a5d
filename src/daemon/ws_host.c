/* SPDX-License-Identifier: MIT */
/* ws_host.c - the daemon as the sessions of LM Studio's WebSocket see it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/api_key.h"
#include "daemon/listeners.h"
#include "daemon/lmstudio_home.h"
#include "daemon/uploads.h"
#include "daemon/ws.h"

enum { MACHINE_MAX = 256, EXTENSIONS_MAX = 4 };

struct ws_host {
    struct lmws_host face;
    struct daemon *d;
    struct uploads *uploads;
    char machine[MACHINE_MAX];
    const char *extensions[EXTENSIONS_MAX + 1];
};

static bool admit(void *self, const char *identifier, const char *passkey) {
    const struct ws_host *host = self;
    const char *key = host->d->settings.api_key;
    return !*key || api_key_is(key, passkey) || api_key_is_token(key, identifier, passkey) ||
           (host->d->settings.lmstudio_compat &&
            lmstudio_home_knows(host->d->lmstudio_home, passkey));
}

/* ---- the HTTP server ---- */

static void on_cors_set(void *ctx, const struct error *error) {
    (void)ctx;
    if (error) log_warn("%s", error->text);
}

static void set_cors(struct ws_host *host, bool cors) {
    if (host->d->settings.cors == cors) return;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_bool(doc, root, "cors", cors);
    yyjson_doc *patch = yyjson_mut_doc_imut_copy(doc, NULL);
    daemon_change_settings(host->d, yyjson_doc_get_root(patch),
                           (struct settings_sink){ .on_end = on_cors_set });
    yyjson_doc_free(patch);
    yyjson_mut_doc_free(doc);
}

/* Names would have to be looked up, and nothing waits in this process. */
static bool is_address(const char *host) {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    return strcmp(host, "localhost") == 0 || uv_ip4_addr(host, 0, &v4) == 0 ||
           uv_ip6_addr(host, 0, &v6) == 0;
}

/* `lms server start` says cors:false when it means "as it is": only true is a wish. */
static bool http_start(void *self, int port, const char *interface, int cors,
                       struct error *err) {
    struct ws_host *host = self;
    if (host->d->stopping) {
        return error_set(err, ERR_SHUTTING_DOWN, "The server is shutting down.");
    }
    if (interface && !is_address(interface)) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "The network interface must be an address of this machine, such as "
                         "127.0.0.1, or 0.0.0.0 for all.");
    }
    if (cors > 0) set_cors(host, true);
    if (!listeners_start(host->d->listeners, port, interface, err)) return false;
    daemon_open_to_lmstudio(host->d); /* `lms server status` reads the port in a file */
    return true;
}

static bool http_stop(void *self, struct error *err) {
    struct ws_host *host = self;
    return listeners_stop(host->d->listeners, err);
}

static void stop_all(void *self) {
    struct ws_host *host = self;
    log_info("a client asked for the end");
    daemon_stop(host->d);
}

static void note(void *self, const char *text) {
    (void)self;
    log_info("an LM Studio client says: %.500s", text);
}

/* ---- files, log ---- */

static bool file_put(void *self, const char *name, const char *base64, struct lmws_file *ret,
                     struct error *err) {
    struct ws_host *host = self;
    return uploads_put(host->uploads, name, base64, ret, err);
}

static bool file_find(void *self, const char *identifier, struct lmws_file *ret) {
    const struct ws_host *host = self;
    return uploads_find(host->uploads, identifier, ret);
}

struct follower {
    struct feed_listener *listener;
    void (*fn)(void *ctx, const struct log_line *line);
    void *ctx;
};

static void follower_on_message(void *ctx, struct feed_message *message) {
    struct follower *f = ctx;
    f->fn(f->ctx, feed_message_entry(message)->subject);
}

static void *log_follow(void *self, void (*fn)(void *ctx, const struct log_line *line),
                        void *ctx) {
    const struct ws_host *host = self;
    struct follower *f = xcalloc(1, sizeof *f);
    f->fn = fn;
    f->ctx = ctx;
    f->listener = feed_listen(host->d->log,
                              LOG_TOPIC_SERVER | LOG_TOPIC_REQUESTS | LOG_TOPIC_INPUT |
                                  LOG_TOPIC_OUTPUT | LOG_TOPIC_STATS,
                              follower_on_message, f);
    return f;
}

static void log_leave(void *self, void *follower) {
    struct follower *f = follower;
    (void)self;
    feed_leave(f->listener);
    free(f);
}

/* ---- facts ---- */

static void describe_processor(struct ws_host *host, struct lmws_engine *engine) {
    int count = 0;
    engine->version = DOZE_VERSION;
    engine->platform = "linux";
#if defined(__x86_64__)
    engine->name = "llama.cpp-linux-x86_64";
    engine->architecture = "x86_64";
    if (__builtin_cpu_supports("avx")) host->extensions[count++] = "AVX";
    if (__builtin_cpu_supports("avx2")) host->extensions[count++] = "AVX2";
    if (__builtin_cpu_supports("avx512f")) host->extensions[count++] = "AVX512";
#else
    engine->name = "llama.cpp-linux-arm64";
    engine->architecture = "ARM64";
#endif
    host->extensions[count] = NULL;
    engine->extensions = host->extensions;
}

struct ws_host *ws_host_new(struct daemon *d) {
    struct ws_host *host = xcalloc(1, sizeof *host);
    host->d = d;
    host->uploads = uploads_new();
    if (gethostname(host->machine, MACHINE_MAX - 1) != 0) host->machine[0] = '\0';
    host->face = (struct lmws_host){ .self = host,
                                     .service = &d->service,
                                     .version = DOZE_VERSION,
                                     .machine = host->machine,
                                     .build = 1,
                                     .pid = (int)getpid(),
                                     .boot = (uint64_t)clock_unix(),
                                     .admit = admit,
                                     .http_start = http_start,
                                     .http_stop = http_stop,
                                     .shutdown = stop_all,
                                     .note = note,
                                     .file_put = file_put,
                                     .file_find = file_find,
                                     .log_follow = log_follow,
                                     .log_leave = log_leave };
    describe_processor(host, &host->face.engine);
    return host;
}

void ws_host_free(struct ws_host *host) {
    if (!host) return;
    uploads_free(host->uploads);
    free(host);
}

const struct lmws_host *ws_host_face(struct ws_host *host) {
    return &host->face;
}
