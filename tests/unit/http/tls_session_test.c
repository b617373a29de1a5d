/* SPDX-License-Identifier: MIT */
/* Certificates and sessions without a socket: the client is OpenSSL's, on memory BIOs. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/xalloc.h"
#include "certificate.h"
#include "http/tls.h"

static const char *good; /* certificate and key in one file */

static int set_up(void **state) {
    struct certificate_wish wish = { .name = "good", .with_key = true };
    (void)state;
    good = certificate_write(&wish);
    return 0;
}

static int tidy(void **state) {
    (void)state;
    certificate_tidy();
    return 0;
}

/* ---- files ---- */

static void refuse(const char *cert, const char *key, const char *why) {
    struct error err;
    assert_null(tls_new(cert, key, &err));
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    if (!strstr(err.text, why)) fail_msg("expected \"%s\" in: %s", why, err.text);
}

static void test_key_in_the_same_file_or_another(void **state) {
    struct certificate_wish apart = { .name = "apart" };
    const char *cert = certificate_write(&apart);
    char *key = xasprintf("%s.key", cert);
    struct error err;
    (void)state;
    struct tls *tls = tls_new(good, NULL, &err);
    assert_non_null(tls);
    assert_false(tls_has_expired(tls));
    tls_free(tls);
    tls = tls_new(cert, key, &err);
    assert_non_null(tls);
    tls_free(tls);
    refuse(cert, NULL, "apart has no usable key");
    free(key);
}

static void test_damaged_files_are_refused(void **state) {
    struct certificate_wish other = { .name = "other" },
                            secret = { .name = "secret", .passphrase = "hidden" };
    char *missing = xasprintf("%smissing", certificate_folder());
    char *fifo = xasprintf("%sfifo", certificate_folder());
    char *other_key = xasprintf("%s.key", certificate_write(&other));
    const char *locked = certificate_write(&secret);
    char *locked_key = xasprintf("%s.key", locked);
    (void)state;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    refuse(missing, NULL, "missing cannot be read (No such file");
    refuse(good, missing, "missing cannot be read (No such file");
    refuse(certificate_folder(), NULL, "is not a file");
    refuse(fifo, NULL, "fifo is not a file");
    refuse(other_key, NULL, "other.key has no usable certificate in PEM form (no start line)");
    refuse(good, other_key, "other.key has no usable key of the certificate");
    refuse(locked, locked_key,
           "secret.key has no usable key of the certificate"); /* no prompt */
    assert_int_equal(unlink(fifo), 0);
    free(missing);
    free(fifo);
    free(other_key);
    free(locked_key);
}

static void test_cut_certificate_is_refused(void **state) {
    struct certificate_wish wish = { .name = "cut", .with_key = true };
    const char *cut = certificate_write(&wish);
    (void)state;
    assert_int_equal(truncate(cut, 200), 0);
    refuse(cut, NULL, "cut has no usable certificate");
}

static void test_expired_certificate_is_told(void **state) {
    struct certificate_wish wish = { .name = "old", .with_key = true, .expired = true };
    struct error err;
    (void)state;
    struct tls *tls = tls_new(certificate_write(&wish), NULL, &err);
    assert_non_null(tls);
    assert_true(tls_has_expired(tls));
    tls_free(tls);
}

/* ---- sessions ---- */

struct pair {
    struct tls *tls;
    struct tls_session *server;
    SSL_CTX *ctx;
    SSL *client;
    BIO *to_client, *from_client;
    struct buf plain; /* what the server has read */
    enum tls_step last;
};

static void pair_init(struct pair *p, int max_version, const char *alpn) {
    struct error err;
    *p = (struct pair){ .tls = tls_new(good, NULL, &err), .last = TLS_MORE };
    assert_non_null(p->tls);
    p->server = tls_session_new(p->tls);
    p->ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(p->ctx, 0);
    assert_int_equal(SSL_CTX_set_min_proto_version(p->ctx, TLS1_VERSION), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(p->ctx, max_version), 1);
    p->client = SSL_new(p->ctx);
    if (alpn) {
        assert_int_equal(
            SSL_set_alpn_protos(p->client, (const unsigned char *)alpn, (unsigned)strlen(alpn)),
            0);
    }
    p->to_client = BIO_new(BIO_s_mem());
    p->from_client = BIO_new(BIO_s_mem());
    SSL_set_bio(p->client, p->to_client, p->from_client);
    SSL_set_connect_state(p->client);
    buf_init(&p->plain, 1 << 20);
}

