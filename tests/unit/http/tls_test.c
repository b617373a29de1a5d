/* SPDX-License-Identifier: MIT */
/* The server over TLS: what other tests prove of plain connections, with TLS between. */
#include "fixture.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "certificate.h"
#include "http/tls.h"

#define HOST "Host: localhost\r\n"
#define CLOSE HOST "Connection: close\r\n\r\n"

enum { READ_MAX = 64 << 20, MANY = 100, PATIENCE = 60000 };

struct client {
    int fd;
    SSL *ssl;
};

static SSL_CTX *ctx;

static struct fixture *start(const struct http_limits *limits) {
    struct fixture *f = fixture_start(limits, false);
    fixture_command(f, "t");
    fixture_expect(f, "tls");
    return f;
}

/* window: bytes that the kernel keeps for a client which does not read; 0: as usual. */
static struct client secure(const struct fixture *f, int window) {
    struct client c = { .fd = client_connect(f), .ssl = SSL_new(ctx) };
    if (window > 0) (void)setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    assert_int_equal(SSL_set_fd(c.ssl, c.fd), 1);
    assert_int_equal(SSL_connect(c.ssl), 1);
    return c;
}

static void put(struct client *c, const char *text) {
    assert_int_equal(SSL_write(c->ssl, text, (int)strlen(text)), strlen(text));
}

/* More bytes; false at the end. */
static bool more(struct client *c, struct buf *out) {
    char room[TLS_PIECE];
    if (!out->max) buf_init(out, READ_MAX);
    int n = SSL_read(c->ssl, room, sizeof room);
    if (n > 0) assert_true(buf_add(out, room, (size_t)n));
    return n > 0;
}

static void read_until(struct client *c, struct buf *out, const char *text) {
    while (!out->data || !memmem(out->data, out->len, text, strlen(text))) {
        if (!more(c, out)) fail_msg("ended without \"%s\": %s", text, buf_str(out));
    }
}

