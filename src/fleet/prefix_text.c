/* SPDX-License-Identifier: MIT */
#include "fleet/prefix_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "fleet/prefix_chain.h"

enum { LOT_BYTES = 4096 }; /* of each message by which a conversation is known */

struct reading {
    struct prefix_chain chain;
    uint64_t lot;
    bool begins; /* up to the user's first words all requests of a conversation are the same */
};

static void add(struct prefix_chain *chain, const yyjson_mut_val *value) {
    size_t len;
    char *text = value ? yyjson_mut_val_write(value, YYJSON_WRITE_NOFLAG, &len) : NULL;
    if (text) prefix_chain_add(chain, text, len);
    free(text);
}

static void add_message(struct reading *reading, yyjson_mut_val *message) {
    size_t len;
    char *text = yyjson_mut_val_write(message, YYJSON_WRITE_NOFLAG, &len);
    if (!text) return;
    prefix_chain_add(&reading->chain, text, len);
    if (reading->begins)
        reading->lot = hash_add(reading->lot, text, len < LOT_BYTES ? len : LOT_BYTES);
    if (yyjson_mut_equals_str(yyjson_mut_obj_get(message, "role"), "user"))
        reading->begins = false;
    free(text);
}

static void read_body(struct reading *reading, yyjson_mut_val *body) {
    struct prefix_chain *chain = &reading->chain;
    yyjson_mut_val *messages = yyjson_mut_obj_get(body, "messages"), *message;
    size_t i, max;
    add(chain, yyjson_mut_obj_get(body, "tools"));
    yyjson_mut_arr_foreach(messages, i, max, message) {
        if (chain->count == PREFIX_CHAIN_MAX && !reading->begins) break;
        add_message(reading, message);
    }
    add(chain, yyjson_mut_obj_get(body, "prompt"));
    if (yyjson_mut_arr_size(messages) == 0) reading->lot = 0;
}

void prefix_marks_make(struct prefix_marks *ret, const char *secret, yyjson_mut_val *body) {
    struct reading *reading = xcalloc(1, sizeof *reading);
    struct prefix_chain *chain = &reading->chain;
    prefix_chain_init(chain, secret);
    reading->lot = HASH_BEGIN;
    reading->begins = true;
    read_body(reading, body);
    *ret = (struct prefix_marks){ .count = chain->count, .lot = reading->lot };
    ret->hashes = xcalloc(chain->count + 1, sizeof *ret->hashes);
    memcpy(ret->hashes, chain->hashes, chain->count * sizeof *ret->hashes);
    free(reading);
}

void prefix_marks_clear(struct prefix_marks *marks) {
    free(marks->hashes);
    *marks = (struct prefix_marks){ 0 };
}

uint64_t prefix_model(const char *key, size_t len) {
    return hash_add(HASH_BEGIN, key, len);
}

uint64_t prefix_mark_of(uint64_t hash, uint64_t model) {
    uint64_t x = hash ^ model;
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}
