/* SPDX-License-Identifier: MIT */
#include "http/tls.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "http/tls_library.h"

enum { HANDSHAKE_RECORD = 0x16 }; /* the first byte of every client that speaks TLS */

struct tls {
    const struct tls_library *lib;
    SSL_CTX *ctx;
};

struct tls_session {
    const struct tls_library *lib;
    SSL *ssl;
    const char *in; /* fed and not read yet */
    size_t in_len;
    struct buf out;
    bool begun, foreign, broken, ended;
    const char *why;
};

/* ---- the certificate ---- */

static const char *first_reason(const struct tls_library *lib) {
    const char *reason = lib->ERR_reason_error_string(lib->ERR_peek_error());
    return reason ? reason : "no reason given";
}

/* Anything else, such as a FIFO, could block. */
static bool is_file(const char *path, struct error *err) {
    struct stat st;
    if (stat(path, &st) != 0) {
        return error_set(err, ERR_INVALID_REQUEST, "%.160s cannot be read (%s)", path,
                         strerror(errno));
    }
    return S_ISREG(st.st_mode) ||
           error_set(err, ERR_INVALID_REQUEST, "%.160s is not a file", path);
}

/* Otherwise OpenSSL asks for one on the terminal. */
static int no_passphrase(char *text, int size, int writing, void *ctx) {
    (void)text;
    (void)size;
    (void)writing;
    (void)ctx;
    return -1;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *ctx) {
    static const char http[] = "http/1.1";
    const unsigned char len = sizeof http - 1;
    (void)ssl;
    (void)ctx;
    for (unsigned at = 0; at < in_len; at += 1u + in[at]) {
        if (in[at] != len || in_len - at <= len || memcmp(in + at + 1, http, len) != 0)
            continue;
        *out = in + at + 1;
        *out_len = len;
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void set_rules(const struct tls *tls) {
    const struct tls_library *lib = tls->lib;
    (void)lib->SSL_CTX_ctrl(tls->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
    (void)lib->SSL_CTX_ctrl(tls->ctx, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, NULL);
    (void)lib->SSL_CTX_ctrl(tls->ctx, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, NULL);
    (void)lib->SSL_CTX_set_options(tls->ctx, SSL_OP_NO_RENEGOTIATION);
    lib->SSL_CTX_set_alpn_select_cb(tls->ctx, choose_protocol, NULL);
    lib->SSL_CTX_set_default_passwd_cb(tls->ctx, no_passphrase);
}

static bool read_files(const struct tls *tls, const char *cert, const char *key,
                       struct error *err) {
    const struct tls_library *lib = tls->lib;
    if (!is_file(cert, err) || !is_file(key, err)) return false;
    lib->ERR_clear_error();
    if (lib->SSL_CTX_use_certificate_chain_file(tls->ctx, cert) != 1) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "%.160s has no usable certificate in PEM form (%s)", cert,
                         first_reason(lib));
    }
    if (lib->SSL_CTX_use_PrivateKey_file(tls->ctx, key, SSL_FILETYPE_PEM) != 1) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "%.160s has no usable key of the certificate, in PEM form and without "
                         "a passphrase (%s)",
                         key, first_reason(lib));
    }
    return true;
}

struct tls *tls_new(const char *cert, const char *key, struct error *err) {
    const struct tls_library *lib = tls_library_get(err);
    if (!lib) return NULL;
    struct tls *tls = xcalloc(1, sizeof *tls);
    tls->lib = lib;
    tls->ctx = lib->SSL_CTX_new(lib->TLS_server_method());
    if (!tls->ctx) abort(); /* out of memory */
    set_rules(tls);
    bool ok = read_files(tls, cert, key ? key : cert, err);
    lib->ERR_clear_error();
    if (ok) return tls;
    tls_free(tls);
    return NULL;
}

void tls_free(struct tls *tls) {
    if (!tls) return;
    tls->lib->SSL_CTX_free(tls->ctx);
    free(tls);
}

bool tls_has_expired(const struct tls *tls) {
    const X509 *cert = tls->lib->SSL_CTX_get0_certificate(tls->ctx);
    return tls->lib->X509_cmp_current_time(tls->lib->X509_get0_notAfter(cert)) < 0;
}

/* ---- OpenSSL's socket: reads what was fed, writes to the output ---- */

static const struct tls_library *library_of_bio(void) {
    struct error ignored;
    return tls_library_get(&ignored); /* it is loaded: there is a BIO */
}

