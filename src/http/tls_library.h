/* SPDX-License-Identifier: MIT */
/*
 * tls_library.h - OpenSSL, loaded when a certificate is set.
 *
 * `doze serve` must stay small while idle, and most servers have no certificate: OpenSSL takes
 * 5 MB of resident memory (measured).
 */
#ifndef DOZE_HTTP_TLS_LIBRARY_H
#define DOZE_HTTP_TLS_LIBRARY_H

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/error.h"

/* libssl's, and libcrypto's, which comes with it. */
#define TLS_FUNCTIONS(X)                                                                       \
    X(BIO_clear_flags)                                                                         \
    X(BIO_get_data)                                                                            \
    X(BIO_meth_new)                                                                            \
    X(BIO_meth_set_ctrl)                                                                       \
    X(BIO_meth_set_read)                                                                       \
    X(BIO_meth_set_write)                                                                      \
    X(BIO_new)                                                                                 \
    X(BIO_set_data)                                                                            \
    X(BIO_set_flags)                                                                           \
    X(BIO_set_init)                                                                            \
    X(ERR_clear_error)                                                                         \
    X(ERR_peek_error)                                                                          \
    X(ERR_reason_error_string)                                                                 \
    X(SSL_CTX_ctrl)                                                                            \
    X(SSL_CTX_free)                                                                            \
    X(SSL_CTX_get0_certificate)                                                                \
    X(SSL_CTX_new)                                                                             \
    X(SSL_CTX_set_alpn_select_cb)                                                              \
    X(SSL_CTX_set_default_passwd_cb)                                                           \
    X(SSL_CTX_set_options)                                                                     \
    X(SSL_CTX_use_PrivateKey_file)                                                             \
    X(SSL_CTX_use_certificate_chain_file)                                                      \
    X(SSL_free)                                                                                \
    X(SSL_get_error)                                                                           \
    X(SSL_is_init_finished)                                                                    \
    X(SSL_new)                                                                                 \
    X(SSL_read)                                                                                \
    X(SSL_set_accept_state)                                                                    \
    X(SSL_set_bio)                                                                             \
    X(SSL_shutdown)                                                                            \
    X(SSL_write)                                                                               \
    X(TLS_server_method)                                                                       \
    X(X509_cmp_current_time)                                                                   \
    X(X509_get0_notAfter)

#define TLS_POINTER(name) __typeof__(name) *(name);
struct tls_library {
    TLS_FUNCTIONS(TLS_POINTER)
};
#undef TLS_POINTER

/* Loads it once. NULL with ERR_IO and a sentence without its full stop if OpenSSL 3 is
 * not installed. */
const struct tls_library *tls_library_get(struct error *err);

#endif