static void pair_clear(struct pair *p) {
    SSL_free(p->client);
    SSL_CTX_free(p->ctx);
    tls_session_free(p->server);
    tls_free(p->tls);
    buf_clear(&p->plain);
}

static void serve(struct pair *p, const char *bytes, size_t len) {
    char room[100];
    size_t got = 0;
    tls_session_feed(p->server, bytes, len);
    do {
        p->last = tls_session_read(p->server, room, sizeof room, &got);
        if (p->last == TLS_BYTES) assert_true(buf_add(&p->plain, room, got));
    } while (p->last == TLS_BYTES);
}

static void to_client(struct pair *p) {
    struct buf *out = tls_session_output(p->server);
    if (out->len > 0)
        assert_int_equal(BIO_write(p->to_client, out->data, (int)out->len), out->len);
    buf_clear(out);
}

/* Carry what the client has to say, `step` bytes at a time, and the answers. */
static void carry(struct pair *p, size_t step) {
    char *bytes;
    long len = BIO_get_mem_data(p->from_client, &bytes);
    char *copy = xcalloc(1, (size_t)len + 1);
    memcpy(copy, bytes, (size_t)len);
    (void)BIO_reset(p->from_client);
    for (size_t at = 0; at < (size_t)len; at += step) {
        size_t part = (size_t)len - at < step ? (size_t)len - at : step;
        serve(p, copy + at, part);
    }
    free(copy);
    to_client(p);
}

/* The client's verdict on the handshake. */
static bool shake_hands(struct pair *p, size_t step) {
    for (int i = 0; i < 10; i++) {
        ERR_clear_error();
        int done = SSL_do_handshake(p->client);
        int reason = SSL_get_error(p->client, done);
        carry(p, step);
        if (done == 1) return true;
        if (reason != SSL_ERROR_WANT_READ) return false;
        if (BIO_pending(p->to_client) == 0) return false;
    }
    return false;
}

static void test_bytes_pass_both_ways_in_any_pieces(void **state) {
    static const size_t steps[] = { 1, 7, 100000 };
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    char answer[TLS_PIECE], got[TLS_PIECE];
    (void)state;
    memset(answer, 'a', sizeof answer);
    for (size_t i = 0; i < 6; i++) {
        struct pair p;
        pair_init(&p, versions[i % 2], NULL);
        assert_false(tls_session_is_open(p.server));
        assert_true(shake_hands(&p, steps[i / 2]));
        assert_true(tls_session_is_open(p.server));
        assert_int_equal(SSL_version(p.client), versions[i % 2]);
        assert_int_equal(SSL_write(p.client, answer, sizeof answer), sizeof answer);
        carry(&p, steps[i / 2]);
        assert_int_equal(p.plain.len, sizeof answer);
        assert_memory_equal(p.plain.data, answer, sizeof answer);
        assert_true(tls_session_write(p.server, answer, sizeof answer));
        to_client(&p);
        assert_int_equal(SSL_read(p.client, got, sizeof got), sizeof got);
        assert_memory_equal(got, answer, sizeof got);
        pair_clear(&p);
    }
}

static void test_nothing_is_written_before_the_handshake(void **state) {
    struct pair p;
    (void)state;
    pair_init(&p, TLS1_3_VERSION, NULL);
    assert_false(tls_session_write(p.server, "early", 5));
    tls_session_end(p.server);
    assert_int_equal(tls_session_output(p.server)->len, 0);
    pair_clear(&p);
}

static void test_old_versions_are_refused(void **state) {
    static const int versions[] = { TLS1_VERSION, TLS1_1_VERSION };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair p;
        pair_init(&p, versions[i], NULL);
        assert_false(shake_hands(&p, 100000));
        assert_int_equal(p.last, TLS_BROKEN);
        assert_string_equal(tls_session_why(p.server), "unsupported protocol");
        assert_false(tls_session_is_foreign(p.server));
        pair_clear(&p);
    }
}