static int bio_read(BIO *bio, char *bytes, int size) {
    const struct tls_library *lib = library_of_bio();
    struct tls_session *s = lib->BIO_get_data(bio);
    size_t len = s->in_len < (size_t)size ? s->in_len : (size_t)size;
    lib->BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    if (len == 0) {
        lib->BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
        return -1;
    }
    memcpy(bytes, s->in, len);
    s->in += len;
    s->in_len -= len;
    return (int)len;
}

static int bio_write(BIO *bio, const char *bytes, int len) {
    const struct tls_library *lib = library_of_bio();
    struct tls_session *s = lib->BIO_get_data(bio);
    lib->BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
    return buf_add(&s->out, bytes, (size_t)len) ? len : -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static const BIO_METHOD *bio_method(const struct tls_library *lib) {
    static BIO_METHOD *method;
    if (method) return method;
    method = lib->BIO_meth_new(BIO_TYPE_SOURCE_SINK, "doze stream");
    if (!method) abort(); /* out of memory */
    lib->BIO_meth_set_read(method, bio_read);
    lib->BIO_meth_set_write(method, bio_write);
    lib->BIO_meth_set_ctrl(method, bio_ctrl);
    return method;
}

/* ---- a session ---- */

struct tls_session *tls_session_new(const struct tls *tls) {
    const struct tls_library *lib = tls->lib;
    struct tls_session *s = xcalloc(1, sizeof *s);
    BIO *bio = lib->BIO_new(bio_method(lib));
    s->lib = lib;
    s->ssl = lib->SSL_new(tls->ctx);
    if (!bio || !s->ssl) abort(); /* out of memory */
    buf_init(&s->out, TLS_OUTPUT_MAX);
    lib->BIO_set_data(bio, s);
    lib->BIO_set_init(bio, 1);
    lib->SSL_set_bio(s->ssl, bio, bio);
    lib->SSL_set_accept_state(s->ssl);
    return s;
}

void tls_session_free(struct tls_session *s) {
    if (!s) return;
    s->lib->SSL_free(s->ssl);
    buf_clear(&s->out);
    free(s);
}

void tls_session_feed(struct tls_session *s, const char *bytes, size_t len) {
    if (!s->begun) s->foreign = len > 0 && bytes[0] != HANDSHAKE_RECORD;
    s->begun = true;
    s->in = bytes;
    s->in_len = len;
}

static enum tls_step break_session(struct tls_session *s, const char *why) {
    s->in = NULL;
    s->in_len = 0;
    s->broken = true;
    s->why = why;
    return TLS_BROKEN;
}

enum tls_step tls_session_read(struct tls_session *s, char *bytes, size_t size,
                               size_t *ret_len) {
    if (s->broken) return TLS_BROKEN;
    if (s->foreign) return break_session(s, "it does not speak TLS");
    s->lib->ERR_clear_error();
    int got = s->lib->SSL_read(s->ssl, bytes, (int)size);
    if (got > 0) {
        *ret_len = (size_t)got;
        return TLS_BYTES;
    }
    switch (s->lib->SSL_get_error(s->ssl, got)) {
    case SSL_ERROR_WANT_READ:
        s->in = NULL;
        return TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        s->in = NULL;
        s->in_len = 0;
        return TLS_END;
    default:
        return break_session(s, first_reason(s->lib));
    }
}

bool tls_session_is_open(const struct tls_session *s) {
    return !s->broken && s->lib->SSL_is_init_finished(s->ssl);
}

bool tls_session_is_foreign(const struct tls_session *s) {
    return s->foreign;
}

const char *tls_session_why(const struct tls_session *s) {
    return s->why ? s->why : "it does not read";
}

bool tls_session_write(struct tls_session *s, const void *bytes, size_t len) {
    assert(len > 0 && len <= TLS_PIECE);
    if (!tls_session_is_open(s)) return false;
    s->lib->ERR_clear_error();
    if (s->lib->SSL_write(s->ssl, bytes, (int)len) == (int)len) return true;
    (void)break_session(s, "a record could not be written");
    return false;
}

void tls_session_end(struct tls_session *s) {
    if (s->ended || !tls_session_is_open(s)) return;
    s->ended = true; /* a second SSL_shutdown would read */
    s->lib->ERR_clear_error();
    (void)s->lib->SSL_shutdown(s->ssl);
}

struct buf *tls_session_output(struct tls_session *s) {
    return &s->out;
}
