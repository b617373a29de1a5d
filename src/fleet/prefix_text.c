/* SPDX-License-Identifier: MIT */
#include "fleet/prefix_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static void add(struct prefix_chain *chain, const yyjson_mut_val *value) {
    size_t len;
    char *text = value ? yyjson_mut_val_write(value, YYJSON_WRITE_NOFLAG, &len) : NULL;
    if (text) prefix_chain_add(chain, text, len);
    free(text);
}

void prefix_text_add(struct prefix_chain *chain, yyjson_mut_val *body) {
    yyjson_mut_val *messages = yyjson_mut_obj_get(body, "messages");
    size_t i, max;
    yyjson_mut_val *message;
    add(chain, yyjson_mut_obj_get(body, "tools"));
    yyjson_mut_arr_foreach(messages, i, max, message) {
        if (chain->count == PREFIX_CHAIN_MAX) break;
        add(chain, message);
    }
    add(chain, yyjson_mut_obj_get(body, "prompt"));
}

void prefix_marks_make(struct prefix_marks *marks, const char *secret, yyjson_mut_val *body) {
    struct prefix_chain *chain = xcalloc(1, sizeof *chain);
    prefix_chain_init(chain, secret, "");
    prefix_text_add(chain, body);
    *marks = (struct prefix_marks){ .count = chain->count };
    marks->hashes = xcalloc(chain->count + 1, sizeof *marks->hashes);
    memcpy(marks->hashes, chain->hashes, chain->count * sizeof *marks->hashes);
    free(chain);
}

void prefix_marks_clear(struct prefix_marks *marks) {
    free(marks->hashes);
    *marks = (struct prefix_marks){ 0 };
}

uint64_t prefix_mark_of(uint64_t hash, uint64_t model) {
    uint64_t x = hash ^ model;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}
