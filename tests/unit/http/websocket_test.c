/* SPDX-License-Identifier: MIT */
/* WebSocket frames on a real connection: RFC 6455 from the side of a client that does as it
 * likes. */
#include "fixture.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/websocket.h"

#define SHAKE                                                                                  \
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, "    \
    "Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                               \
    "Sec-WebSocket-Version: 13\r\n\r\n"

enum { OP_MORE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { FIN = 0x80, MASKED = 0x80, MASK = 0x5a };

/* Not one byte more: a ping may follow at once. */
static void read_handshake(int fd) {
    char head[1000] = "";
    for (size_t len = 0; !strstr(head, "\r\n\r\n"); len++) {
        assert_true(len + 1 < sizeof head);
        if (read(fd, head + len, 1) != 1) fail_msg("ended after: %s", head);
    }
    assert_memory_equal(head, "HTTP/1.1 101 ", 13);
    assert_non_null(strstr(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
}

static int open_socket_of(const struct fixture *f) {
    int fd = client_connect(f);
    client_send(fd, SHAKE);
    read_handshake(fd);
    return fd;
}

static int open_socket(void) {
    return open_socket_of(shared);
}

/* Lengths up to 65,535. */
static void send_frame(int fd, int first, const char *bytes, size_t len) {
    unsigned char head[8] = { (unsigned char)first };
    size_t at = 2;
    head[1] = (unsigned char)(MASKED | (len < 126 ? len : 126));
    if (len >= 126) {
        head[at++] = (unsigned char)(len >> 8);
        head[at++] = (unsigned char)len;
    }
    for (int i = 0; i < 4; i++) head[at++] = MASK;
    client_send_bytes(fd, head, at);
    char *masked = calloc(len + 1, 1);
    for (size_t i = 0; i < len; i++) masked[i] = (char)(bytes[i] ^ MASK);
    client_send_bytes(fd, masked, len);
    free(masked);
}

static void send_text(int fd, const char *text) {
    send_frame(fd, FIN | OP_TEXT, text, strlen(text));
}

static void read_bytes(int fd, unsigned char *bytes, size_t len) {
    for (size_t got = 0; got < len;) {
        ssize_t n = read(fd, bytes + got, len - got);
        if (n <= 0) fail_msg("the server sent too little");
        got += (size_t)n;
    }
}

/* The next frame, which is small, whole and not masked. */
static void expect_frame(int fd, int opcode, const char *bytes, size_t len) {
    unsigned char head[2], body[128] = { 0 };
    read_bytes(fd, head, 2);
    assert_int_equal(head[0], FIN | opcode);
    assert_int_equal(head[1], len);
    read_bytes(fd, body, len);
    assert_memory_equal(body, bytes, len);
}

/* Read what was left of a long message in pieces of that size, and check each byte. */
static void expect_letters(int fd, size_t at, size_t end, size_t piece) {
    unsigned char *bytes = malloc(piece);
    while (at < end) {
        size_t len = piece < end - at ? piece : end - at;
        read_bytes(fd, bytes, len);
        for (size_t i = 0; i < len; i++, at++) {
            if (bytes[i] != (unsigned char)ws_letter(at)) fail_msg("byte %zu is wrong", at);
        }
    }
    free(bytes);
}

/* The head of a frame of 64 KB or more. */
static void expect_long_head(int fd, size_t len) {
    unsigned char head[10];
    size_t told = 0;
    read_bytes(fd, head, sizeof head);
    assert_int_equal(head[0], FIN | OP_TEXT);
    assert_int_equal(head[1], 127);
    for (int i = 2; i < 10; i++) told = told << 8 | head[i];
    assert_int_equal(told, len);
}

static void ask_long(int fd, size_t len) {
    char text[32];
    snprintf(text, sizeof text, "long %zu", len);
    send_text(fd, text);
}

/* The next line that is not about pressure: whether a megabyte is too much for the kernel at
 * once is its own affair. */
static void expect_past_pressure(struct fixture *f, const char *line) {
    char *got = fixture_next(f);
    while (strcmp(got, "ws paused") == 0 || strcmp(got, "ws resumed") == 0) {
        free(got);
        got = fixture_next(f);
    }
    assert_string_equal(got, line);
    free(got);
}

/* A close frame with that status, then the end of the stream. */
static void expect_closed(int fd, unsigned status) {
    unsigned char head[2], body[128];
    read_bytes(fd, head, 2);
    assert_int_equal(head[0], FIN | OP_CLOSE);
    assert_true(head[1] >= 2 && head[1] < 126);
    read_bytes(fd, body, head[1]);
    assert_int_equal(body[0] << 8 | body[1], status);
    send_frame(fd, FIN | OP_CLOSE, (const char *)body, 2);
    struct buf rest = { .max = 0 };
    (void)client_read_end(fd, &rest);
    assert_int_equal(rest.len, 0);
    buf_clear(&rest);
    close(fd);
    fixture_expect(shared, "ws closed");
}

static void test_accept_key_is_that_of_the_rfc(void **state) {
    char accept[WEBSOCKET_ACCEPT_SIZE];
    (void)state;
    assert_true(websocket_accept_key("dGhlIHNhbXBsZSBub25jZQ==", accept));
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    static const char *const bad[] = { "",
                                       "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZR==",
                                       "dGhlIHNhbXBsZSBub25j!Q==", "dGhlIHNhbXBsZSBub25jZQAA" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(websocket_accept_key(bad[i], accept));
    }
}

static void test_handshakes_that_are_none(void **state) {
    (void)state;
    client_check(shared, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                 "HTTP/1.1 426 ", "Sec-WebSocket-Version: 13");
    client_check(shared,
                 "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
                 "Upgrade, close\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: "
                 "dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                 "HTTP/1.1 426 ", "Sec-WebSocket-Version: 13");
    client_check(shared,
                 "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
                 "Upgrade, close\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
                 "short\r\n\r\n",
                 "HTTP/1.1 400 ", "Sec-WebSocket-Key");
}

static void test_messages_come_back(void **state) {
    (void)state;
    int fd = open_socket();
    send_text(fd, "hello");
    expect_frame(fd, OP_TEXT, "hello", 5);
    send_text(fd, "");
    expect_frame(fd, OP_TEXT, "", 0);
    send_frame(fd, FIN | OP_CLOSE, "\x03\xe8", 2);
    expect_frame(fd, OP_CLOSE, "\x03\xe8", 2);
    close(fd);
    fixture_expect(shared, "ws closed");
}

static void test_fragments_with_a_ping_between_them(void **state) {
    (void)state;
    int fd = open_socket();
    send_frame(fd, OP_TEXT, "gr\xc3", 3); /* a character is cut in two */
    send_frame(fd, FIN | OP_PING, "beat", 4);
    send_frame(fd, FIN | OP_MORE, "\xbcn", 2);
    expect_frame(fd, OP_PONG, "beat", 4);
    expect_frame(fd, OP_TEXT, "gr\xc3\xbcn", 5);
    close(fd);
    fixture_expect(shared, "ws closed");
}

static void test_frames_must_be_masked(void **state) {
    (void)state;
    int fd = open_socket();
    client_send_bytes(fd, "\x81\x02hi", 4);
    expect_closed(fd, 1002);
}

static void test_text_must_be_utf8(void **state) {
    (void)state;
    int fd = open_socket();
    send_frame(fd, FIN | OP_TEXT, "\xff\xfe", 2);
    expect_closed(fd, 1007);
}

static void test_reserved_bits_are_refused(void **state) {
    (void)state;
    int fd = open_socket();
    send_frame(fd, FIN | 0x40 | OP_TEXT, "x", 1);
    expect_closed(fd, 1002);
}

static void test_binary_is_not_spoken(void **state) {
    (void)state;
    int fd = open_socket();
    send_frame(fd, FIN | OP_BINARY, "x", 1);
    expect_closed(fd, 1003);
}

/* The test server takes 1,000 bytes. */
static void test_too_long_a_message(void **state) {
    (void)state;
    int fd = open_socket();
    char *long_text = repeat("x", 1001);
    send_frame(fd, FIN | OP_TEXT, long_text, 1000);
    unsigned char head[4];
    read_bytes(fd, head, 4);
    unsigned char *body = calloc(1000, 1);
    read_bytes(fd, body, 1000);
    free(body);
    send_frame(fd, FIN | OP_TEXT, long_text, 1001);
    expect_closed(fd, 1009);
    free(long_text);
}

static void test_too_long_in_pieces(void **state) {
    (void)state;
    int fd = open_socket();
    char *half = repeat("x", 600);
    send_frame(fd, OP_TEXT, half, 600);
    send_frame(fd, OP_MORE, half, 600);
    expect_closed(fd, 1009);
    free(half);
}

static void test_long_answers_arrive_whole(void **state) {
    static const size_t sizes[] = { 65536, 65537, 131072, 1 << 20, 40 << 20 };
    (void)state;
    int fd = open_socket();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ask_long(fd, sizes[i]);
        send_text(fd, "and then");
        expect_long_head(fd, sizes[i]);
        expect_letters(fd, 0, sizes[i], 1 << 20);
        expect_frame(fd, OP_TEXT, "and then", 8);
    }
    close(fd);
    expect_past_pressure(shared, "ws closed");
}

/* Nothing is read before the server has run out of room. */
static void test_long_answers_arrive_whole_at_a_slow_reader(void **state) {
    enum { LONG = 40 << 20 };
    (void)state;
    int fd = open_socket();
    ask_long(fd, LONG);
    fixture_expect(shared, "ws paused");
    expect_long_head(fd, LONG);
    expect_letters(fd, 0, LONG, 1000);
    fixture_expect(shared, "ws resumed");
    send_text(fd, "and then");
    expect_frame(fd, OP_TEXT, "and then", 8);
    close(fd);
    fixture_expect(shared, "ws closed");
}

static void expect_echoes(int fd, size_t count) {
    unsigned char head[4], body[1000];
    for (size_t i = 0; i < count; i++) {
        read_bytes(fd, head, sizeof head);
        read_bytes(fd, body, sizeof body);
        assert_int_equal(body[999], 'x');
    }
}

/* ... nor does a client that reads nothing make the server keep what it asks for. */
static void test_who_does_not_read_is_not_read(void **state) {
    enum { MUCH = 40 << 20, BODY = 1000, FRAME = 8 + BODY };
    (void)state;
    int fd = open_socket();
    unsigned char frame[FRAME] = { FIN | OP_TEXT, MASKED | 126, BODY >> 8, BODY & 255 };
    size_t sent = 0;
    struct pollfd room = { .fd = fd, .events = POLLOUT };
    memset(frame + 8, 'x', BODY); /* the mask is 0 */
    while (sent < MUCH && poll(&room, 1, 500) == 1) {
        ssize_t n = send(fd, frame + sent % FRAME, FRAME - sent % FRAME, MSG_DONTWAIT);
        if (n > 0) sent += (size_t)n;
    }
    assert_true(sent < MUCH);
    expect_echoes(fd, sent / FRAME);
    client_send_bytes(fd, frame + sent % FRAME, FRAME - sent % FRAME);
    expect_echoes(fd, 1);
    close(fd);
    expect_past_pressure(shared, "ws closed");
}

/* In one write: those that follow are with the server already. */
static void test_no_message_overtakes_one_that_is_kept(void **state) {
    (void)state;
    int fd = open_socket();
    send_text(fd, "keep");
    for (int i = 0; i < 3; i++) send_text(fd, "next");
    send_text(fd, "keep it");
    send_text(fd, "last");
    expect_frame(fd, OP_TEXT, "kept 4", 6);
    for (int i = 0; i < 3; i++) expect_frame(fd, OP_TEXT, "next", 4);
    expect_frame(fd, OP_TEXT, "kept 7", 6);
    expect_frame(fd, OP_TEXT, "last", 4);
    close(fd);
    fixture_expect(shared, "ws goes on");
    fixture_expect(shared, "ws goes on");
    fixture_expect(shared, "ws closed");
}

static void test_a_socket_ends_only_when_its_kept_message_is_done(void **state) {
    (void)state;
    int fd = open_socket();
    send_text(fd, "keep");
    (void)shutdown(fd, SHUT_RDWR);
    close(fd);
    fixture_expect(shared, "ws goes on");
    fixture_expect(shared, "ws closed");
}

static void test_a_server_ends_only_when_a_kept_message_is_done(void **state) {
    (void)state;
    struct fixture *f = fixture_start(&http_limits_default, false);
    int fd = open_socket_of(f);
    send_text(fd, "keep");
    close(fd);
    fixture_stop(f);
}

/* All in the same bytes as the handshake: what comes while a message is kept stays outside. */
static void test_a_message_behind_the_handshake_may_be_kept(void **state) {
    (void)state;
    enum { FURTHER = 400 };
    char *text = repeat("x", 1000);
    int fd = client_connect(shared);
    client_send(fd, SHAKE);
    send_text(fd, "keep");
    for (int i = 0; i < FURTHER; i++) send_text(fd, text);
    read_handshake(fd);
    expect_frame(fd, OP_TEXT, "kept 4", 6);
    unsigned char head[4], body[1000];
    for (int i = 0; i < FURTHER; i++) {
        read_bytes(fd, head, 4);
        read_bytes(fd, body, 1000);
        assert_memory_equal(body, text, 1000);
    }
    free(text);
    close(fd);
    fixture_expect(shared, "ws goes on");
    expect_past_pressure(shared, "ws closed");
}

/* Pings between the answer to the first one and the end. */
static size_t count_pings_after_a_pong(struct fixture *f) {
    struct buf rest = { .max = 0 };
    int fd = open_socket_of(f);
    expect_frame(fd, OP_PING, "", 0);
    send_frame(fd, FIN | OP_PONG, "", 0);
    (void)client_read_end(fd, &rest);
    size_t pings = rest.len / 2;
    assert_int_equal(rest.len % 2, 0);
    for (size_t i = 0; i < pings; i++) {
        assert_memory_equal(rest.data + 2 * i, ((char[]){ (char)(FIN | OP_PING), 0 }), 2);
    }
    fixture_expect(f, "ws closed");
    buf_clear(&rest);
    close(fd);
    return pings;
}

static void test_a_silent_peer_is_given_up(void **state) {
    struct http_limits limits = http_limits_default;
    size_t pings = 0;
    (void)state;
    limits.ping = 100;
    struct fixture *f = fixture_start(&limits, false);
    /* Fewer: this machine stood still, and the pong was too late. */
    for (int tries = 0; tries < 10 && pings < 2; tries++) pings = count_pings_after_a_pong(f);
    assert_in_range(pings, 2, 3); /* one more if the pong came after the second ping */
    fixture_stop(f);
}

/* Pings wait behind the answer that is being sent, so none of them can be answered; but bytes
 * are taken. */
static void test_a_slow_reader_is_not_silent(void **state) {
    enum { LONG = 40 << 20, PING = 700, PIECE = 1 << 19 };
    struct http_limits limits = http_limits_default;
    struct pollfd never = { .fd = -1 };
    (void)state;
    limits.ping = PING;
    struct fixture *f = fixture_start(&limits, false);
    int fd = open_socket_of(f);
    ask_long(fd, LONG);
    expect_long_head(fd, LONG);
    msec begin = clock_boottime();
    size_t at = 0;
    for (; clock_boottime() - begin < 6 * PING; at += PIECE) {
        expect_letters(fd, at, at + PIECE, PIECE);
        (void)poll(&never, 1, PING / 5); /* slowness is the subject; nothing is waited for */
    }
    expect_letters(fd, at, LONG, PIECE);
    close(fd);
    expect_past_pressure(f, "ws closed");
    fixture_stop(f);
}

/* Read frames until the close; its status. The pings before it are empty. */
static int read_close(int fd, size_t *ret_pings) {
    unsigned char head[2], body[128] = { 0 };
    for (*ret_pings = 0;; ++*ret_pings) {
        read_bytes(fd, head, 2);
        read_bytes(fd, body, head[1]);
        if (head[0] != (FIN | OP_PING)) break;
    }
    assert_int_equal(head[0], FIN | OP_CLOSE);
    return body[0] << 8 | body[1];
}

static void test_messages_count_with_bodies(void **state) {
    struct http_limits limits = limits_of_bodies(100);
    char text[61] = { 0 };
    size_t pings;
    (void)state;
    memset(text, 't', 60);
    struct fixture *f = fixture_start(&limits, false);
    int first = open_socket_of(f), second = open_socket_of(f);
    send_frame(first, OP_TEXT, text, 60);
    send_frame(first, FIN | OP_PING, "p", 1);
    expect_frame(first, OP_PONG, "p", 1);
    send_text(second, text);
    assert_int_equal(read_close(second, &pings), WEBSOCKET_BUSY);
    send_frame(first, FIN | OP_MORE, "", 0);
    expect_frame(first, OP_TEXT, text, 60);
    int third = open_socket_of(f);
    send_text(third, text);
    expect_frame(third, OP_TEXT, text, 60);
    send_frame(third, OP_TEXT, text, 60);
    close(third); /* gives back what it holds */
    fixture_expect(f, "ws closed");
    int fourth = open_socket_of(f);
    send_text(fourth, text);
    expect_frame(fourth, OP_TEXT, text, 60);
    close(first);
    close(second);
    close(fourth);
    fixture_stop(f);
}

static void test_an_unfinished_message_has_a_deadline(void **state) {
    struct http_limits limits = http_limits_default;
    size_t pings;
    (void)state;
    limits.ping = 100;
    struct fixture *f = fixture_start(&limits, false);
    int fd = client_connect(f);
    /* In one piece: no ping comes before the message. */
    client_send(fd, SHAKE "\x01\x84ZZZZ)65-"); /* "slow", masked */
    read_handshake(fd);
    assert_int_equal(read_close(fd, &pings), WEBSOCKET_POLICY);
    assert_true(pings <= 1);
    close(fd);
    fixture_stop(f);
}

static void test_admission_has_a_deadline(void **state) {
    struct http_limits limits = http_limits_default;
    size_t pings;
    (void)state;
    limits.ping = 1500; /* the friend has to answer one in time */
    struct fixture *f = fixture_start(&limits, false);
    int stranger = open_socket_of(f), friend = open_socket_of(f);
    send_text(friend, "stranger");
    send_text(friend, "friend");
    send_text(stranger, "stranger");
    assert_int_equal(read_close(stranger, &pings), WEBSOCKET_POLICY);
    for (int i = 0; i < 3; i++) {
        expect_frame(friend, OP_PING, "", 0);
        send_frame(friend, FIN | OP_PONG, "", 0);
    }
    close(stranger);
    close(friend);
    fixture_stop(f);
}

static void test_the_server_closes(void **state) {
    (void)state;
    int fd = open_socket();
    send_text(fd, "close");
    expect_closed(fd, 1008);
}

static void test_the_last_word_is_read_before_the_end(void **state) {
    (void)state;
    int fd = open_socket();
    send_text(fd, "end");
    expect_frame(fd, OP_TEXT, "last word", 9);
    expect_closed(fd, 1008);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept_key_is_that_of_the_rfc),
        cmocka_unit_test(test_handshakes_that_are_none),
        cmocka_unit_test(test_messages_come_back),
        cmocka_unit_test(test_messages_count_with_bodies),
        cmocka_unit_test(test_an_unfinished_message_has_a_deadline),
        cmocka_unit_test(test_admission_has_a_deadline),
        cmocka_unit_test(test_fragments_with_a_ping_between_them),
        cmocka_unit_test(test_frames_must_be_masked),
        cmocka_unit_test(test_text_must_be_utf8),
        cmocka_unit_test(test_reserved_bits_are_refused),
        cmocka_unit_test(test_binary_is_not_spoken),
        cmocka_unit_test(test_too_long_a_message),
        cmocka_unit_test(test_too_long_in_pieces),
        cmocka_unit_test(test_long_answers_arrive_whole),
        cmocka_unit_test(test_long_answers_arrive_whole_at_a_slow_reader),
        cmocka_unit_test(test_who_does_not_read_is_not_read),
        cmocka_unit_test(test_no_message_overtakes_one_that_is_kept),
        cmocka_unit_test(test_a_socket_ends_only_when_its_kept_message_is_done),
        cmocka_unit_test(test_a_server_ends_only_when_a_kept_message_is_done),
        cmocka_unit_test(test_a_message_behind_the_handshake_may_be_kept),
        cmocka_unit_test(test_a_silent_peer_is_given_up),
        cmocka_unit_test(test_a_slow_reader_is_not_silent),
        cmocka_unit_test(test_the_server_closes),
        cmocka_unit_test(test_the_last_word_is_read_before_the_end),
    };
    return cmocka_run_group_tests_name("websocket", tests, fixture_set_up, fixture_tear_down);
}
