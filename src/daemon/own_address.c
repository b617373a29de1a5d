/* SPDX-License-Identifier: MIT */
#include "daemon/own_address.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

enum { ANY_PORT = 9 };

/* What stands between the scheme and the port or path, without the brackets of IPv6. */
static bool host_of(const char *url, char ret[OWN_ADDRESS_SIZE]) {
    const char *host = strstr(url, "://");
    if (!host) return false;
    host += 3;
    bool v6 = *host == '[';
    host += v6;
    size_t len = strcspn(host, v6 ? "]" : ":/ ");
    if (len == 0 || len >= OWN_ADDRESS_SIZE) return false;
    (void)snprintf(ret, OWN_ADDRESS_SIZE, "%.*s", (int)len, host);
    return true;
}

static bool parse(const char *host, struct sockaddr_storage *ret) {
    memset(ret, 0, sizeof *ret);
    return uv_ip4_addr(host, ANY_PORT, (struct sockaddr_in *)ret) == 0 ||
           uv_ip6_addr(host, ANY_PORT, (struct sockaddr_in6 *)ret) == 0;
}

/* Of a socket without a connection the kernel chooses the address at once. */
bool own_address_towards(const char *url, char ret[OWN_ADDRESS_SIZE]) {
    char host[OWN_ADDRESS_SIZE];
    struct sockaddr_storage there, here;
    socklen_t len = sizeof here;
    if (!host_of(url, host) || !parse(host, &there)) return false;
    int fd = socket(there.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    bool ok = connect(fd, (const struct sockaddr *)&there, sizeof there) == 0 &&
              getsockname(fd, (struct sockaddr *)&here, &len) == 0 &&
              uv_ip_name((const struct sockaddr *)&here, ret, OWN_ADDRESS_SIZE) == 0;
    close(fd);
    return ok;
}
