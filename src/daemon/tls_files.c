/* SPDX-License-Identifier: MIT */
#include "daemon/tls_files.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"

enum { LOOK_EVERY_MS = 1000 };

static const char *key_file(const struct settings *settings) {
    return settings->tls_key[0] ? settings->tls_key : settings->tls_cert;
}

static struct tls *read_settings(const struct settings *settings, struct error *err) {
    struct tls *tls = tls_new(settings->tls_cert, key_file(settings), err);
    if (!tls)
        error_set_param(err, err->code, "tls_cert", "%.270s; mend tls_cert and tls_key.",
                        err->text);
    return tls;
}

/* A file that cannot be examined counts as missing. */
static struct stat look_at(const char *path) {
    struct stat st = { 0 };
    return stat(path, &st) == 0 ? st : (struct stat){ 0 };
}

/* Before the files are read, so that a change meanwhile is seen. False: they are the same. */
static bool remember(struct tls_files *files, const struct settings *settings) {
    struct stat cert = look_at(settings->tls_cert), key = look_at(key_file(settings));
    bool same = file_is_same(&cert, &files->cert) && file_is_same(&key, &files->key);
    files->cert = cert;
    files->key = key;
    return !same;
}

bool tls_files_read(struct tls_files *files, const struct settings *settings,
                    struct error *err) {
    struct tls *tls = NULL;
    if (settings->tls_cert[0]) {
        bool changed = remember(files, settings);
        tls = read_settings(settings, err);
        if (!tls) return false;
        if (changed) log_info("TLS with the certificate in %s", settings->tls_cert);
        if (tls_has_expired(tls)) {
            log_warn("The certificate in %s has expired, so clients refuse it; renew it.",
                     settings->tls_cert);
        }
    } else if (files->on) {
        log_info("TLS is off: new connections are plain");
    }
    files->on = tls != NULL;
    http_server_set_tls(files->http, tls);
    return true;
}

void tls_files_look(struct tls_files *files, const struct settings *settings, msec now) {
    struct error err;
    if (!files->on || now - files->looked_at < LOOK_EVERY_MS) return;
    files->looked_at = now;
    struct tls_files seen = *files;
    if (!remember(&seen, settings)) return;
    if (!tls_files_read(files, settings, &err))
        log_warn("The certificate stays as it was: %s", err.text);
}

bool tls_files_check(const struct settings *now, const struct settings *next,
                     struct error *err) {
    bool same = strcmp(now->tls_cert, next->tls_cert) == 0 &&
                strcmp(now->tls_key, next->tls_key) == 0;
    if (same || !next->tls_cert[0]) return true;
    struct tls *tls = read_settings(next, err);
    tls_free(tls);
    return tls != NULL;
}
