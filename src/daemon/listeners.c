/* SPDX-License-Identifier: MIT */
#include "daemon/listeners.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"

enum {
    PLACE_FIRST,
    PLACE_SDK,
    PLACE_OLLAMA,
    PLACE_MORE, /* of `lms server start` */
    PLACE_COUNT = 7,
};

static_assert(PLACE_COUNT - PLACE_MORE + 1 == LISTENERS_PASSED_MAX, "a place for each");

struct listeners {
    struct http_server *server;
    struct http_port *places[PLACE_COUNT]; /* NULL: closed */
    int passed[PLACE_COUNT];               /* the socket that the place was given; 0: none */
    char *first_host;
    int first_port;
    int ollama_port;  /* as it is wanted; 0: not */
    char *named_host; /* with named_port: the address given to clients */
    int named_port;
    bool loopback_only;
};

static bool open_on(struct listeners *l, int place, const char *host, int port,
                    struct error *err) {
    struct http_port *opened = l->passed[place]
                                   ? http_server_adopt(l->server, l->passed[place], err)
                                   : http_server_listen(l->server, host, port, err);
    if (opened && place == PLACE_SDK) http_port_keep_plain(opened);
    l->places[place] = opened;
    return opened != NULL;
}

static void close_at(struct listeners *l, int place) {
    if (l->places[place]) http_port_close(l->places[place]);
    l->places[place] = NULL;
}

static int port_at(const struct listeners *l, int place) {
    return l->places[place] ? http_port_number(l->places[place]) : 0;
}

static void set_named(struct listeners *l, int place) {
    free(l->named_host);
    l->named_host = xstrdup(http_port_host(l->places[place]));
    l->named_port = port_at(l, place);
}

static void begin_with(struct listeners *l) {
    l->first_host = xstrdup(http_port_host(l->places[PLACE_FIRST]));
    l->first_port = port_at(l, PLACE_FIRST);
    set_named(l, PLACE_FIRST);
}

bool listeners_is_loopback(const char *host) {
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcmp(host, "localhost") == 0;
}

struct listeners *listeners_new(struct http_server *server, const char *host, int port,
                                bool loopback_only, struct error *err) {
    struct listeners *l = xcalloc(1, sizeof *l);
    l->server = server;
    l->loopback_only = loopback_only;
    if (loopback_only && !listeners_is_loopback(host)) host = "127.0.0.1";
    if (!open_on(l, PLACE_FIRST, host, port, err)) {
        free(l);
        return NULL;
    }
    begin_with(l);
    return l;
}

/* Of a passed socket nobody but the socket unit can change the address. */
static bool is_allowed(const struct listeners *l, int place, struct error *err) {
    const char *host = http_port_host(l->places[place]);
    if (!l->loopback_only || listeners_is_loopback(host)) return true;
    return error_set(
        err, ERR_FORBIDDEN,
        "The files do not say whether an API key was set, so the server does not "
        "listen on %s; start it with ListenStream=127.0.0.1:%d in the socket unit, "
        "set or remove the key with `doze settings set api_key`, then change it "
        "back.",
        host, port_at(l, place));
}

struct listeners *listeners_adopt(struct http_server *server, const int *sockets, size_t count,
                                  bool loopback_only, struct error *err) {
    struct listeners *l = xcalloc(1, sizeof *l);
    bool ok = true;
    l->server = server;
    l->loopback_only = loopback_only;
    for (size_t i = 0; i < count && ok; i++) {
        int place = i == 0 ? PLACE_FIRST : PLACE_MORE + (int)i - 1;
        l->passed[place] = sockets[i];
        ok = open_on(l, place, NULL, 0, err) && is_allowed(l, place, err);
    }
    if (ok) {
        begin_with(l);
        return l;
    }
    listeners_close(l);
    free(l);
    return NULL;
}

void listeners_free(struct listeners *l) {
    if (!l) return;
    free(l->first_host);
    free(l->named_host);
    free(l);
}

int listeners_first_port(const struct listeners *l) {
    return l->first_port;
}

int listeners_sdk_port(const struct listeners *l) {
    return port_at(l, PLACE_SDK);
}

int listeners_named_port(const struct listeners *l, const char **ret_host) {
    *ret_host = l->named_host;
    return l->named_port;
}

/* Where LM Studio's clients look for a server, in their order. */
static const int sdk_ports[] = { 41343, 52993, 16141, 39414, 22931 };

const char *listeners_exposed_host(const struct listeners *l) {
    for (int i = 0; i < PLACE_COUNT; i++) {
        if (!l->places[i]) continue;
        const char *host = http_port_host(l->places[i]);
        if (!listeners_is_loopback(host)) return host;
    }
    return NULL;
}

