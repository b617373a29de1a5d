/* SPDX-License-Identifier: MIT */
/*
 * curl_library.h - libcurl, loaded when a command or a download needs it.
 *
 * `doze serve` must stay small while idle: libcurl and the thirty libraries that it needs would
 * take 5 MB of resident memory just by being linked (measured).
 */
#ifndef DOZE_BASE_CURL_LIBRARY_H
#define DOZE_BASE_CURL_LIBRARY_H

#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>

#include "base/error.h"

/* The functions are called through pointers of the same names, which are not macros. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define CURL_FUNCTIONS(X)                                                                      \
    X(global_init)                                                                             \
    X(easy_init)                                                                               \
    X(easy_setopt)                                                                             \
    X(easy_pause)                                                                              \
    X(easy_reset)                                                                              \
    X(easy_perform)                                                                            \
    X(easy_nextheader)                                                                         \
    X(easy_getinfo)                                                                            \
    X(easy_cleanup)                                                                            \
    X(easy_strerror)                                                                           \
    X(multi_init)                                                                              \
    X(multi_add_handle)                                                                        \
    X(multi_remove_handle)                                                                     \
    X(multi_perform)                                                                           \
    X(multi_info_read)                                                                         \
    X(multi_setopt)                                                                            \
    X(multi_assign)                                                                            \
    X(multi_socket_action)                                                                     \
    X(multi_poll)                                                                              \
    X(multi_cleanup)                                                                           \
    X(slist_append)                                                                            \
    X(slist_free_all)

#define CURL_POINTER(name) __typeof__(curl_##name)(*(name));
struct curl_library {
    CURL_FUNCTIONS(CURL_POINTER)
};
#undef CURL_POINTER

/* Open the transfer's sockets so that programs which are started meanwhile do not inherit them.
 * libcurl itself does not: a worker would keep them open after their end, and the loop would
 * still hear of them. */
void curl_library_keep_sockets(const struct curl_library *curl, CURL *easy);

/* Of a transfer: trust the certificates in the file that the variable SSL_CERT_FILE names, as
 * OpenSSL's own programs do, instead of the system's. */
void curl_library_trust(const struct curl_library *curl, CURL *easy);

/* Loads it once. NULL with ERR_IO if libcurl is not installed. */
const struct curl_library *curl_library_get(struct error *err);

#endif
