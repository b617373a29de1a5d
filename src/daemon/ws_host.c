/* SPDX-License-Identifier: MIT */
#include "daemon/ws_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/api_key.h"
#include "daemon/lmstudio_compat.h"
#include "daemon/log_feed.h"
#include "daemon/offload.h"
#include "daemon/uploads.h"
#include "supervisor/log_budget.h"

enum { MACHINE_MAX = 256, EXTENSIONS_MAX = 4 };

struct ws_host {
    struct lmws_host face;
    struct ws_host_config config;
    struct uploads *uploads;
    size_t ops; /* open on all sockets */
    struct log_budget notes;
    char machine[MACHINE_MAX];
    const char *extensions[EXTENSIONS_MAX + 1];
};

/* The SDKs send a key of LM Studio's form in halves, any other as the passkey. */
static bool admit(void *self, const char *peer, const char *identifier, const char *passkey,
                  char ret_key[LMWS_KEY_SIZE]) {
    const struct ws_host *host = self;
    const struct settings *settings = settings_store_get(host->config.settings);
    bool compat = settings->lmstudio_compat &&
                  lmstudio_home_knows(host->config.lmstudio_home, passkey);
    struct bearer bearer;
    struct error ignored;
    ret_key[0] = '\0';
    if (compat || (settings->api_key[0] && api_key_is(settings->api_key, passkey))) return true;
    char *text = xasprintf("sk-lm-%s:%s", identifier, passkey);
    bool ok = gate_admit(host->config.gate, text, peer, &bearer, &ignored);
    free(text);
    if (ok && bearer.key) snprintf(ret_key, LMWS_KEY_SIZE, "%s", bearer.key->id);
    return ok;
}

static bool may(void *self, const char *key, enum permission permission,
                const struct allowed_models **ret_allowed, struct error *err) {
    const struct ws_host *host = self;
    struct bearer bearer;
    if (!gate_recall(host->config.gate, key, &bearer, err)) return false;
    *ret_allowed = bearer.allowed;
    return permission_require(bearer.permissions, permission, err);
}

/* ---- the HTTP server ---- */

static void host_on_cors_set(void *ctx, const struct error *error) {
    (void)ctx;
    if (error) log_warn("%s", error->text);
}

static void allow_cors(struct ws_host *host) {
    if (settings_store_get(host->config.settings)->cors) return;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_bool(doc, root, "cors", true);
    yyjson_doc *patch = yyjson_mut_doc_imut_copy(doc, NULL);
    settings_store_patch(host->config.settings, yyjson_doc_get_root(patch),
                         (struct done_sink){ .on_end = host_on_cors_set });
    yyjson_doc_free(patch);
    yyjson_mut_doc_free(doc);
}

/* A name would have to be looked up, which blocks. */
static bool is_address(const char *host) {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    return strcmp(host, "localhost") == 0 || uv_ip4_addr(host, 0, &v4) == 0 ||
           uv_ip6_addr(host, 0, &v6) == 0;
}

/* `lms server start` says cors:false when it means "as it is": only true changes something. */
static bool http_start(void *self, int port, const char *interface, int cors,
                       struct error *err) {
    const struct ws_host_config *config = &((struct ws_host *)self)->config;
    if (config->is_stopping(config->ctx)) {
        return error_set(err, ERR_SHUTTING_DOWN,
                         "The server is shutting down; ask again when it has started.");
    }
    if (interface && !is_address(interface)) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "The network interface must be an address of this machine, such as "
                         "127.0.0.1, or 0.0.0.0 for all.");
    }
    if (cors > 0) allow_cors(self);
    if (!listeners_start(config->listeners, port, interface, err)) return false;
    /* `lms server status` reads the port in a file. */
    lmstudio_compat_update(settings_store_get(config->settings), config->listeners,
                           config->lmstudio_home);
    return true;
}

static bool http_stop(void *self, struct error *err) {
    struct ws_host *host = self;
    return listeners_stop(host->config.listeners, err);
}

static void shut_down(void *self) {
    const struct ws_host *host = self;
    log_info("a client asked the server to stop");
    host->config.stop(host->config.ctx);
}

static bool elsewhere(void *self, const char *name, struct error *err) {
    const struct ws_host_config *config = &((struct ws_host *)self)->config;
    return config->elsewhere(config->ctx, name, err);
}

static void note(void *self, const char *text) {
    struct ws_host *host = self;
    switch (log_budget_take(&host->notes, clock_boottime())) {
    case LOG_LINE:
        log_info("an LM Studio client says: %.500s", text);
        break;
    case LOG_LAST_LINE:
        log_info("LM Studio clients say more; further lines are left out");
        break;
    case LOG_NO_LINE:
        break;
    }
}

/* ---- files, log ---- */

static void *file_begin(void *self, const char *name, const char *base64, size_t held,
                        struct error *err) {
    struct ws_host *host = self;
    return uploads_begin(host->uploads, name, base64, held, err);
}

static void file_read_it(void *upload) {
    upload_read(upload);
}

static bool file_put(void *self, void *upload, struct lmws_file *ret, struct error *err) {
    struct ws_host *host = self;
    return uploads_put(host->uploads, upload, ret, err);
}

static bool file_find(void *self, const char *identifier, struct lmws_file *ret) {
    const struct ws_host *host = self;
    return uploads_find(host->uploads, identifier, ret);
}

static void file_hold(void *self, const struct lmws_file *file) {
    (void)self;
    uploads_hold(file);
}

static void file_release(void *self, const struct lmws_file *file) {
    (void)self;
    uploads_release(file);
}

static void offload(void *self, size_t bytes, const struct lmws_piece *piece) {
    const struct ws_host *host = self;
    offload_run(host->config.offload, bytes,
                &(struct offload_piece){ piece->work, piece->on_done, piece->ctx });
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
    if (feed_is_crowded(host->config.log)) return NULL;
    struct follower *f = xcalloc(1, sizeof *f);
    f->fn = fn;
    f->ctx = ctx;
    f->listener = feed_listen(host->config.log,
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
    engine->version = DOZE_LLAMA_VERSION;
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

struct ws_host *ws_host_new(const struct ws_host_config *config) {
    struct ws_host *host = xcalloc(1, sizeof *host);
    host->config = *config;
    host->uploads = uploads_new(config->budget);
    if (gethostname(host->machine, MACHINE_MAX - 1) != 0) host->machine[0] = '\0';
    host->face = (struct lmws_host){ .self = host,
                                     .service = config->service,
                                     .budget = config->budget,
                                     .answers = config->answers,
                                     .ops = &host->ops,
                                     .hub = config->hub,
                                     .version = DOZE_VERSION,
                                     .machine = host->machine,
                                     .build = 1,
                                     .pid = (int)getpid(),
                                     .boot = config->boot,
                                     .admit = admit,
                                     .may = may,
                                     .http_start = http_start,
                                     .http_stop = http_stop,
                                     .shutdown = shut_down,
                                     .elsewhere = elsewhere,
                                     .note = note,
                                     .file_begin = file_begin,
                                     .file_read = file_read_it,
                                     .file_put = file_put,
                                     .file_find = file_find,
                                     .file_hold = file_hold,
                                     .file_release = file_release,
                                     .offload = offload,
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

const struct lmws_host *ws_host_face(const struct ws_host *host) {
    return &host->face;
}
