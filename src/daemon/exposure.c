/* SPDX-License-Identifier: MIT */
#include "daemon/exposure.h"

#include <stdio.h>

void exposure_warn(const struct exposure *exposure, char ret_text[EXPOSURE_SIZE]) {
    ret_text[0] = '\0';
    if (!exposure->host || (exposure->has_key && exposure->has_tls)) return;
    if (exposure->has_key) {
        snprintf(
            ret_text, EXPOSURE_SIZE,
            "Keys and prompts cross the network to %.128s readable for others; set tls_cert, "
            "or let a proxy with TLS stand before it.",
            exposure->host);
    } else {
        snprintf(ret_text, EXPOSURE_SIZE,
                 "Every machine that reaches %.128s can use this server%s; create a key with "
                 "`doze token create`%s.",
                 exposure->host, exposure->has_tls ? "" : ", and read what others send",
                 exposure->has_tls ? "" : " and set tls_cert");
    }
}
