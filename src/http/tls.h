/* SPDX-License-Identifier: MIT */
/*
 * tls.h - the server's side of TLS 1.2 and 1.3, by OpenSSL: bytes of the client in, plain bytes
 * out, and the other way round. Knows no socket, loop or HTTP; stream.c carries the bytes.
 *
 *   stream --cipher--> tls_session_feed, tls_session_read --plain--> owner
 *   owner --plain--> tls_session_write, tls_session_output --cipher--> stream
 *
 * The client cannot renegotiate, send early data or choose another protocol than HTTP/1.1
 * (ALPN). One thread.
 */
#ifndef DOZE_HTTP_TLS_H
#define DOZE_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

enum {
    TLS_PIECE = 16 * 1024,       /* most plain bytes of a record (RFC 8446, 5.1) */
    TLS_OUTPUT_MAX = 256 * 1024, /* that a session keeps */
};

/* A certificate with its key: what new sessions use. */
struct tls;

/* Read the certificate with its chain, and the key, from files in PEM form; key NULL: it is in
 * the certificate's file. Blocks. NULL with ERR_INVALID_REQUEST and a sentence without its full
 * stop, to which the caller adds what to do; also for a key of another certificate, or one that
 * needs a passphrase. */
struct tls *tls_new(const char *cert, const char *key, struct error *err);
/* Sessions that exist go on. Accepts NULL. */
void tls_free(struct tls *tls);
/* Is the certificate's last day over? */
bool tls_has_expired(const struct tls *tls);

/* One connection. */
struct tls_session;

struct tls_session *tls_session_new(const struct tls *tls);
/* Accepts NULL. */
void tls_session_free(struct tls_session *s);

enum tls_step {
    TLS_MORE,   /* all that was fed is used */
    TLS_BYTES,  /* there may be more */
    TLS_END,    /* the client sends nothing further (close_notify) */
    TLS_BROKEN, /* see tls_session_why; only the output is left to be sent */
};

/* Bytes that the client sent: borrowed until tls_session_read has returned another step than
 * TLS_BYTES. */
void tls_session_feed(struct tls_session *s, const char *bytes, size_t len);
/* Write up to `size` plain bytes; *ret_len is set with TLS_BYTES only. */
enum tls_step tls_session_read(struct tls_session *s, char *bytes, size_t size,
                               size_t *ret_len);

/* Is the handshake complete? */
bool tls_session_is_open(const struct tls_session *s);
/* Did the client begin with something that is not TLS? */
bool tls_session_is_foreign(const struct tls_session *s);
/* Why there is no session: "unsupported protocol". */
const char *tls_session_why(const struct tls_session *s);

/* Encrypt; while the session is open, at most TLS_PIECE bytes. False if it is broken. */
bool tls_session_write(struct tls_session *s, const void *bytes, size_t len)
    __attribute__((warn_unused_result));
/* Say that nothing further comes (close_notify). */
void tls_session_end(struct tls_session *s);

/* What has to be sent to the client; the caller empties it after each call that may fill it:
 * tls_session_read, _write, _end. */
struct buf *tls_session_output(struct tls_session *s);

#endif