void listeners_want_sdk(struct listeners *l, bool wanted) {
    struct error err;
    if (!wanted) close_at(l, PLACE_SDK);
    if (!wanted || l->places[PLACE_SDK]) return;
    for (size_t i = 0; i < sizeof sdk_ports / sizeof sdk_ports[0]; i++) {
        if (!open_on(l, PLACE_SDK, "127.0.0.1", sdk_ports[i], &err)) continue;
        log_info("LM Studio's clients find this server on port %d", sdk_ports[i]);
        return;
    }
    log_info("all of LM Studio's ports are in use; its clients need this server's address");
}

static bool is_open(const struct listeners *l, int port) {
    for (int i = 0; i < PLACE_COUNT; i++) {
        if (port_at(l, i) == port) return true;
    }
    return false;
}

static void open_ollama(struct listeners *l) {
    struct error err;
    if (l->ollama_port == 0 || is_open(l, l->ollama_port)) return;
    if (open_on(l, PLACE_OLLAMA, l->first_host, l->ollama_port, &err))
        log_info("Ollama's clients find this server on port %d", l->ollama_port);
    else
        log_warn("Ollama's clients do not find this server: %s", err.text);
}

void listeners_want_ollama(struct listeners *l, int port) {
    bool stopped = !l->places[PLACE_FIRST];
    if (port != l->ollama_port) close_at(l, PLACE_OLLAMA);
    l->ollama_port = port;
    if (!stopped) open_ollama(l);
}

/* Where the port is open or can be opened; -1: no room. */
static int place_for(const struct listeners *l, int port) {
    for (int i = 0; i < PLACE_COUNT; i++) {
        if (port_at(l, i) == port) return i;
    }
    if (port == l->first_port) return PLACE_FIRST;
    for (int i = PLACE_MORE; i < PLACE_COUNT; i++) {
        if (!l->places[i]) return i;
    }
    return -1;
}

/* So that clients which know the first port find the server there again. No error if another
 * program has it. */
static void reopen_first(struct listeners *l) {
    struct error err;
    if (l->places[PLACE_FIRST]) return;
    if (!open_on(l, PLACE_FIRST, l->first_host, l->first_port, &err)) log_warn("%s", err.text);
    open_ollama(l);
}

static bool widen(struct listeners *l, int place, const char *host, struct error *err) {
    if (l->passed[place]) {
        return error_set(err, ERR_NOT_SUPPORTED,
                         "systemd opened port %d; change ListenStream= in the socket unit to "
                         "have it on %s.",
                         port_at(l, place), host);
    }
    if (http_port_move(l->places[place], host, err)) return true;
    if (!http_port_is_listening(l->places[place])) close_at(l, place);
    return false;
}

bool listeners_start(struct listeners *l, int port, const char *host, struct error *err) {
    if (port == 0) port = l->first_port;
    if (!host) host = l->first_host;
    if (l->loopback_only && !listeners_is_loopback(host)) {
        return error_set(err, ERR_FORBIDDEN,
                         "The files do not say whether an API key was set, so this server "
                         "listens on loopback only; set or remove the key with `doze settings "
                         "set api_key`, then restart it.");
    }
    int place = place_for(l, port);
    if (place < 0) {
        return error_set(err, ERR_QUEUE_FULL,
                         "The server answers on %d ports already; stop it first.", PLACE_COUNT);
    }
    bool open = l->places[place] != NULL;
    bool wider = open && place != PLACE_SDK && !listeners_is_loopback(host) &&
                 listeners_is_loopback(http_port_host(l->places[place]));
    if (wider && !widen(l, place, host, err)) return false;
    if (!open && !open_on(l, place, host, port, err)) return false;
    if (wider || !open) log_info("also listening on %s port %d", host, port);
    reopen_first(l);
    set_named(l, place);
    return true;
}

bool listeners_stop(struct listeners *l, struct error *err) {
    if (!l->places[PLACE_SDK]) {
        return error_set(err, ERR_NOT_SUPPORTED,
                         "No client could reach the server then; stop it with `doze server "
                         "stop`, or open LM Studio's port with `doze settings set sdk_port "
                         "true`.");
    }
    for (int i = 0; i < PLACE_COUNT; i++) {
        if (i != PLACE_SDK) close_at(l, i);
    }
    log_info("the HTTP server is stopped; LM Studio's clients can start it again");
    return true;
}

void listeners_close(struct listeners *l) {
    for (int i = 0; i < PLACE_COUNT; i++) close_at(l, i);
}
