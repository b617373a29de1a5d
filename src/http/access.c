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

/* What a "*" stands for: part of a name, so never the end of a scheme or a port. */
static bool is_part_of_name(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        char c = ascii_lower(text[i]);
        bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (!fits) return false;
    }
    return len > 0;
}

static bool fits(const char *pattern, size_t pattern_len, const char *text, size_t len) {
    const char *star = memchr(pattern, '*', pattern_len);
    if (!star) return ascii_equal(pattern, pattern_len, text, len);
    size_t before = (size_t)(star - pattern), after = pattern_len - before - 1;
    return len > before + after && ascii_equal(pattern, before, text, before) &&
           ascii_equal(star + 1, after, text + len - after, after) &&
           is_part_of_name(text + before, len - before - after);
}

bool access_list_has(const char *list, const char *text) {
    static const char between[] = ", ";
    size_t len;
    for (list += strspn(list, between); *list; list += len + strspn(list + len, between)) {
        len = strcspn(list, between);
        if (fits(list, len, text, strlen(text))) return true;
    }
    return false;
}

bool access_origin_is_local(const char *origin) {
    static const char *const schemes[] = { "app://", "vscode-webview://", "tauri://",
                                           "file://" };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncasecmp(origin, schemes[i], strlen(schemes[i])) == 0) return true;
    }
    return strcasecmp(origin, "null") == 0 || strcasecmp(origin, "file") == 0;
}

static bool host_is_allowed(const struct access_request *request,
                            const struct access_names *names,
                            const struct access_rules *rules) {
    struct authority a;
    if (!request->host || request->has_key) return true;
    if (access_host_is_own(request->host, names)) return true;
    return parse_authority(request->host, &a) && access_list_has(rules->hosts, a.name);
}

static bool refuse_origin(const char *origin, bool local, struct error *err) {
    if (local) {
        return error_set(err, ERR_FORBIDDEN,
                         "An app of origin \"%.60s\" has to send an API key (`doze token "
                         "create`), or add the origin to the setting allowed_origins.",
                         origin);
    }
    return error_set(err, ERR_FORBIDDEN,
                     "Requests from web pages of \"%.80s\" are refused; add this origin to the "
                     "setting allowed_origins, or allow all with cors.",
                     origin);
}

bool access_check(const struct access_request *request, const struct access_names *names,
                  const struct access_rules *rules, bool *ret_foreign, struct error *err) {
    const char *host = request->host, *origin = request->origin;
    *ret_foreign = origin != NULL;
    if (rules->all) return true;
    if (!host_is_allowed(request, names, rules)) {
        return error_set(err, ERR_FORBIDDEN,
                         "Host \"%.80s\" is not a name of this machine; use its address or "
                         "localhost, or add the name to the setting allowed_hosts.",
                         host);
    }
    *ret_foreign = origin && !(host && access_origin_is_same(origin, host));
    if (!*ret_foreign || access_list_has(rules->origins, origin)) return true;
    bool local = access_origin_is_local(origin);
    return (local && request->has_key) || refuse_origin(origin, local, err);
}
