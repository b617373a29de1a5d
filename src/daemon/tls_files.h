/* SPDX-License-Identifier: MIT */
/*
 * tls_files.h - the certificate of the HTTP server: the files that the settings tls_cert and
 * tls_key name, read again when they change.
 *
 * A file that was damaged meanwhile leaves the former certificate in use. Files are small and
 * local; reading them blocks.
 */
#ifndef DOZE_DAEMON_TLS_FILES_H
#define DOZE_DAEMON_TLS_FILES_H

#include <sys/stat.h>

#include "base/msec.h"
#include "http/server.h"
#include "supervisor/settings.h"

struct tls_files {
    struct http_server *http; /* NULL: none yet */
    bool on;                  /* new connections are TLS */
    struct stat cert, key;    /* when they were read last */
    msec looked_at;
};

/* Give the server the certificate of the settings, or none. Fails with ERR_INVALID_REQUEST: the
 * server has what it had. */
bool tls_files_read(struct tls_files *files, const struct settings *settings, struct error *err)
    __attribute__((warn_unused_result));

/* A client comes: if the files are others than those that were read, read them. Looks once a
 * second. */
void tls_files_look(struct tls_files *files, const struct settings *settings, msec now);

/* Could a change of the settings be put into force? For settings_store_set_check. */
bool tls_files_check(const struct settings *now, const struct settings *next,
                     struct error *err);

#endif
