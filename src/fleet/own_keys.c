/* SPDX-License-Identifier: MIT */
#include "fleet/own_keys.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static void remove_at(struct own_keys *keys, size_t i) {
    free(keys->list[i].key);
    free(keys->list[i].value);
    keys->list[i] = keys->list[--keys->count];
}

void own_keys_clear(struct own_keys *keys) {
    while (keys->count > 0) remove_at(keys, keys->count - 1);
    free(keys->list);
    *keys = (struct own_keys){ 0 };
}

struct own_key *own_keys_find(const struct own_keys *keys, const char *key) {
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->list[i].key, key) == 0) return &keys->list[i];
    }
    return NULL;
}

static struct own_key *add(struct own_keys *keys, const char *key) {
    keys->list = xrealloc(keys->list, (keys->count + 1) * sizeof *keys->list);
    struct own_key *own = &keys->list[keys->count++];
    *own = (struct own_key){ .key = xstrdup(key) };
    return own;
}

bool own_keys_set(struct own_keys *keys, const char *key, const char *value) {
    struct own_key *own = own_keys_find(keys, key);
    if (!own && !value) return false;
    if (own && !own->value && !value) return false;
    if (own && own->value && value && strcmp(own->value, value) == 0) return false;
    if (!own) own = add(keys, key);
    free(own->value);
    own->value = value ? xstrdup(value) : NULL;
    own->version = ++keys->version;
    if (!value && !own->lease && !own->sent) remove_at(keys, (size_t)(own - keys->list));
    return true;
}

void own_keys_withdraw(struct own_keys *keys, const char *key) {
    if (!own_keys_find(keys, key)) add(keys, key)->version = ++keys->version;
}

static bool is_due(const struct own_key *own, int64_t lease) {
    return own->lease != lease || own->written != own->version;
}

struct own_key *own_keys_first(const struct own_keys *keys, int64_t lease) {
    struct own_key *first = NULL;
    for (size_t i = 0; i < keys->count; i++) {
        struct own_key *own = &keys->list[i];
        if (is_due(own, lease) && (!first || own->next < first->next)) first = own;
    }
    return first;
}

void own_keys_written(struct own_keys *keys, const char *key, uint64_t version, int64_t lease) {
    struct own_key *own = own_keys_find(keys, key);
    if (!own) return;
    own->written = version;
    own->lease = lease;
    if (!own->value && version == own->version) remove_at(keys, (size_t)(own - keys->list));
}

void own_keys_forget(struct own_keys *keys) {
    for (size_t i = keys->count; i-- > 0;) {
        struct own_key *own = &keys->list[i];
        own->lease = 0;
        own->sent = own->written = 0;
        own->next = 0;
        if (!own->value) remove_at(keys, i);
    }
}
