/* SPDX-License-Identifier: MIT */
#include "http/access.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"

enum { NAME_MAX_LEN = 253 }; /* of a DNS name */

struct authority {
    char name[NAME_MAX_LEN + 1]; /* without brackets and final dot */
    bool bracketed;
    int port; /* -1: none given */
};

static bool parse_port(const char *text, int *ret_port) {
    if (!*text) {
        *ret_port = -1;
        return true;
    }
    if (*text++ != ':') return false;
    int port = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        port = port * 10 + (*text - '0');
        if (port > 65535) return false;
    }
    *ret_port = port;
    return true;
}

/* "name", "name:port", "[v6]:port". */
static bool parse_authority(const char *text, struct authority *ret) {
    struct authority a = { .bracketed = *text == '[' };
    if (a.bracketed) text++;
    size_t len = strcspn(text, a.bracketed ? "]" : ":");
    if (len == 0 || len > NAME_MAX_LEN) return false;
    memcpy(a.name, text, len);
    const char *rest = text + len;
    if (a.bracketed && *rest++ != ']') return false;
    if (!a.bracketed && len > 1 && a.name[len - 1] == '.') a.name[len - 1] = '\0';
    if (!parse_port(rest, &a.port)) return false;
    *ret = a;
    return true;
}

static bool is_address(const struct authority *a) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(a->bracketed ? AF_INET6 : AF_INET, a->name, bytes) == 1;
}

/* The machine "box.lan" is also "box" and, by multicast DNS, "box.local". */
static bool is_machine(const char *name, const char *machine) {
    size_t label = strcspn(machine, ".");
    if (label == 0) return false;
    if (strcasecmp(name, machine) == 0) return true;
    if (strncasecmp(name, machine, label) != 0) return false;
    return !name[label] || strcasecmp(name + label, ".local") == 0;
}

bool access_host_is_own(const char *host, const struct access_names *names) {
    static const char *const fixed[] = { "localhost", "host.docker.internal",
                                         "host.containers.internal" };
    struct authority a;
    if (!parse_authority(host, &a)) return false;
    if (is_address(&a)) return true;
    if (a.bracketed) return false;
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (strcasecmp(a.name, fixed[i]) == 0) return true;
    }
    if (a.name[0] != '.' && ascii_ends_with(a.name, strlen(a.name), ".localhost")) return true;
    return strcasecmp(a.name, names->bound) == 0 || is_machine(a.name, names->machine);
}

bool access_origin_is_same(const char *origin, const char *host) {
    static const struct {
        const char *prefix;
        int port;
    } schemes[] = { { "http://", 80 }, { "https://", 443 } };
    struct authority page, server;
    if (!parse_authority(host, &server)) return false;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i].prefix);
        if (strncasecmp(origin, schemes[i].prefix, len) != 0) continue;
        if (!parse_authority(origin + len, &page)) return false;
        int page_port = page.port < 0 ? schemes[i].port : page.port;
        int server_port = server.port < 0 ? schemes[i].port : server.port;
        return page_port == server_port && page.bracketed == server.bracketed &&
               strcasecmp(page.name, server.name) == 0;
    }
    return false;
}

bool access_check(const char *host, const char *origin, const struct access_names *names,
                  struct error *err) {
    if (host && !access_host_is_own(host, names)) {
        return error_set(err, ERR_FORBIDDEN,
                         "Host \"%.80s\" is not a name of this machine; use its address or "
                         "localhost, or allow other hosts and pages with the setting cors.",
                         host);
    }
    if (origin && !(host && access_origin_is_same(origin, host))) {
        return error_set(
            err, ERR_FORBIDDEN,
            "Requests from web pages of \"%.80s\" are refused; allow pages of other "
            "origins with the setting cors.",
            origin);
    }
    return true;
}
