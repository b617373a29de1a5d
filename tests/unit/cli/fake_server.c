/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "fake.h"

enum { MAX_REQUEST = 1 << 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int gone_count;
static char *last_body;

void fake_send(const struct fake_request *r, const char *text) {
    size_t len = strlen(text);
    while (len > 0) {
        ssize_t sent = send(r->fd, text, len, MSG_NOSIGNAL);
        if (sent <= 0) return;
        text += sent;
        len -= (size_t)sent;
    }
}

void fake_reply(const struct fake_request *r, int status, const char *json) {
    char head[256];
    snprintf(head, sizeof head,
             "HTTP/1.1 %d Status\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
             "Connection: close\r\n\r\n",
             status, strlen(json));
    fake_send(r, head);
    fake_send(r, json);
}

void fake_reply_error(const struct fake_request *r, int status, const char *code,
                      const char *message) {
    char *json = xasprintf("{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\","
                           "\"param\":null,\"code\":\"%s\"}}",
                           message, code);
    fake_reply(r, status, json);
    free(json);
}

void fake_stream_begin(const struct fake_request *r) {
    fake_send(
        r, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
}

void fake_wait_gone(const struct fake_request *r) {
    char byte;
    while (recv(r->fd, &byte, 1, 0) > 0) continue;
    pthread_mutex_lock(&lock);
    gone_count++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void fake_await_gone(void) {
    pthread_mutex_lock(&lock);
    while (gone_count == 0) pthread_cond_wait(&changed, &lock);
    gone_count--;
    pthread_mutex_unlock(&lock);
}

static bool fake_own(const struct fake_request *r) {
    if (strcmp(r->path, "/fake/gone") == 0) {
        fake_await_gone();
        fake_reply(r, 200, "{}");
        return true;
    }
    if (strcmp(r->path, "/fake/last") != 0) return false;
    pthread_mutex_lock(&lock);
    fake_reply(r, 200, last_body ? last_body : "null");
    pthread_mutex_unlock(&lock);
    return true;
}

static void remember(const struct fake_request *r) {
    if (strcmp(r->method, "GET") == 0) return;
    pthread_mutex_lock(&lock);
    free(last_body);
    last_body = xstrdup(buf_str(&r->body));
    pthread_mutex_unlock(&lock);
}

/* Read the head and as much of a body as Content-Length says; enough for our own client. */
static bool read_request(struct fake_request *r) {
    struct buf in = BUF_INIT(MAX_REQUEST);
    const char *end = NULL, *length = NULL;
    size_t want = 0;
    while (!end || in.len < want) {
        char *room = buf_reserve(&in, 4096);
        ssize_t got = room ? recv(r->fd, room, 4096, 0) : -1;
        if (got <= 0) break;
        in.len += (size_t)got;
        in.data[in.len] = '\0';
        end = strstr(in.data, "\r\n\r\n");
        length = end ? strcasestr(in.data, "\r\nContent-Length:") : NULL;
        if (end)
            want = (size_t)(end + 4 - in.data) + (length ? strtoul(length + 17, NULL, 10) : 0);
    }
    const char *key = end ? strcasestr(in.data, "\r\nAuthorization: Bearer ") : NULL;
    if (key) sscanf(key, "\r\n%*s %*s %63s", r->key);
    bool ok = end && in.len >= want && sscanf(in.data, "%7s %255s", r->method, r->path) == 2;
    if (ok) buf_add(&r->body, end + 4, in.len - (size_t)(end + 4 - in.data));
    buf_clear(&in);
    return ok;
}

static void *serve_one(void *arg) {
    struct fake_request r = { .fd = (int)(intptr_t)arg, .body = BUF_INIT(MAX_REQUEST) };
    if (read_request(&r)) {
        remember(&r);
        if (!fake_own(&r) && !fake_routes(&r) && !fake_chat(&r)) {
            fake_reply_error(&r, 404, "not_found", "There is nothing at this path.");
        }
    }
    close(r.fd);
    buf_clear(&r.body);
    return NULL;
}

static int listen_on(int port, int *ret_port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 64) != 0) {
        close(fd);
        return -1;
    }
    getsockname(fd, (struct sockaddr *)&address, &len);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void *on_term(void *arg) {
    const sigset_t *term = arg;
    int number = 0;
    sigwait(term, &number);
    poll(NULL, 0, 1500);
    _exit(0);
}

/* Take 1.5 s to end, as one does whose answers still run. */
static void end_slowly(void) {
    static sigset_t term;
    pthread_t thread;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
    pthread_create(&thread, NULL, on_term, &term);
    pthread_detach(thread);
}

static int accept_all(int listener) {
    for (;;) {
        pthread_t thread;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) return 1;
        if (pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)fd) == 0) {
            pthread_detach(thread);
        } else {
            close(fd);
        }
    }
}

/* --refuse: fail as a real one does whose port is taken. --say: print what the environment
 * says. --linger: end slowly. */
int fake_serve(int argc, char **argv) {
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "host", required_argument, NULL, 'h' },
        { "ready-fd", required_argument, NULL, 'r' },
        { "refuse", no_argument, NULL, 'x' },
        { "linger", no_argument, NULL, 'l' },
        { "say", no_argument, NULL, 'e' },
        { "help", no_argument, NULL, 'u' },
        { "state-dir", required_argument, NULL, 's' },
        { 0 },
    };
    const char *from_env = getenv("DOZE_PORT");
    int port = from_env ? (int)strtol(from_env, NULL, 10) : 0, ready = -1, option = 0;
    optind = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'p') port = (int)strtol(optarg, NULL, 10);
        if (option == 'r') ready = (int)strtol(optarg, NULL, 10);
        if (option == '?') return 2;
        if (option == 'l') end_slowly();
        if (option == 'u') {
            printf("the usage of serve\n");
            return 0;
        }
        if (option == 'e') {
            printf("%s %s\n", getenv("DOZE_HOST"), from_env);
            return 0;
        }
        if (option == 'x') {
            fprintf(stderr,
                    "one line\ndoze: Port 1234 is in use; choose another with --port.\n");
            return 1;
        }
    }
    int listener = listen_on(port, &port);
    if (listener < 0) return 1;
    dprintf(ready >= 0 ? ready : STDOUT_FILENO, "%d\n", port);
    if (ready >= 0) close(ready);
    return accept_all(listener);
}
