/* SPDX-License-Identifier: MIT */
/* Sec-WebSocket-Key: accepted means 24 characters of base64, and the answer is 28. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "http/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char accept[WEBSOCKET_ACCEPT_SIZE];
    char *key = xcalloc(size + 1, 1);
    if (size > 0) memcpy(key, data, size);
    if (websocket_accept_key(key, accept)) {
        assert(strlen(key) == 24 && strlen(accept) == WEBSOCKET_ACCEPT_SIZE - 1);
        assert(accept[WEBSOCKET_ACCEPT_SIZE - 2] == '=');
    }
    free(key);
    return 0;
}