/* To the end; true if the server said that it is one (close_notify). */
static bool read_end(struct client *c, struct buf *out) {
    while (more(c, out)) continue;
    return (SSL_get_shutdown(c->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
}

static void leave(struct client *c) {
    SSL_free(c->ssl);
    close(c->fd);
}

/* Once this is answered the server has seen whatever was sent before it. */
static void settle(const struct fixture *f) {
    struct buf out = { .max = 0 };
    struct client c = secure(f, 0);
    put(&c, "GET /quick HTTP/1.1\r\n" CLOSE);
    assert_true(read_end(&c, &out));
    assert_memory_equal(out.data, "HTTP/1.1 200", 12);
    leave(&c);
    buf_clear(&out);
}

static void test_requests_follow_on_a_connection(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *f = start(NULL);
    struct client c = secure(f, 0);
    put(&c, "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n" HOST "\r\nfirst");
    read_until(&c, &out, "first");
    put(&c, "GET /things/2 HTTP/1.1\r\n" CLOSE);
    assert_true(read_end(&c, &out));
    assert_non_null(strstr(out.data, "id=2"));
    leave(&c);
    buf_clear(&out);
    fixture_stop(f);
}

static void test_slow_reader_gets_a_large_answer_whole(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *f = start(NULL);
    struct client c = secure(f, 16 * 1024);
    put(&c, "GET /big HTTP/1.1\r\n" CLOSE);
    settle(f); /* nobody else waits for it */
    assert_true(read_end(&c, &out));
    assert_int_equal(strspn(strstr(out.data, "xxx"), "x"), BIG_SIZE);
    leave(&c);
    buf_clear(&out);
    fixture_stop(f);
}

static void test_pressure_and_too_slow_a_client(void **state) {
    char *pieces = repeat("w", 400);
    (void)state;
    struct fixture *f = start(NULL);
    struct client c = secure(f, 16 * 1024);
    put(&c, "GET /hold HTTP/1.1\r\n" CLOSE);
    fixture_expect(f, "held");
    fixture_command(f, "b");
    fixture_command(f, pieces);
    fixture_expect(f, "pressure 1");
    fixture_expect(f, "gone");
    settle(f);
    leave(&c);
    free(pieces);
    fixture_stop(f);
}

static void test_pieces_of_a_stream_arrive_as_they_are_written(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *f = start(NULL);
    struct client c = secure(f, 0);
    put(&c, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_expect(f, "held");
    fixture_command(f, "bs");
    read_until(&c, &out, "c\r\ndata: tick\n\n\r\n");
    fixture_command(f, "se");
    read_until(&c, &out, "0\r\n\r\n");
    leave(&c);
    buf_clear(&out);
    fixture_stop(f);
}

/* By the end of TCP, or of TLS alone. */
static void test_client_leaves(void **state) {
    (void)state;
    struct fixture *f = start(NULL);
    struct client c = secure(f, 0);
    put(&c, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_expect(f, "held");
    leave(&c);
    fixture_expect(f, "gone");
    c = secure(f, 0);
    put(&c, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_expect(f, "held");
    assert_int_equal(SSL_shutdown(c.ssl), 0);
    fixture_expect(f, "gone");
    leave(&c);
    fixture_stop(f);
}

static void test_complete_answer_reaches_a_finished_client(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *f = start(NULL);
    struct client c = secure(f, 16 * 1024);
    put(&c, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    read_until(&c, &out, "xxx");
    assert_int_equal(SSL_shutdown(c.ssl), 0);
    settle(f);
    (void)read_end(&c, &out);
    assert_int_equal(strspn(strstr(out.data, "xxx"), "x"), BIG_SIZE);
    leave(&c);
    buf_clear(&out);
    fixture_stop(f);
}

/* More than is kept while one runs. */
static void test_pipelined_requests_wait(void **state) {
    struct buf out = { .max = 0 };
    char *many = repeat("GET /quick HTTP/1.1\r\n" HOST "\r\n", 8000);
    (void)state;
    struct fixture *f = start(NULL);
    struct client c = secure(f, 0);
    put(&c, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_expect(f, "held");
    size_t sent = 300000, whole = strlen(many);
    assert_int_equal(SSL_write(c.ssl, many, (int)sent), sent);
    settle(f);
    fixture_command(f, "r");
    read_until(&c, &out, "held");
    assert_true(sent < whole);
    read_until(&c, &out, "quick");
    leave(&c);
    free(many);
    buf_clear(&out);
    fixture_stop(f);
}

static void test_plain_http_is_answered_in_plain(void **state) {
    char big[] = "POST /echo HTTP/1.1\r\nContent-Length: 900\r\n" HOST "\r\n";
    (void)state;
    struct fixture *f = start(NULL);
    client_check(f, "GET /quick HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 400 ", "use https://");
    client_check(f, big, "HTTP/1.1 400 ", "tls_required");
    settle(f);
    fixture_stop(f);
}

/* Whether or not it begins like TLS. */
static void test_garbage_is_refused(void **state) {
    char garbage[10000];
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *f = start(NULL);
    for (int first = 0x15; first <= 0x17; first++) {
        int fd = client_connect(f);
        memset(garbage, 0xa5, sizeof garbage);
        garbage[0] = (char)first;
        client_send_anyway(fd, garbage, sizeof garbage);
        (void)shutdown(fd, SHUT_WR);
        (void)client_read_end(fd, &out);
        close(fd);
        if (first != 0x16) continue;
        char *line = fixture_next(f);
        assert_memory_equal(line, "no tls: ", 8);
        free(line);
    }
    settle(f);
    buf_clear(&out);
    fixture_stop(f);
}

static void test_old_client_reads_why(void **state) {
    (void)state;
    struct fixture *f = start(NULL);
    struct client c = { .fd = client_connect(f), .ssl = SSL_new(ctx) };
    SSL_set_security_level(c.ssl, 0);
    (void)SSL_set_min_proto_version(c.ssl, TLS1_VERSION);
    (void)SSL_set_max_proto_version(c.ssl, TLS1_1_VERSION);
    assert_int_equal(SSL_set_fd(c.ssl, c.fd), 1);
    assert_int_equal(SSL_connect(c.ssl), -1);
    unsigned long reason = ERR_peek_last_error();
    assert_string_equal(ERR_reason_error_string(reason), "tlsv1 alert protocol version");
    ERR_clear_error();
    fixture_expect(f, "no tls: unsupported protocol");
    leave(&c);
    fixture_stop(f);
}

static void test_dripped_handshake_is_cut(void **state) {
    struct http_limits limits = http_limits_default;
    struct buf out = { .max = 0 };
    (void)state;
    limits.handshake = 3000; /* the other's must be complete by then */
    struct fixture *f = start(&limits);
    struct client other = secure(f, 0);
    int fd = client_connect(f);
    struct pollfd waiting = { .fd = fd, .events = POLLIN };
    client_send_bytes(fd, "\x16\x03\x01\x02\x00", 5);
    for (int i = 0; poll(&waiting, 1, 20) == 0; i++) {
        assert_true(i < 500);
        client_send_anyway(fd, "\x01", 1);
    }
    (void)client_read_end(fd, &out);
    assert_int_equal(out.len, 0);
    close(fd);
    put(&other, "GET /quick HTTP/1.1\r\n" CLOSE); /* its handshake was complete */
    assert_true(read_end(&other, &out));
    leave(&other);
    buf_clear(&out);
    fixture_stop(f);
}

/* Each asks for an answer; this client reads none. */
static void test_key_updates_without_end_are_cut(void **state) {
    (void)state;
    struct fixture *f = start(NULL);
    struct client c = secure(f, 4096);
    put(&c, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_expect(f, "held");
    int sent = 0;
    while (SSL_key_update(c.ssl, SSL_KEY_UPDATE_REQUESTED) == 1 &&
           SSL_do_handshake(c.ssl) == 1) {
        assert_true(++sent < 1000000);
    }
    ERR_clear_error();
    fixture_expect(f, "gone");
    settle(f);
    leave(&c);
    fixture_stop(f);
}

static void watch_answer(int epoll, int fd) {
    struct epoll_event wish = { .events = EPOLLIN | EPOLLET, .data.fd = fd };
    assert_int_equal(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wish), 0);
}

/* How many had something to read before this one had; the kernel keeps the order. */
static int count_answered_before(int epoll, int fd) {
    struct epoll_event next;
    int count = 0;
    for (;; count++) {
        assert_int_equal(epoll_wait(epoll, &next, 1, PATIENCE), 1);
        if (next.data.fd == fd) return count;
    }
}

static void begin_handshakes(struct client *many) {
    for (int i = 0; i < MANY; i++) {
        many[i].ssl = SSL_new(ctx);
        assert_int_equal(SSL_set_fd(many[i].ssl, many[i].fd), 1);
        assert_int_equal(fcntl(many[i].fd, F_SETFL, O_NONBLOCK), 0);
        assert_int_equal(SSL_connect(many[i].ssl), -1); /* the first message is sent */
    }
}

static void end_handshakes(struct client *many) {
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(fcntl(many[i].fd, F_SETFL, 0), 0);
        assert_int_equal(SSL_connect(many[i].ssl), 1);
        leave(&many[i]);
    }
}

/* Each of them computes for milliseconds; all of them would take a second or more. */
static void test_many_handshakes_leave_turns_to_others(void **state) {
    struct certificate_wish slow = { .name = "slow", .with_key = true, .rsa_bits = 3072 };
    struct client many[MANY];
    struct buf out = { .max = 0 };
    const char *usual = fixture_tls;
    (void)state;
    fixture_tls = certificate_write(&slow);
    struct fixture *f = start(NULL);
    struct client other = secure(f, 0);
    put(&other, "GET /things/0 HTTP/1.1\r\n" HOST "\r\n");
    read_until(&other, &out, "id=0"); /* nothing of its handshake is left to read */
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    watch_answer(epoll, other.fd);
    for (int i = 0; i < MANY; i++) {
        many[i].fd = client_connect(f);
        watch_answer(epoll, many[i].fd);
    }
    settle(f); /* all are accepted */
    assert_int_equal(kill(f->pid, SIGSTOP), 0);
    begin_handshakes(many);
    put(&other, "GET /quick HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(kill(f->pid, SIGCONT), 0);
    assert_true(count_answered_before(epoll, other.fd) < MANY - 20);
    read_until(&other, &out, "quick");
    close(epoll);
    end_handshakes(many);
    leave(&other);
    buf_clear(&out);
    fixture_stop(f);
    fixture_tls = usual;
}

static bool names(const struct client *c, const char *name) {
    char text[64] = "";
    X509 *cert = SSL_get1_peer_certificate(c->ssl);
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text,
                                    sizeof text);
    X509_free(cert);
    return strcmp(text, name) == 0;
}

static void test_new_certificate_leaves_streams_alone(void **state) {
    struct certificate_wish next = { .name = "first", .with_key = true };
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *f = start(NULL);
    struct client old = secure(f, 0);
    put(&old, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_expect(f, "held");
    fixture_command(f, "bs");
    (void)certificate_write(&next); /* in the place of the first, with another key */
    fixture_command(f, "t");
    fixture_expect(f, "tls");
    struct client fresh = secure(f, 0);
    assert_true(names(&old, "first") && names(&fresh, "first"));
    X509 *a = SSL_get1_peer_certificate(old.ssl), *b = SSL_get1_peer_certificate(fresh.ssl);
    assert_int_not_equal(X509_cmp(a, b), 0);
    X509_free(a);
    X509_free(b);
    fixture_command(f, "se");
    read_until(&old, &out, "0\r\n\r\n");
    leave(&old);
    leave(&fresh);
    buf_clear(&out);
    fixture_stop(f);
}

static void test_upgraded_connection(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *f = start(NULL);
    struct client c = secure(f, 0);
    put(&c,
        "GET /upgrade HTTP/1.1\r\nUpgrade: echo\r\nConnection: Upgrade\r\n" HOST "\r\nearly");
    read_until(&c, &out, "early");
    fixture_expect(f, "upgraded");
    fixture_command(f, "c");
    assert_true(read_end(&c, &out));
    leave(&c);
    fixture_expect(f, "closed");
    buf_clear(&out);
    fixture_stop(f);
}

static void test_server_closes_amid_all(void **state) {
    struct buf out = { .max = 0 };
    (void)state;
    struct fixture *f = start(NULL);
    struct client idle = secure(f, 0), streaming = secure(f, 0);
    int half = client_connect(f);
    client_send_bytes(half, "\x16\x03\x01\x02\x00\x01", 6);
    put(&streaming, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    fixture_expect(f, "held");
    settle(f);
    fixture_command(f, "bsq");
    fixture_expect(f, "gone");
    (void)read_end(&idle, &out);
    leave(&idle);
    leave(&streaming);
    close(half);
    buf_clear(&out);
    fixture_join(f);
}

static int set_up(void **state) {
    struct certificate_wish wish = { .name = "first", .with_key = true };
    (void)state;
    fixture_tls = certificate_write(&wish);
    ctx = SSL_CTX_new(TLS_client_method());
    return 0;
}

static int tidy(void **state) {
    (void)state;
    SSL_CTX_free(ctx);
    certificate_tidy();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_follow_on_a_connection),
        cmocka_unit_test(test_slow_reader_gets_a_large_answer_whole),
        cmocka_unit_test(test_pressure_and_too_slow_a_client),
        cmocka_unit_test(test_pieces_of_a_stream_arrive_as_they_are_written),
        cmocka_unit_test(test_client_leaves),
        cmocka_unit_test(test_complete_answer_reaches_a_finished_client),
        cmocka_unit_test(test_pipelined_requests_wait),
        cmocka_unit_test(test_plain_http_is_answered_in_plain),
        cmocka_unit_test(test_garbage_is_refused),
        cmocka_unit_test(test_old_client_reads_why),
        cmocka_unit_test(test_dripped_handshake_is_cut),
        cmocka_unit_test(test_key_updates_without_end_are_cut),
        cmocka_unit_test(test_many_handshakes_leave_turns_to_others),
        cmocka_unit_test(test_new_certificate_leaves_streams_alone),
        cmocka_unit_test(test_upgraded_connection),
        cmocka_unit_test(test_server_closes_amid_all),
    };
    return cmocka_run_group_tests(tests, set_up, tidy);
}
