/* SPDX-License-Identifier: MIT */
#include "daemon/lmstudio_compat.h"

#include "base/log.h"

void lmstudio_compat_update(const struct settings *settings, struct listeners *listeners,
                            struct lmstudio_home *home) {
    struct error err;
    struct lmstudio_ports ports;
    listeners_want_sdk(listeners, settings->sdk_port);
    ports.port = listeners_named_port(listeners, &ports.host);
    ports.sdk_port = listeners_sdk_port(listeners);
    if (!ports.sdk_port) ports.sdk_port = listeners_first_port(listeners);
    if (!settings->lmstudio_compat) {
        lmstudio_home_remove(home);
    } else if (!lmstudio_home_write(home, &ports, &err)) {
        log_warn("LM Studio's command line will not find this server: %s", err.text);
    }
}
