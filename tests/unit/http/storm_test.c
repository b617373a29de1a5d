/* SPDX-License-Identifier: MIT */
/* Many clients that stop anywhere in any kind of request: afterwards the server is as before.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"

enum { CLIENTS = 1500 };

/* Repeatable: the failing run is the next run. */
static unsigned pick(unsigned *seed, unsigned below) {
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % below;
}

static void leave(int fd, bool rudely) {
    struct linger at_once = { .l_onoff = 1 };
    if (rudely) (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

/* Send the beginning of some requests, perhaps all of them, read a little or nothing, leave. */
static void visit(const struct fixture *f, unsigned *seed) {
    static const char *const requests[] = {
        "GET /quick HTTP/1.1\r\n" HOST "\r\nGET /hold HTTP/1.1\r\n" HOST "\r\n",
        "GET /hold HTTP/1.1\r\n" HOST "\r\nGET /quick HTTP/1.1\r\n" HOST "\r\n",
        "GET /hold?late=1 HTTP/1.1\r\n" HOST "\r\n",
        "HEAD /hold HTTP/1.1\r\n" HOST "\r\n",
        "GET /hold HTTP/1.0\r\n\r\n",
        "GET /big HTTP/1.1\r\n" HOST "\r\n",
        "POST /count HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 30\r\n" HOST
        "\r\n123456789012345678901234567890GET /big HTTP/1.1\r\n" HOST "\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" HOST
        "\r\n5;e=v\r\nhello\r\n0\r\nT: t\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: 1000000\r\n" HOST "\r\nxxxxxxxxxxxxxxx",
        "GET /upgrade HTTP/1.1\r\nUpgrade: echo\r\nConnection: Upgrade\r\n" HOST "\r\nechoed",
        "GET /no HTTP/1.1\r\nHost: evil.example\r\n\r\nnonsense\r\n\r\n",
    };
    const char *request = requests[pick(seed, sizeof requests / sizeof requests[0])];
    size_t len = strlen(request);
    size_t part = pick(seed, 3) ? len : pick(seed, (unsigned)len);
    char room[1000];
    int fd = client_connect(f);
    client_send_bytes(fd, request, part);
    (void)recv(fd, room, sizeof room, MSG_DONTWAIT);
    if (pick(seed, 4) == 0) (void)shutdown(fd, SHUT_WR);
    leave(fd, pick(seed, 2));
}

/* End the exchanges that are held and ask how many are active; the lines before the answer are
 * skipped. */
static bool is_quiet(struct fixture *f) {
    fixture_command(f, "rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrn");
    for (;;) {
        char *line = fixture_next(f);
        bool answer = strncmp(line, "active ", 7) == 0;
        bool quiet = strcmp(line, "active 0") == 0;
        free(line);
        if (answer) return quiet;
    }
}

static void test_storm(void **state) {
    static const char *const answers[] = { "r", "bse", "bwwse", "bwwwwwwwwwwwwe", "be" };
    unsigned seed = 7;
    (void)state;
    struct fixture *f = fixture_start(NULL, false);
    for (int i = 0; i < CLIENTS; i++) {
        visit(f, &seed);
        if (pick(&seed, 2))
            fixture_command(f, answers[pick(&seed, sizeof answers / sizeof answers[0])]);
        if (i % 16 == 0) (void)is_quiet(f);
    }
    int rounds = 0;
    do {
        assert_true(rounds++ < 1000);
        /* Connections are accepted in order: this one is the last. */
        client_check(f, "GET /quick HTTP/1.1\r\nConnection: close\r\n" HOST "\r\n",
                     "HTTP/1.1 200", "quick");
    } while (!is_quiet(f));
    fixture_stop(f);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_storm) };
    return cmocka_run_group_tests_name("http storm", tests, NULL, NULL);
}