static void test_alpn_is_http_1_1_or_none(void **state) {
    const unsigned char *name;
    unsigned len;
    struct pair p;
    (void)state;
    pair_init(&p, TLS1_3_VERSION, "\x02h2\x08http/1.1");
    assert_true(shake_hands(&p, 100000));
    SSL_get0_alpn_selected(p.client, &name, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(name, "http/1.1", 8);
    pair_clear(&p);
    pair_init(&p, TLS1_3_VERSION, "\x02h2");
    assert_false(shake_hands(&p, 100000));
    assert_string_equal(tls_session_why(p.server), "no application protocol");
    pair_clear(&p);
}

static void test_renegotiation_is_refused_and_the_session_lives(void **state) {
    struct pair p;
    (void)state;
    pair_init(&p, TLS1_2_VERSION, NULL);
    assert_true(shake_hands(&p, 100000));
    assert_int_equal(SSL_renegotiate(p.client), 1);
    assert_int_equal(SSL_do_handshake(p.client), -1);
    carry(&p, 100000);
    assert_int_equal(p.last, TLS_MORE);
    assert_true(tls_session_is_open(p.server));
    assert_true(tls_session_write(p.server, "still", 5));
    pair_clear(&p);
}

static void test_what_is_no_tls_is_foreign(void **state) {
    static const char http[] = "GET / HTTP/1.1\r\n\r\n";
    char garbage[10000];
    struct pair p;
    (void)state;
    pair_init(&p, TLS1_3_VERSION, NULL);
    serve(&p, http, sizeof http - 1);
    assert_int_equal(p.last, TLS_BROKEN);
    assert_true(tls_session_is_foreign(p.server));
    pair_clear(&p);
    memset(garbage, 0x16, sizeof garbage); /* begins like TLS, and is none */
    pair_init(&p, TLS1_3_VERSION, NULL);
    serve(&p, garbage, sizeof garbage);
    assert_int_equal(p.last, TLS_BROKEN);
    assert_false(tls_session_is_foreign(p.server));
    assert_non_null(tls_session_why(p.server));
    pair_clear(&p);
}

static void test_damaged_record_breaks_the_session(void **state) {
    char *bytes;
    struct pair p;
    (void)state;
    pair_init(&p, TLS1_3_VERSION, NULL);
    assert_true(shake_hands(&p, 100000));
    assert_int_equal(SSL_write(p.client, "hello", 5), 5);
    long len = BIO_get_mem_data(p.from_client, &bytes);
    bytes[len - 1] ^= 1;
    serve(&p, bytes, (size_t)len);
    assert_int_equal(p.last, TLS_BROKEN);
    assert_int_equal(p.plain.len, 0);
    assert_false(tls_session_write(p.server, "x", 1));
    pair_clear(&p);
}

/* Each side says by itself that it has nothing more to send. */
static void test_ends_are_told(void **state) {
    char got[16];
    struct pair p;
    (void)state;
    pair_init(&p, TLS1_3_VERSION, NULL);
    assert_true(shake_hands(&p, 100000));
    assert_int_equal(SSL_write(p.client, "last", 4), 4);
    assert_int_equal(SSL_shutdown(p.client), 0);
    carry(&p, 100000);
    assert_int_equal(p.last, TLS_END);
    assert_string_equal(buf_str(&p.plain), "last");
    assert_true(tls_session_write(p.server, "answer", 6));
    tls_session_end(p.server);
    tls_session_end(p.server);
    to_client(&p);
    assert_int_equal(SSL_read(p.client, got, sizeof got), 6);
    assert_int_equal(SSL_read(p.client, got, sizeof got), 0);
    assert_int_equal(SSL_get_shutdown(p.client) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    pair_clear(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_in_the_same_file_or_another),
        cmocka_unit_test(test_damaged_files_are_refused),
        cmocka_unit_test(test_cut_certificate_is_refused),
        cmocka_unit_test(test_expired_certificate_is_told),
        cmocka_unit_test(test_bytes_pass_both_ways_in_any_pieces),
        cmocka_unit_test(test_nothing_is_written_before_the_handshake),
        cmocka_unit_test(test_old_versions_are_refused),
        cmocka_unit_test(test_alpn_is_http_1_1_or_none),
        cmocka_unit_test(test_renegotiation_is_refused_and_the_session_lives),
        cmocka_unit_test(test_what_is_no_tls_is_foreign),
        cmocka_unit_test(test_damaged_record_breaks_the_session),
        cmocka_unit_test(test_ends_are_told),
    };
    return cmocka_run_group_tests(tests, set_up, tidy);
}
