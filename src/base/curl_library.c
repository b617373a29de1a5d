/* SPDX-License-Identifier: MIT */
#include "base/curl_library.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/dynamic_library.h"

#define CURL_TAKE(name) ok = dynamic_library_take(handle, "curl_" #name, &library.name) && ok;

const struct curl_library *curl_library_get(struct error *err) {
    static struct curl_library library;
    static bool loaded;
    if (loaded) return &library;
    void *handle = dlopen("libcurl.so.4", RTLD_NOW);
    if (!handle) handle = dlopen("libcurl-gnutls.so.4", RTLD_NOW);
    bool ok = handle != NULL;
    if (ok) {
        CURL_FUNCTIONS(CURL_TAKE)
    }
    if (!ok) {
        error_set(err, ERR_IO, "libcurl cannot be loaded; install it (Debian: libcurl4).");
        return NULL;
    }
    loaded = true;
    return &library;
}

static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *to) {
    (void)ctx;
    (void)purpose;
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

void curl_library_keep_sockets(const struct curl_library *curl, CURL *easy) {
    curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
}

void curl_library_trust(const struct curl_library *curl, CURL *easy) {
    const char *file = getenv("SSL_CERT_FILE");
    if (file && *file) curl->easy_setopt(easy, CURLOPT_CAINFO, file);
}
